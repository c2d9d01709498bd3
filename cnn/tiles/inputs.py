"""Tiles as inputs of a net: normalised, augmented, and seen from aside. B batch, C channels, F mel bins, T frames, V views."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch.nn import functional as F

from cnn.config import RunConfig
from cnn.errors import ConfigError
from cnn.settings.data import DataSettings
from cnn.tiles.augment import Augment, Changes, SoundAugment
from cnn.tiles.picture_augment import PictureAugment

_SHIFT = 2 / 64  # share of the picture's width, from one view to the next
_LEAST_SPREAD = 1e-3  # levels of 0..1: a channel or a tile of one level alone has no spread


class Inputs:
    """The way from (B, C, F, T) uint8 to a net's inputs (B, C, F, T) float32, channels last."""

    def __init__(self, configs: Sequence[RunConfig]) -> None:
        """`configs` has one for each of M nets trained together; they differ in strengths of augmentation alone.

        Raises:
            ConfigError: `train.normalise=corpus` of tiles whose levels nobody has counted.
        """
        first = configs[0]
        self.augment = make_augment(configs) if first.augmented else None
        self._normalise: Callable[[torch.Tensor], torch.Tensor] = Normalise(first.train.normalise, first.data)
        if first.model.is_autoencoder:  # whose input is its target, in 0..1
            self._normalise = _keep_levels
        self._n_aside = first.train.side_views
        self._fill = "constant" if first.data.is_sound else "replicate"

    def plain(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return the pictures as they are scored, the middle view alone."""
        return to_input(self._normalise(pictures.float().div_(255)))

    def augmented(self, pictures: torch.Tensor, changes: Changes) -> torch.Tensor:
        """Return the pictures under changes that `augment` has drawn."""
        assert self.augment is not None
        return to_input(self.augment.mask(self._normalise(self.augment.warp(pictures, changes)), changes))

    def views(self, levels: torch.Tensor) -> list[torch.Tensor]:
        """Return V = 2 `train.side_views` + 1 inputs of (B, C, F, T) in 0..1, shifted early to late.

        Silence fills the gap beside a sound, and the picture's edge that beside a picture.
        """
        step = round(_SHIFT * levels.shape[3])
        shifts = (step * number for number in range(-self._n_aside, self._n_aside + 1))
        return [to_input(self._normalise(self._shift(levels, n_frames))) for n_frames in shifts]

    def _shift(self, levels: torch.Tensor, n_frames: int) -> torch.Tensor:
        if not n_frames:
            return levels
        part = levels[..., :-n_frames] if n_frames > 0 else levels[..., -n_frames:]
        return F.pad(part, (max(n_frames, 0), max(-n_frames, 0), 0, 0), mode=self._fill)


def _keep_levels(levels: torch.Tensor) -> torch.Tensor:
    return levels


def make_augment(configs: Sequence[RunConfig]) -> Augment:
    """Return the augmentation of the kind of data that the configurations share."""
    settings, tiles = [config.augment for config in configs], configs[0].tiles
    return SoundAugment(settings, tiles) if configs[0].data.is_sound else PictureAugment(settings, tiles.size)


class Normalise:
    """The scaling of `train.normalise`, of (B, C, F, T) in 0..1: bands, corpus, unit or none."""

    def __init__(self, name: str, data: DataSettings) -> None:
        """Raises ConfigError: `corpus`, and nobody has counted the levels of these tiles."""
        self._name = name
        if name == "corpus":
            if not data.mean:
                raise ConfigError(
                    "train.normalise=corpus takes the mean and the spread of all tiles, which these do not say: "
                    "type `arena data prepare` again, which writes them, or choose train.normalise=bands"
                )
            self._mean = torch.tensor(data.mean).view(-1, 1, 1)  # (C, 1, 1)
            self._spread = torch.tensor(data.spread).view(-1, 1, 1).clamp_min(_LEAST_SPREAD)

    def __call__(self, levels: torch.Tensor) -> torch.Tensor:
        if self._name == "bands":
            return normalise_bands(levels)
        if self._name == "unit":
            return levels
        if self._name == "none":
            return levels * 255
        scaled: torch.Tensor = (levels - self._mean.to(levels.device)).div_(self._spread.to(levels.device))
        return scaled


def normalise_bands(levels: torch.Tensor) -> torch.Tensor:
    """Subtract each row's mean from (B, C, F, T), of a sound a microphone's colour, and scale clips to spread 1."""
    rows = levels.flatten(1, 2)  # (B, C F, T)
    centred = rows - rows.mean(2, keepdim=True)  # each whole clip has mean 0 too
    # Five times as fast as torch's std (one thread, torch 2.11, 2026-11).
    spread = torch.linalg.vector_norm(centred, dim=(1, 2), keepdim=True) / math.sqrt(rows[0].numel() - 1)
    scaled: torch.Tensor = centred.div_(spread.clamp_min(_LEAST_SPREAD))
    return scaled.view(levels.shape)


def to_input(batch: torch.Tensor) -> torch.Tensor:
    """Return (B, C, F, T) channels last.

    Convolution and pooling on a CPU are 1.4 to 1.7 times faster so (LeNet-5, one thread, 2026-11).
    """
    return batch.contiguous(memory_format=torch.channels_last)


def to_channels(pictures: torch.Tensor) -> torch.Tensor:
    """Return (N, C, F, T) of an array of tiles, (N, F, T) or (N, 3, F, T)."""
    return pictures.unsqueeze(1) if pictures.dim() == 3 else pictures
