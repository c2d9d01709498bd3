"""What a net says of pictures, each looked at several times, a little earlier and later. N clips, F mel bins, T frames."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional as F

from cnn.batches import as_input, normalised

_APART = 2 / 64  # of the picture, from one view to the next
_AT_ONCE = 128  # clips a batch: more are no faster on a CPU and need more memory


def log_probabilities(net: nn.Module, pictures: torch.Tensor, n_aside: int) -> torch.Tensor:
    """(N, K): the logarithm of the mean of the probabilities over the picture as it is, `n_aside` views of it earlier, and
    as many later.

    Pooling sees a sound differently when it begins a frame later; the mean over a few beginnings does not.

    Args:
        net: in evaluation mode, (B, 1, F, T) to (B, K) logits.
        pictures: (N, F, T) uint8, on the net's device.
    """
    step = round(_APART * pictures.shape[2])
    places = [step * number for number in range(-n_aside, n_aside + 1)]
    found = []
    with torch.no_grad():
        for start in range(0, len(pictures), _AT_ONCE):
            grey = pictures[start : start + _AT_ONCE].float().div_(255)
            views = torch.stack([net(as_input(normalised(_moved(grey, place)))).log_softmax(1) for place in places])
            found.append(views.logsumexp(0) - math.log(len(places)))
    return torch.cat(found)


def _moved(grey: torch.Tensor, n_frames: int) -> torch.Tensor:
    """Later by `n_frames`, silence before; or earlier, if negative."""
    return F.pad(grey, (n_frames, -n_frames)) if n_frames else grey
