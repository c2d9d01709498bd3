"""Model A, after LeNet-5 (LeCun et al. 1998, figure 2): convolutions of 5 x 5, pooling, then 120, 84 and the classes.

Against the paper: max pooling for trained subsampling, batch normalisation (Ioffe and Szegedy 2015), full connection
between maps, softmax for radial units, twice the maps and the picture's differences beside it by default, numbers of maps
rounded up to multiples of eight (6 become 8, twice 6 become 16), and a depth of 2 to 4 stages; the 120 maps of C5 are a
linear layer, which is the same for the paper's 32 x 32 pictures.
"""

from __future__ import annotations

import torch
from torch import nn

from cnn.models.blocks import FirstStage, activation, count_input_channels
from cnn.settings.model import ModelSettings
from cnn.settings.stack import scale_channels

_CHANNELS = (6, 16, 32, 64)
_HIDDEN = (120, 84)


class LeNet5(nn.Module):
    """(B, C, size, size) to (B, K) logits."""

    def __init__(self, settings: ModelSettings, size: int, n_classes: int) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        n_in = count_input_channels(settings)
        for number, n_channels in enumerate(_CHANNELS[: settings.depth]):
            n_out = scale_channels(n_channels, settings.width)
            # The paper's two stages need no padding; with more, the later ones would have no cells left.
            padding = 0 if number == 0 else 2 * (settings.depth > 2)
            stages += [nn.Conv2d(n_in, n_out, 5, padding=padding, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(n_out)]
            stages.append(activation(settings.activation))
            n_in = n_out
        self.features = FirstStage(settings.sees, *stages)
        with torch.no_grad():
            n_features = self.features.eval()(torch.zeros(1, settings.n_channels, size, size)).numel()
        self.features.train()
        self.classifier = nn.Sequential(
            nn.Flatten(),
            nn.Linear(n_features, _HIDDEN[0]),
            activation(settings.activation),
            nn.Linear(*_HIDDEN),
            activation(settings.activation),
            nn.Dropout(settings.dropout),
            nn.Linear(_HIDDEN[1], n_classes),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.classifier(self.features(x))
        return out
