"""Model B, a small DenseNet-BC (Huang et al. 2017): each layer sees the maps of all layers before it in its block.

As in the paper: normalisation and activation before each convolution, bottlenecks of four times the growth rate, transitions
that halve the channels, and for larger pictures a stem of stride and max pooling. Against it: growth rate 16 with `depth`
layers in each of three blocks of 16 x 16, 8 x 8 and 4 x 4 cells, and a last pooling that keeps 2 x 4.
"""

from __future__ import annotations

import torch
from torch import nn

from cnn.models.blocks import FirstStage, LastMap, activation, count_input_channels, head
from cnn.settings.model import ModelSettings
from cnn.settings.stack import scale_channels

_GROWTH = 16
_N_BLOCKS = 3


class DenseLayer(nn.Module):
    """(B, C, F, T) to (B, C + growth, F, T): the input with the layer's own maps behind it."""

    def __init__(self, n_in: int, growth: int, act: str) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(n_in),
            activation(act),
            nn.Conv2d(n_in, 4 * growth, 1, bias=False),
            nn.BatchNorm2d(4 * growth),
            activation(act),
            nn.Conv2d(4 * growth, growth, 3, padding=1, bias=False),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat((x, self.body(x)), 1)


class DenseNet(nn.Module):
    """(B, C, size, size) to (B, K) logits; `depth` layers a block give 6 depth + 4 weighted layers."""

    def __init__(self, settings: ModelSettings, size: int, n_classes: int) -> None:
        super().__init__()
        act, growth = settings.activation, scale_channels(_GROWTH, settings.width)
        n = 2 * growth
        pooled = [nn.MaxPool2d(2)] if size > 32 else [nn.Identity()]
        self.stem = FirstStage(
            settings.sees, nn.Conv2d(count_input_channels(settings), n, 3, 2, 1, bias=False), *pooled
        )  # (B, C, 16, 16)
        layers: list[nn.Module] = []
        for block in range(_N_BLOCKS):
            if block:
                n_out = scale_channels(n, 0.5)
                layers += [nn.BatchNorm2d(n), activation(act), nn.Conv2d(n, n_out, 1, bias=False), nn.AvgPool2d(2)]
                n = n_out
            for _ in range(settings.depth):
                layers.append(DenseLayer(n, growth, act))
                n += growth
        self.blocks = nn.Sequential(*layers, nn.BatchNorm2d(n), activation(act))  # (B, C, 4, 4)
        self.head = head(LastMap(n_channels=n, n_bins=4, n_frames=4), settings.dropout, n_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(self.blocks(self.stem(x)))
        return out
