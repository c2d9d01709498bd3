"""Model B, a small MobileNetV2 (Sandler et al. 2018): a stem, then inverted residuals with linear bottlenecks.

Against the paper's table 2: its first, second, third and fourth rows alone (16, 24, 32 and 64 channels, expansion 1 and 6)
with `depth` blocks in each of the last three, 128 channels at the end for 1,280, and a last pooling that keeps 2 x 4 cells.
"""

from __future__ import annotations

import torch
from torch import nn

from cnn.models.blocks import InvertedResidual, LastMap, Shape, conv_norm, head, stem
from cnn.settings.model import ModelSettings
from cnn.settings.stack import scale_channels

_FIRST, _CHANNELS, _LAST = 16, (24, 32, 64), 128
_EXPANSION = 6


class MobileNet(nn.Module):
    """(B, C, size, size) to (B, K) logits."""

    def __init__(self, settings: ModelSettings, size: int, n_classes: int) -> None:
        super().__init__()
        act = settings.activation
        first, last = scale_channels(_FIRST, settings.width), scale_channels(_LAST, settings.width)
        self.stem = stem(first, size, act, settings)  # (B, C, 32, 32)
        blocks = [InvertedResidual(Shape(n_in=first, n_out=first, kernel=3), 1, act)]
        n_in = first
        for n_channels in _CHANNELS:
            n_out = scale_channels(n_channels, settings.width)
            for number in range(settings.depth):
                shape = Shape(n_in=n_in, n_out=n_out, kernel=3, stride=1 if number else 2)
                blocks.append(InvertedResidual(shape, _EXPANSION, act))
                n_in = n_out
        self.blocks = nn.Sequential(*blocks)  # (B, C, 4, 4)
        self.last = conv_norm(Shape(n_in=n_in, n_out=last), act)
        self.head = head(LastMap(n_channels=last, n_bins=4, n_frames=4), settings.dropout, n_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(self.last(self.blocks(self.stem(x))))
        return out
