"""Model B, after BC-ResNet (Kim et al. 2021, broadcasted residual learning for keyword spotting).

A block filters along frequency in two dimensions, then means over frequency, filters along time in one dimension, and adds
the result back to every mel bin. Sub-spectral normalisation (Chang et al. 2021) gives each band of the picture its own scale.
Against the paper: width 1 is its BC-ResNet-2; 4 sub-bands for 5; a stem as the other nets here, which brings 64 x 64 cells to
32 x 32; dropout once, before the last layer; and the last pooling keeps 4 cells of time.
"""

from __future__ import annotations

import torch
from torch import nn

from cnn.models.blocks import LastMap, Shape, activation, conv_norm, head, stem
from cnn.settings.model import ModelSettings
from cnn.settings.stack import scale_channels

_STEM, _LAST = 32, 64
_CHANNELS = (16, 24, 32, 40)
_STRIDES = (1, 2, 2, 1)  # along mel bins
_DILATIONS = (1, 2, 4, 8)  # along frames
_N_DEEPER = (1, 1, 2, 2)  # times depth, blocks a stage
_N_BANDS = 4


class SubSpectralNorm(nn.Module):
    """Batch normalisation of each of 4 bands of mel bins by itself."""

    def __init__(self, n_channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(n_channels * _N_BANDS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        b, c, f, t = x.shape
        out: torch.Tensor = self.norm(x.reshape(b, c * _N_BANDS, f // _N_BANDS, t))
        return out.reshape(b, c, f, t)


class BroadcastBlock(nn.Module):
    """Figure 2 of the paper: (b) where the shape stays, (a) with a 1 x 1 in front and no shortcut where it changes."""

    def __init__(self, shape: Shape, dilation: int, act: str) -> None:
        super().__init__()
        n = shape.n_out
        self.has_shortcut = shape.n_in == n and shape.stride == 1
        first = [] if self.has_shortcut else [conv_norm(Shape(n_in=shape.n_in, n_out=n), "relu")]
        self.over_bins = nn.Sequential(
            *first,
            nn.Conv2d(n, n, (3, 1), (shape.stride, 1), (1, 0), groups=n, bias=False),
            SubSpectralNorm(n),
        )
        self.over_frames = nn.Sequential(
            nn.Conv2d(n, n, (1, 3), padding=(0, dilation), dilation=(1, dilation), groups=n, bias=False),
            nn.BatchNorm2d(n),
            activation(act),
            nn.Conv2d(n, n, 1, bias=False),
        )
        self.act = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bins = self.over_bins(x)  # (B, C, F, T)
        frames = self.over_frames(bins.mean(2, keepdim=True))  # (B, C, 1, T)
        out: torch.Tensor = self.act(x + bins + frames if self.has_shortcut else bins + frames)
        return out


class BCResNet(nn.Module):
    """(B, C, size, size) to (B, K) logits."""

    def __init__(self, settings: ModelSettings, size: int, n_classes: int) -> None:
        super().__init__()
        n_in, last = scale_channels(_STEM, settings.width), scale_channels(_LAST, settings.width)
        self.stem = stem(n_in, size, "relu", settings)  # (B, C, 32, 32)
        blocks: list[nn.Module] = []
        for stage, n_channels in enumerate(_CHANNELS):
            n_out = scale_channels(n_channels, settings.width)
            for number in range(settings.depth * _N_DEEPER[stage]):
                shape = Shape(n_in=n_in, n_out=n_out, stride=1 if number else _STRIDES[stage])
                blocks.append(BroadcastBlock(shape, _DILATIONS[stage], settings.activation))
                n_in = n_out
        self.blocks = nn.Sequential(*blocks)  # (B, C, 8, 32)
        self.last = nn.Sequential(
            nn.Conv2d(n_in, n_in, 5, padding=(0, 2), groups=n_in, bias=False),  # (B, C, 4, 32)
            nn.BatchNorm2d(n_in),
            conv_norm(Shape(n_in=n_in, n_out=last), "relu"),
        )
        self.head = head(LastMap(n_channels=last, n_bins=4, n_frames=32), settings.dropout, n_classes, (1, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.head(self.last(self.blocks(self.stem(x))))
        return out
