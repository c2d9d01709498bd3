"""Model B, a small residual net (He et al. 2016): a stem and three stages of residual blocks, 16, 32 and 64 channels wide.

Against the paper's CIFAR-10 nets: pictures of 64 enter through a stride of 2, and the last pooling keeps 2 x 4 cells, since
pooling all of time into one throws away the order of the sounds.
"""

from __future__ import annotations

import torch
from torch import nn

from cnn.config import ModelSettings
from cnn.models.blocks import Residual, activation, scaled

_CHANNELS = (16, 32, 64)
_LAST_CELLS = (2, 4)  # mel bins, frames


class ResNet(nn.Module):
    """(B, 1, size, size) to (B, K) logits; `depth` blocks a stage give 6 depth + 2 weighted layers."""

    def __init__(self, settings: ModelSettings, size: int, n_classes: int) -> None:
        super().__init__()
        widths = [scaled(n, settings.width) for n in _CHANNELS]
        self.stem = nn.Sequential(
            nn.Conv2d(1, widths[0], 3, stride=2 if size > 32 else 1, padding=1, bias=False),
            nn.BatchNorm2d(widths[0]),
            activation(settings.activation),
        )
        blocks: list[nn.Module] = []
        n_in = widths[0]
        for stage, n_out in enumerate(widths):
            for number in range(settings.depth):
                blocks.append(Residual(n_in, n_out, 2 if stage and not number else 1, settings.activation))
                n_in = n_out
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(_LAST_CELLS),
            nn.Flatten(),
            nn.Dropout(settings.dropout),
            nn.Linear(n_in * _LAST_CELLS[0] * _LAST_CELLS[1], n_classes),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(self.blocks(self.stem(x)))
        return out
