"""What a net says of pictures, each looked at several times, a little earlier and later. N clips, F mel bins, T frames."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch.nn import functional as F

from cnn.tiles.batches import Clips, normalise, to_input

_APART = 2 / 64  # of the picture, from one view to the next
_AT_ONCE = 128  # clips a batch: more are no faster on a CPU and need more memory


def log_probabilities(
    net: Callable[[torch.Tensor], torch.Tensor], pictures: torch.Tensor | Clips, n_aside: int
) -> torch.Tensor:
    """(N, K): the logarithm of the mean of the probabilities over the picture as it is, `n_aside` views of it earlier, and
    as many later.

    Pooling sees a sound differently when it begins a frame later; the mean over a few beginnings does not.

    Args:
        net: in evaluation mode, (B, 1, F, T) to (B, K) logits.
        pictures: (N, F, T) uint8, on the net's device; at most 128 are read at a time.
    """
    found = []
    with torch.no_grad():
        for start in range(0, len(pictures), _AT_ONCE):
            grey = pictures[start : start + _AT_ONCE].float().div_(255)
            found.append(average_views(torch.stack([net(view) for view in make_views(grey, n_aside)])))
    return torch.cat(found)


def make_views(grey: torch.Tensor, n_aside: int) -> list[torch.Tensor]:
    """The V = 2 `n_aside` + 1 inputs of a net, (B, 1, F, T) each, that show (B, F, T) in 0..1 from early to late."""
    step = round(_APART * grey.shape[2])
    return [to_input(normalise(_moved(grey, step * number))) for number in range(-n_aside, n_aside + 1)]


def average_views(logits: torch.Tensor) -> torch.Tensor:
    """(V, B, K) of the views to (B, K), the logarithm of the mean of their probabilities."""
    return logits.log_softmax(2).logsumexp(0) - math.log(len(logits))


def _moved(grey: torch.Tensor, n_frames: int) -> torch.Tensor:
    """Later by `n_frames`, silence before; or earlier, if negative."""
    return F.pad(grey, (n_frames, -n_frames)) if n_frames else grey
