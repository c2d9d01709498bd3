"""The baseline: a flattened picture through layers of 128 and 64 (the multilayer perceptron of Rumelhart et al. 1986).

It knows nothing of neighbourhoods, so a convolutional net that does not beat it has learnt nothing from its convolutions.
Without a hidden layer it is logistic regression, and under `train.loss=hinge` a perceptron with margins.
"""

from __future__ import annotations

import torch
from torch import nn

from cnn.models.blocks import activation
from cnn.nets import NETS
from cnn.settings.model import ModelSettings
from cnn.settings.stack import scale_channels

SIDE = 28  # 784 inputs of a tile of sound


class MLP(nn.Module):
    """(B, C, size, size) to (B, K) logits."""

    def __init__(self, settings: ModelSettings, size: int, n_classes: int) -> None:
        super().__init__()
        self.picture = flatten_picture(settings, size)
        layers: list[nn.Module] = []
        n_in = count_inputs(settings)
        for n_out in choose_widths(settings):
            layers += [nn.Linear(n_in, n_out), activation(settings.activation)]
            n_in = n_out
        self.classifier = nn.Sequential(*layers, nn.Dropout(settings.dropout), nn.Linear(n_in, n_classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.classifier(self.picture(x))
        return out


def choose_widths(settings: ModelSettings) -> tuple[int, ...]:
    """Return the widths of the hidden layers: those of `model.hidden`, or as many of our own as `model.depth` says."""
    widths = NETS["mlp" if settings.is_plugin else settings.name].hidden  # a net of one's own may be derived from this one
    return settings.hidden_widths or tuple(scale_channels(n, settings.width) for n in widths[: settings.depth])


def count_inputs(settings: ModelSettings) -> int:
    """Return the numbers that `flatten_picture` gives: 784 of sound and of MNIST, 3,072 of CIFAR-10."""
    return settings.n_channels * (settings.side or SIDE) ** 2


def flatten_picture(settings: ModelSettings, size: int) -> nn.Sequential:
    """Return layers (B, C, size, size) to (B, n): a picture without its tile's margin, or sound averaged down to 28 x 28.

    No gradient flows into the picture, so this pooling's backward, which has no order of summation on a GPU, never runs.
    """
    return nn.Sequential(_Centre(settings.side, size) if settings.side else nn.AdaptiveAvgPool2d(SIDE), nn.Flatten())


class _Centre(nn.Module):
    def __init__(self, side: int, size: int) -> None:
        super().__init__()
        start = (size - side) // 2
        self._cells = slice(start, start + side)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :, self._cells, self._cells]
