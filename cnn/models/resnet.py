"""Model B, a small residual net (He et al. 2016): a stem and three stages of residual blocks, 16, 32 and 64 channels wide.

Against the paper's CIFAR-10 nets: pictures of 64 are pooled once at the stem, as the paper's ImageNet nets do, and the last
pooling keeps 2 x 4 cells.
"""

from __future__ import annotations

import torch
from torch import nn

from cnn.models.blocks import LastMap, Residual, head, stem
from cnn.settings.model import ModelSettings
from cnn.settings.stack import scale_channels

_CHANNELS = (16, 32, 64)


class ResNet(nn.Module):
    """(B, C, size, size) to (B, K) logits; `depth` blocks a stage give 6 depth + 2 weighted layers."""

    def __init__(self, settings: ModelSettings, size: int, n_classes: int) -> None:
        super().__init__()
        widths = [scale_channels(n, settings.width) for n in _CHANNELS]
        self.stem = stem(widths[0], size, settings.activation, settings)
        blocks: list[nn.Module] = []
        n_in = widths[0]
        for stage, n_out in enumerate(widths):
            for number in range(settings.depth):
                blocks.append(Residual(n_in, n_out, 2 if stage and not number else 1, settings.activation))
                n_in = n_out
        self.blocks = nn.Sequential(*blocks)  # (B, C, 8, 8)
        self.head = head(LastMap(n_channels=n_in, n_bins=8, n_frames=8), settings.dropout, n_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(self.blocks(self.stem(x)))
        return out
