"""Model B, a small Inception net (Szegedy et al. 2015; 2016 for normalisation and 3 x 3 pairs in place of 5 x 5).

Four views of each place side by side: 1 x 1, 3 x 3, two 3 x 3, and a pooled one. Against the papers: two stages of `depth`
modules with 64 and 128 channels, no side classifiers, and a last pooling that keeps 2 x 4 cells.
"""

from __future__ import annotations

import torch
from torch import nn

from cnn.models.blocks import LastMap, Shape, conv_norm, head, stem
from cnn.settings.model import ModelSettings
from cnn.settings.stack import scale_channels

_FIRST, _SECOND = 16, 32
_CHANNELS = (64, 128)


class Module(nn.Module):
    """(B, n_in, F, T) to (B, n_out, F, T), n_out at least 8 (Szegedy et al. 2016, figure 5).

    A quarter of n_out is 1 x 1, three eighths 3 x 3, a quarter two 3 x 3, an eighth pooled: about the shares of inception 3a.
    """

    def __init__(self, n_in: int, n_out: int, act: str) -> None:
        super().__init__()
        single, double, pooled = (max(1, n_out // part) for part in (4, 4, 8))
        three = n_out - single - double - pooled
        narrow, narrower = max(1, n_out // 4), max(1, n_out // 8)
        self.one = conv_norm(Shape(n_in=n_in, n_out=single), act)
        self.three = nn.Sequential(
            conv_norm(Shape(n_in=n_in, n_out=narrow), act), conv_norm(Shape(n_in=narrow, n_out=three, kernel=3), act)
        )
        self.pair = nn.Sequential(
            conv_norm(Shape(n_in=n_in, n_out=narrower), act),
            conv_norm(Shape(n_in=narrower, n_out=double, kernel=3), act),
            conv_norm(Shape(n_in=double, n_out=double, kernel=3), act),
        )
        # The mean, as in the later Inception nets: on a GPU a maximum of overlapping windows has no order of summation.
        self.pooled = nn.Sequential(nn.AvgPool2d(3, 1, 1), conv_norm(Shape(n_in=n_in, n_out=pooled), act))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat((self.one(x), self.three(x), self.pair(x), self.pooled(x)), 1)


class Inception(nn.Module):
    """(B, C, size, size) to (B, K) logits."""

    def __init__(self, settings: ModelSettings, size: int, n_classes: int) -> None:
        super().__init__()
        act = settings.activation
        first, n_in = scale_channels(_FIRST, settings.width), scale_channels(_SECOND, settings.width)
        self.stem = nn.Sequential(
            stem(first, size, act, settings), nn.MaxPool2d(2), conv_norm(Shape(n_in=first, n_out=n_in, kernel=3), act)
        )  # (B, C, 16, 16)
        blocks: list[nn.Module] = []
        for stage, n_channels in enumerate(_CHANNELS):
            blocks += [nn.MaxPool2d(2)] if stage else []
            n_out = scale_channels(n_channels, settings.width)
            for _ in range(settings.depth):
                blocks.append(Module(n_in, n_out, act))
                n_in = n_out
        self.blocks = nn.Sequential(*blocks)  # (B, C, 8, 8)
        self.head = head(LastMap(n_channels=n_in, n_bins=8, n_frames=8), settings.dropout, n_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(self.blocks(self.stem(x)))
        return out
