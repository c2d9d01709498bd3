"""Test-time augmentation: a net's mean answer on each picture shifted a little either way.

N clips, C channels, F mel bins, T frames, K classes, V views.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from cnn.models.blocks import average_answers
from cnn.tiles.batches import Clips
from cnn.tiles.inputs import Inputs

_BATCH_SIZE = 128  # clips: more are no faster on a CPU and need more memory
_GPU_BATCH_SIZE = 2048  # pictures of all nets together: a GPU takes as long to start a kernel as to run it on 128 of them


def log_probabilities(
    net: Callable[[torch.Tensor], torch.Tensor], pictures: torch.Tensor | Clips, inputs: Inputs, n_nets: int = 1
) -> torch.Tensor:
    """Return (N, K): log of the mean probabilities over the views of each picture.

    Pooling sees a sound differently when it begins a frame later; the mean over a few shifts does not.

    Args:
        net: in evaluation mode, (B, C, F, T) to (B, K) logits.
        pictures: (N, C, F, T) uint8, on the net's device; on a CPU at most 128 are read at a time.
        n_nets: how many nets `net` is, each of which gets every picture.
    """
    batches = []
    size = _BATCH_SIZE if pictures[:1].device.type == "cpu" else max(_BATCH_SIZE, _GPU_BATCH_SIZE // n_nets)
    with torch.no_grad():
        for start in range(0, len(pictures), size):
            levels = pictures[start : start + size].float().div_(255)
            batches.append(average_answers(torch.stack([net(view) for view in inputs.views(levels)])))
    return torch.cat(batches)
