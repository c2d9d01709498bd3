"""Augmentation of `cnn.tiles.augment` in the usual way: numpy, one clip at a time. F mel bins, T frames."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cnn.settings.augment import AugmentSettings
from cnn.settings.tiles import WIDE_TIMES, TileSettings

Picture = npt.NDArray[np.float32]
_FULL_SIZE = 64  # the settings' widths and shifts are for tiles of this size


class PlainAugment:
    """Warping of frequency and time by interpolation, a blur, a shift, a noise floor, a microphone, then masks."""

    def __init__(self, settings: AugmentSettings, tiles: TileSettings) -> None:
        self._settings, self._range_db, self._scale = settings, tiles.range_db, tiles.size / _FULL_SIZE
        self._times = WIDE_TIMES if settings.equaliser else 1  # ranges that the tiles show
        self._low, high, self._highest = _mel(tiles.f_min_hz), _mel(tiles.f_max_hz), tiles.f_max_hz
        self._mel_per_bin = (high - self._low) / (tiles.size - 1)
        self._hertz = 700 * (10 ** ((self._low + self._mel_per_bin * np.arange(tiles.size)) / 2595) - 1)

    def warp(self, grey: Picture, rng: np.random.Generator) -> Picture:
        """Return (F, T) in 0..1: scaled and blurred in frequency, scaled, shifted, with noise and another microphone."""
        s, n_frames = self._settings, grey.shape[1]
        hertz = _warped(self._hertz, np.exp(rng.uniform(-s.tract, s.tract)), self._highest)
        bins = (_mel(hertz) - self._low) / self._mel_per_bin + _bend(len(grey), s.tract_bend * self._scale, rng)
        grey = _rows_at(grey, bins.clip(0, len(grey) - 1))
        if s.blur and rng.random() < 0.5:
            grey = grey + np.float32(rng.random()) * (_average_rows(grey, round(s.blur * self._scale)) - grey)
        middle = (n_frames - 1) / 2
        frames = middle + (np.arange(n_frames) - middle) * np.exp(rng.uniform(-s.tempo, s.tempo))
        frames += rng.uniform(-s.shift, s.shift) * self._scale + _bend(n_frames, s.tempo_bend * self._scale, rng)
        grey = _rows_at(grey.T, frames).T
        quietest_db = s.noise_db + 1.5 * (self._range_db - s.noise_db)
        floor = 10 ** (rng.uniform(-quietest_db, -s.noise_db) / 10) * rng.standard_exponential(grey.shape, np.float32)
        bels = self._times * self._range_db / 10
        grey = np.clip(np.log10(10 ** ((grey - 1) * bels) + floor) / bels + 1, 0, 1)
        if s.equaliser and rng.random() < 0.5:
            grey = grey + self._draw_gain(len(grey), rng)[:, None]
        return np.clip((grey - grey.max()) * self._times + 1, 0, 1) if s.equaliser else grey

    def _draw_gain(self, n: int, rng: np.random.Generator) -> Picture:
        """Draw a tilt, a wave and a fall of the lowest bins: (F,) in ranges of the tiles."""
        bins = np.arange(n)
        gain = rng.uniform(-1, 1) * np.linspace(-1, 1, n) + _bend(n, 0.5, rng)
        gain -= rng.uniform(0, 2) * (1 - bins / max(rng.uniform(0, 0.3) * n, 1)).clip(0)
        return (gain * self._settings.equaliser / (self._times * self._range_db)).astype(np.float32)

    def mask(self, picture: Picture, rng: np.random.Generator) -> Picture:
        """Set random bands of rows and columns of (F, T), of mean 0, to 0, in place."""
        s = self._settings
        for rows, n_masks, width in ((picture, s.freq_masks, s.freq_width), (picture.T, s.time_masks, s.time_width)):
            for _ in range(n_masks):
                n = rng.uniform(0, width * self._scale)
                start = rng.uniform(0, len(rows) - n)
                rows[int(np.ceil(start)) : int(np.ceil(start + n))] = 0
        return picture


def normalise(grey: Picture) -> Picture:
    """Return one clip normalised as by `cnn.tiles.inputs.normalise_bands`."""
    centred = grey - grey.mean(1, keepdims=True)
    return centred / max(centred.std(ddof=1), 1e-3)


def _rows_at(picture: Picture, positions: npt.NDArray[np.float64]) -> Picture:
    """Return the rows at fractional `positions`, interpolated; outside the picture is silence."""
    padded = np.pad(picture, ((1, 1), (0, 0)))
    inside = (positions + 1).clip(0, len(picture) + 1)
    low = np.minimum(inside.astype(int), len(picture))
    share = (inside - low).astype(np.float32)[:, None]
    return padded[low] * (1 - share) + padded[low + 1] * share


def _average_rows(picture: Picture, n_aside: int) -> Picture:
    """Return the mean of each row and its neighbours up to `n_aside` away; at an edge of those there are."""
    return np.stack([picture[max(0, row - n_aside) : row + n_aside + 1].mean(0) for row in range(len(picture))])


def _warped(hertz, factor, highest):  # type: ignore[no-untyped-def]
    least = min(factor, 1) * 0.7 * highest
    bend = least / factor
    return np.where(hertz <= bend, hertz * factor, highest - (highest - least) / (highest - bend) * (highest - hertz))


def _bend(n: int, most: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    height, phase, waves = rng.uniform(0, most), rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.5)
    return height * np.sin(phase + waves * np.arange(n) * (2 * np.pi / n))


def _mel(hertz):  # type: ignore[no-untyped-def]
    return 2595 * np.log10(1 + hertz / 700)
