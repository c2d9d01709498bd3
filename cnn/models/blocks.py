"""Layers that several nets share. B batch, C channels, F mel bins, T frames."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from cnn.settings.model import ModelSettings

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "leaky_relu": nn.LeakyReLU,
    "relu6": nn.ReLU6,
    "silu": nn.SiLU,
    "sigmoid": nn.Sigmoid,
    "elu": nn.ELU,
    "gelu": nn.GELU,
}
_PART_BYTES = 2_500_000  # share of the map that a first stage holds at a time; 1 to 5 MB are alike (L2 of 1 MB, L3 of 32 MB)
LAST_CELLS = (2, 4)  # mel bins, frames: pooling all of time into one cell throws away the order of the sounds


def activation(name: str) -> nn.Module:
    """Return the activation of that name; but for silu and gelu they are monotonic: the same after a pooling for less work."""
    return _ACTIVATIONS[name]()


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """Shape of a convolution, padded so that a stride of 1 keeps F and T."""

    n_in: int
    n_out: int
    kernel: int = 1
    stride: int = 1
    groups: int = 1


def conv_norm(shape: Shape, act: str = "") -> nn.Sequential:
    """A convolution without bias, batch normalisation (Ioffe and Szegedy 2015), and the activation where one is named."""
    layers = [
        nn.Conv2d(shape.n_in, shape.n_out, shape.kernel, shape.stride, shape.kernel // 2, groups=shape.groups, bias=False),
        nn.BatchNorm2d(shape.n_out),
    ]
    return nn.Sequential(*layers, activation(act)) if act else nn.Sequential(*layers)


class Differences(nn.Module):
    """(B, 1, F, T) to (B, 3, F, T): the picture, and how it changes along time and along frequency (central differences).

    What Furui (1986) adds to a spectrum for recognition. A convolution could learn them; given them, it hears unknown
    speakers better (docs/explanation/experiments.md).
    """

    memory_format = torch.channels_last  # `stack_nets` sets another: maps of stacked nets stand side by side

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        along_time = F.pad(x[:, :, :, 2:] - x[:, :, :, :-2], (1, 1))
        along_frequency = F.pad(x[:, :, 2:] - x[:, :, :-2], (0, 0, 1, 1))
        out: torch.Tensor = torch.cat((x, along_time, along_frequency), 1).contiguous(memory_format=self.memory_format)
        return out


class FirstStage(nn.Sequential):
    """Layers that begin with a convolution of what `sees` gives of the picture, and most often its pooling.

    Up to the pooling they are computed for a few clips at a time on a CPU: their map is the largest of a net, 33 MB for 64
    clips of 64 x 64 and 32 maps, and is made, pooled and forgotten within the cache.
    """

    def __init__(self, sees: str, *layers: nn.Module) -> None:
        """The convolution comes first, and takes as many channels as `count_input_channels` says."""
        differences = [Differences()] if sees == "differences" else []
        super().__init__(*differences, *layers)
        self._at = len(differences)  # index of the convolution

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        layers = list(self)
        n_first = self._at + 2
        n_parts = self._n_parts(x)
        if n_parts > 1:
            x = torch.cat([_through(layers[:n_first], part) for part in x.chunk(n_parts)])
            layers = layers[n_first:]
        return _through(layers, x)

    def _n_parts(self, x: torch.Tensor) -> int:
        convolution, pooling = self[self._at], self[self._at + 1]
        if not isinstance(convolution, nn.Conv2d) or not isinstance(pooling, nn.MaxPool2d):  # stacked, or nothing to pool
            return 1
        if x.device.type != "cpu" or torch.compiler.is_exporting():  # there a batch has no size yet
            return 1
        return round(x.numel() * x.element_size() * convolution.out_channels / _PART_BYTES)


def _through(layers: Iterable[nn.Module], x: torch.Tensor) -> torch.Tensor:
    for layer in layers:
        x = layer(x)
    return x


def count_input_channels(settings: ModelSettings) -> int:
    """Return how many channels a first stage gives to its convolution."""
    return 3 if settings.sees == "differences" else settings.n_channels


def stem(n_out: int, size: int, act: str, settings: ModelSettings) -> nn.Sequential:
    """(B, C, size, size) to (B, n_out, 32, 32): 5 x 5 cells seen at every place, the strongest of 2 x 2 kept at size 64.

    A stride of 2 instead cost two points of macro-F1 on speakers never heard (docs/explanation/experiments.md).
    """
    pooling = [nn.MaxPool2d(size // 32)] if size > 32 else []
    convolution = nn.Conv2d(count_input_channels(settings), n_out, 5, padding=2, bias=False)
    return FirstStage(settings.sees, convolution, *pooling, nn.BatchNorm2d(n_out), activation(act))


def average_answers(logits: torch.Tensor) -> torch.Tensor:
    """Return (B, K), the logarithm of the mean probabilities of several answers to each clip, from logits (n, B, K)."""
    return logits.log_softmax(2).logsumexp(0) - math.log(len(logits))


@dataclass(frozen=True, kw_only=True, slots=True)
class LastMap:
    """The feature map that a head gets, (B, C, F, T)."""

    n_channels: int
    n_bins: int
    n_frames: int


def head(last: LastMap, dropout: float, n_classes: int, cells: tuple[int, int] = LAST_CELLS) -> nn.Sequential:
    """Mean over the parts of a map that `cells` divides it into, then (B, K) logits.

    The windows have one size, which divides the map: adaptive pooling gives the same, and no order of summation on a GPU.
    """
    return nn.Sequential(
        nn.AvgPool2d((last.n_bins // cells[0], last.n_frames // cells[1])),
        nn.Flatten(),
        nn.Dropout(dropout),
        nn.Linear(last.n_channels * cells[0] * cells[1], n_classes),
    )


class Residual(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut (He et al. 2016, figure 2; 1 x 1 projection where the shape changes)."""

    def __init__(self, n_in: int, n_out: int, stride: int, act: str) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False),
            nn.BatchNorm2d(n_out),
            activation(act),
            nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False),
            nn.BatchNorm2d(n_out),
        )
        same = n_in == n_out and stride == 1
        self.shortcut = (
            nn.Identity() if same else nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out))
        )
        self.act = activation(act)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.act(self.body(x) + self.shortcut(x))
        return out


class SqueezeExcite(nn.Module):
    """Each channel times a weight in 0..1 that the means of all channels decide (Hu et al. 2018)."""

    def __init__(self, n_channels: int, n_squeezed: int, act: str) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.Conv2d(n_channels, n_squeezed, 1), activation(act), nn.Conv2d(n_squeezed, n_channels, 1), nn.Sigmoid()
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = x * self.gate(x.mean((2, 3), keepdim=True))  # (B, C, 1, 1)
        return out


class InvertedResidual(nn.Module):
    """Widen by 1 x 1, filter each channel, narrow by 1 x 1 without activation (Sandler et al. 2018, figure 3d).

    With `squeezed` channels a squeeze-excite stands before the narrowing: the MBConv of Tan and Le 2019.
    """

    def __init__(self, shape: Shape, expansion: int, act: str, squeezed: int = 0) -> None:
        super().__init__()
        n_wide = shape.n_in * expansion
        layers: list[nn.Module] = [conv_norm(Shape(n_in=shape.n_in, n_out=n_wide), act)] if expansion > 1 else []
        layers.append(conv_norm(Shape(n_in=n_wide, n_out=n_wide, kernel=shape.kernel, stride=shape.stride, groups=n_wide), act))
        if squeezed:
            layers.append(SqueezeExcite(n_wide, squeezed, act))
        layers.append(conv_norm(Shape(n_in=n_wide, n_out=shape.n_out)))
        self.body = nn.Sequential(*layers)
        self.has_shortcut = shape.stride == 1 and shape.n_in == shape.n_out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.body(x)
        return x + out if self.has_shortcut else out
