"""A convolutional autoencoder: a picture through a narrow layer of `model.latent` numbers and back (Hinton and Salakhutdinov
2006). Its last layer is a sigmoid, since the cells of a tile lie in 0..1.

B batch, C channels, L latent numbers.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from cnn.models.blocks import Shape, activation, conv_norm
from cnn.settings.model import ModelSettings
from cnn.settings.stack import scale_channels

_CHANNELS = (16, 32, 64, 64)


class Autoencoder(nn.Module):
    """(B, C, size, size) in 0..1 to the same shape in 0..1. It has no classes: `n_classes` is not read."""

    def __init__(self, settings: ModelSettings, size: int, n_classes: int) -> None:
        super().__init__()
        widths = [scale_channels(n, settings.width) for n in _CHANNELS[: settings.depth]]
        side, act = size >> settings.depth, settings.activation
        n_cells = widths[-1] * side * side
        stages = [
            conv_norm(Shape(n_in=n_in, n_out=n_out, kernel=3, stride=2), act)
            for n_in, n_out in zip([settings.n_channels, *widths], widths, strict=False)
        ]
        self.encoder = nn.Sequential(*stages, nn.Flatten(), nn.Linear(n_cells, settings.latent))
        # Enlarged, then convolved: a transposed convolution draws a chessboard (Odena, Dumoulin and Olah 2016).
        ways = zip(widths[::-1], [*widths[-2::-1], widths[0]], strict=True)
        doubled = [
            layer
            for n_in, n_out in ways
            for layer in (nn.Upsample(scale_factor=2), conv_norm(Shape(n_in=n_in, n_out=n_out, kernel=3), act))
        ]
        self.decoder = nn.Sequential(
            nn.Linear(settings.latent, n_cells),
            activation(act),
            nn.Unflatten(1, (widths[-1], side, side)),
            *doubled,
            nn.Conv2d(widths[0], settings.n_channels, 3, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.decoder(self.encoder(x))
        return out


def corrupt(tiles: torch.Tensor, settings: ModelSettings, generator: torch.Generator) -> torch.Tensor:
    """Return (B, C, F, T) in 0..1 as `model.input` wants it: as it is, with Gaussian noise, or of half its size, enlarged.

    A net that is given noise learns to take it away (Vincent et al. 2008), and one that is given half the size to enlarge.
    Noise is drawn where the generator is, whatever the device of the tiles.
    """
    if settings.input == "noisy":
        noise = torch.randn(tiles.shape, generator=generator, device=generator.device).to(tiles.device)
        return (tiles + settings.noise * noise).clamp(0, 1)
    return F.interpolate(halve(tiles), scale_factor=2.0) if settings.input == "half" else tiles


def halve(tiles: torch.Tensor) -> torch.Tensor:
    """Return (B, C, F / 2, T / 2): means of 2 x 2 cells."""
    return F.avg_pool2d(tiles, 2)
