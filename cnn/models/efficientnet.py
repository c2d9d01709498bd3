"""Model B, a small EfficientNet (Tan and Le 2019): MBConv blocks with squeeze-excite and SiLU.

Against the paper's table 1: its stages 2 to 5 alone (16, 24, 40 and 80 channels, kernels 3, 3, 5 and 3) with `depth` blocks
in each of the last three, 128 channels at the end for 1,280, no stochastic depth, and a last pooling that keeps 2 x 4 cells.
"""

from __future__ import annotations

import torch
from torch import nn

from cnn.models.blocks import InvertedResidual, LastMap, Shape, conv_norm, head, stem
from cnn.settings.model import ModelSettings
from cnn.settings.stack import scale_channels

_FIRST, _LAST = 16, 128
_STAGES = ((24, 3), (40, 5), (80, 3))  # channels, kernel
_EXPANSION = 6
_SQUEEZE = 4  # the squeezed channels are a quarter of the block's input


class EfficientNet(nn.Module):
    """(B, C, size, size) to (B, K) logits."""

    def __init__(self, settings: ModelSettings, size: int, n_classes: int) -> None:
        super().__init__()
        act = settings.activation
        first, last = scale_channels(_FIRST, settings.width), scale_channels(_LAST, settings.width)
        self.stem = stem(first, size, act, settings)  # (B, C, 32, 32)
        blocks = [InvertedResidual(Shape(n_in=first, n_out=first, kernel=3), 1, act, _squeezed(first))]
        n_in = first
        for n_channels, kernel in _STAGES:
            n_out = scale_channels(n_channels, settings.width)
            for number in range(settings.depth):
                shape = Shape(n_in=n_in, n_out=n_out, kernel=kernel, stride=1 if number else 2)
                blocks.append(InvertedResidual(shape, _EXPANSION, act, _squeezed(n_in)))
                n_in = n_out
        self.blocks = nn.Sequential(*blocks)  # (B, C, 4, 4)
        self.last = conv_norm(Shape(n_in=n_in, n_out=last), act)
        self.head = head(LastMap(n_channels=last, n_bins=4, n_frames=4), settings.dropout, n_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(self.last(self.blocks(self.stem(x))))
        return out


def _squeezed(n_in: int) -> int:
    return max(1, n_in // _SQUEEZE)
