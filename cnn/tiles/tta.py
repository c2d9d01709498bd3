"""Test-time augmentation: a net's mean answer on each picture shifted a little earlier and later.

N clips, F mel bins, T frames, K classes, V views.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch.nn import functional as F

from cnn.tiles.batches import Clips, normalise, to_input

_SHIFT = 2 / 64  # share of the picture's width, from one view to the next
_BATCH_SIZE = 128  # clips: more are no faster on a CPU and need more memory
_GPU_BATCH_SIZE = 2048  # pictures of all nets together: a GPU takes as long to start a kernel as to run it on 128 of them


def log_probabilities(
    net: Callable[[torch.Tensor], torch.Tensor], pictures: torch.Tensor | Clips, n_aside: int, n_nets: int = 1
) -> torch.Tensor:
    """Return (N, K): log of the mean probabilities over each picture and `n_aside` views either side.

    Pooling sees a sound differently when it begins a frame later; the mean over a few shifts does not.

    Args:
        net: in evaluation mode, (B, 1, F, T) to (B, K) logits.
        pictures: (N, F, T) uint8, on the net's device; on a CPU at most 128 are read at a time.
        n_nets: how many nets `net` is, each of which gets every picture.
    """
    batches = []
    size = _BATCH_SIZE if pictures[:1].device.type == "cpu" else max(_BATCH_SIZE, _GPU_BATCH_SIZE // n_nets)
    with torch.no_grad():
        for start in range(0, len(pictures), size):
            grey = pictures[start : start + size].float().div_(255)
            batches.append(average_views(torch.stack([net(view) for view in make_views(grey, n_aside)])))
    return torch.cat(batches)


def make_views(grey: torch.Tensor, n_aside: int) -> list[torch.Tensor]:
    """Return V = 2 `n_aside` + 1 views of (B, F, T) in 0..1, early to late, as net inputs (B, 1, F, T)."""
    step = round(_SHIFT * grey.shape[2])
    return [to_input(normalise(_shift(grey, step * number))) for number in range(-n_aside, n_aside + 1)]


def average_views(logits: torch.Tensor) -> torch.Tensor:
    """Return (B, K), the logarithm of the mean of the views' probabilities, from logits (V, B, K)."""
    return logits.log_softmax(2).logsumexp(0) - math.log(len(logits))


def _shift(grey: torch.Tensor, n_frames: int) -> torch.Tensor:
    """Shift later by `n_frames`, or earlier if negative; silence fills the gap."""
    return F.pad(grey, (n_frames, -n_frames)) if n_frames else grey
