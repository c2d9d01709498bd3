"""The baseline: a flattened picture through layers of 128 and 64 (the multilayer perceptron of Rumelhart et al. 1986).

It knows nothing of neighbourhoods, so a convolutional net that does not beat it has learnt nothing from its convolutions.
"""

from __future__ import annotations

import torch
from torch import nn

from cnn.models.blocks import Centre, activation, scale_channels
from cnn.settings.model import ModelSettings

_SIDE = 28  # 784 inputs
_HIDDEN = (128, 64, 32, 16)


class MLP(nn.Module):
    """(B, C, size, size) to (B, K) logits; a sound's picture is averaged down to 28 x 28, of others the margin is left out."""

    def __init__(self, settings: ModelSettings, size: int, n_classes: int) -> None:
        super().__init__()
        # No gradient flows into the picture, so this pooling's backward, which has no order of summation on a GPU, never runs.
        shrink = Centre(settings.side) if settings.side else nn.AdaptiveAvgPool2d(_SIDE)
        self.picture = nn.Sequential(shrink, nn.Flatten())
        layers: list[nn.Module] = []
        n_in = settings.n_channels * (settings.side or _SIDE) ** 2
        for n_hidden in _HIDDEN[: settings.depth]:
            n_out = scale_channels(n_hidden, settings.width)
            layers += [nn.Linear(n_in, n_out), activation(settings.activation)]
            n_in = n_out
        self.classifier = nn.Sequential(*layers, nn.Dropout(settings.dropout), nn.Linear(n_in, n_classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.classifier(self.picture(x))
        return out
