"""Layers that several nets share."""

from __future__ import annotations

import torch
from torch import nn

_ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "leaky_relu": nn.LeakyReLU}


def activation(name: str) -> nn.Module:
    """The activation of that name; all are monotonic, so each may follow a max pooling with the same result and less work."""
    return _ACTIVATIONS[name]()


def scaled(n_channels: int, width: float) -> int:
    """Channels of the paper times `width`, at least 1."""
    return max(1, round(n_channels * width))


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
