"""Augmentation of whole batches of tiles, drawn anew for every clip. B batch, F mel bins, T frames."""

from __future__ import annotations

import torch

from cnn.config import AugmentSettings, TileSettings

_FULL_SIZE = 64  # widths and shifts are given for tiles of this size


class Augment:
    """Shift, gain, noise floor, then time and frequency masks (SpecAugment, Park et al. 2019), each clip with its own draw."""

    def __init__(self, settings: AugmentSettings, tiles: TileSettings) -> None:
        self._settings = settings
        self._range_db = tiles.range_db
        self._scale = tiles.size / _FULL_SIZE

    def levels(self, grey: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """(B, F, T) in 0..1, 1 the loudest: moved in time, louder or quieter, with a random noise floor."""
        s = self._settings
        grey = _shifted(grey, round(s.shift * self._scale), generator)
        decibels = (grey - 1) * self._range_db
        decibels = decibels + s.gain_db * (2 * _uniform(grey, 1, generator) - 1)
        return _with_noise(decibels, s.noise_db, self._range_db, generator).div(self._range_db).add(1).clamp(0, 1)

    def masks(self, batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """(B, F, T) normalised to mean 0: bands of rows and columns set to 0, the mean."""
        s = self._settings
        for axis, n_masks, width in ((1, s.freq_masks, s.freq_width), (2, s.time_masks, s.time_width)):
            for _ in range(n_masks):
                batch = _masked(batch, axis, width * self._scale, generator)
        return batch


def _shifted(grey: torch.Tensor, most: int, generator: torch.Generator) -> torch.Tensor:
    if most == 0:
        return grey
    n_frames = grey.shape[2]
    padded = torch.nn.functional.pad(grey, (most, most))  # (B, F, T + 2 most), silence either side
    start = torch.randint(0, 2 * most + 1, (len(grey), 1), generator=generator, device=grey.device)
    columns = start + torch.arange(n_frames, device=grey.device)  # (B, T)
    return padded.gather(2, columns[:, None, :].expand(-1, grey.shape[1], -1))


def _with_noise(decibels: torch.Tensor, loudest_db: float, range_db: float, generator: torch.Generator) -> torch.Tensor:
    """Powers add: the clip, and noise of one level a clip, exponentially spread as the power of Gaussian noise is."""
    if loudest_db >= range_db:
        return decibels
    level = -loudest_db - 1.5 * (range_db - loudest_db) * _uniform(decibels, 1, generator)  # a third lies below the range
    spread = torch.empty_like(decibels).exponential_(generator=generator)
    clip = torch.exp2(decibels * _DB_TO_LOG2)
    return torch.log2(clip + torch.exp2(level * _DB_TO_LOG2) * spread) / _DB_TO_LOG2


_DB_TO_LOG2 = 0.33219280948873626  # log2(10) / 10


def _masked(batch: torch.Tensor, axis: int, width: float, generator: torch.Generator) -> torch.Tensor:
    size = batch.shape[axis]
    widths = _uniform(batch, width, generator)  # (B, 1, 1)
    starts = _uniform(batch, 1, generator) * (size - widths)
    shape = [1, 1, 1]
    shape[axis] = size
    places = torch.arange(size, device=batch.device).view(shape)
    return batch.masked_fill((places >= starts) & (places < starts + widths), 0.0)


def _uniform(like: torch.Tensor, high: float, generator: torch.Generator) -> torch.Tensor:
    return high * torch.rand((len(like), 1, 1), generator=generator, device=like.device)
