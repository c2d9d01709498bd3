"""The front end: samples to tiles (centred log-mel spectrograms), and the bilateral filter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice

import numpy as np
import numpy.typing as npt
import torch
import torchaudio

from cnn.settings.tiles import TileSettings
from cnn.tiles.mel_scale import MEL_SCALE

FFT_BINS_PER_WINDOW = 2  # zero-padding: without it the lowest of 64 bands hold no bin of a 32 ms window
ENERGY_SHARE = 0.999  # share of the most energy that any window holds
_N_TOGETHER = 8  # clips: fewer pay for each call, the spectra of more leave the cache
LEAST_POWER = 1e-12  # floor of a cell's power: silence has a logarithm too

Samples = npt.NDArray[np.float32]
Tiles = npt.NDArray[np.uint8]


def compute_tile(samples: Samples, rate_hz: int, settings: TileSettings) -> Tiles:
    """Return the clip as (F, T) uint8: 255 at its loudest cell, 0 where it is `range_db` or more below.

    Args:
        samples: (S,) mono, at `rate_hz`; S at least 1.
    """
    tile: Tiles = compute_tiles([(samples, rate_hz)], settings)[0]
    return tile


def compute_tiles(clips: Iterable[tuple[Samples, int]], settings: TileSettings) -> Tiles:
    """Return the tiles (N, F, T), at two thirds of the cost of `compute_tile`, each independent of the others.

    Args:
        clips: at least one: its (S,) samples and their rate in Hz; a few are held at a time.
    """
    tiles: Tiles = compute_ranges(clips, settings, [settings.range_db])[0]
    return tiles


def compute_ranges(clips: Iterable[tuple[Samples, int]], settings: TileSettings, ranges_db: Sequence[float]) -> Tiles:
    """Return (len(ranges_db), N, F, T): the tiles of `compute_tiles` that are black at each of these ranges in dB."""
    parts = [np.stack([_quantise(bels, range_db) for range_db in ranges_db]) for bels in _compute_bels(clips, settings)]
    return np.concatenate(parts, axis=1)


def _compute_bels(clips: Iterable[tuple[Samples, int]], settings: TileSettings) -> Iterator[npt.NDArray[np.float32]]:
    """Yield (B, F, T) of a few clips at a time: bels below each clip's loudest cell."""
    clips = iter(clips)
    while waves := [_resample(samples, rate_hz, settings) for samples, rate_hz in islice(clips, _N_TOGETHER)]:
        centred = np.zeros((len(waves), round(settings.length_s * settings.rate_hz)), dtype=np.float32)
        for wave, row in zip(waves, centred, strict=True):
            _centre(wave, row)
        # In place and in numpy: for so small a picture a new torch array costs more than the arithmetic.
        power = _mel_power(torch.from_numpy(centred), settings)
        grey = power.reshape(len(power), -1)  # (B, F*T)
        np.log10(np.maximum(grey, LEAST_POWER, out=grey), out=grey)
        grey -= grey.max(axis=1, keepdims=True)
        yield power


def _quantise(bels: npt.NDArray[np.float32], range_db: float) -> Tiles:
    """Return (B, F, T) uint8 of bels below the loudest cell."""
    grey = bels * (10 * 255 / range_db)
    grey += 255
    tiles: Tiles = np.rint(np.maximum(grey, 0, out=grey), out=grey).astype(np.uint8)
    return tiles


def _resample(samples: Samples, rate_hz: int, settings: TileSettings) -> Samples:
    wave = np.ascontiguousarray(samples, dtype=np.float32)
    if rate_hz != settings.rate_hz:
        wave = resampler(rate_hz, settings.rate_hz)(torch.from_numpy(wave)).numpy()
    return wave


def _centre(wave: Samples, row: Samples) -> None:
    """Write as many samples as `row`, of zeros, has room for: those that hold the sound (or most), half its energy either side.

    They may begin before the wave and end after it, in silence.
    """
    n, n_samples = len(wave), len(row)
    energy = np.empty(n + 1)  # energy of all samples before each
    energy[0] = 0
    np.square(wave, out=energy[1:], dtype=np.float64)
    torch.from_numpy(energy).cumsum_(0)  # numpy's takes three times as long
    most = energy[n] if n <= n_samples else (energy[n_samples:] - energy[:-n_samples]).max()
    start = int(energy.searchsorted(energy[n] / 2)) - n_samples // 2
    if energy[min(start + n_samples, n)] - energy[max(start, 0)] < ENERGY_SHARE * most:
        starts = np.arange(-n_samples, n + 1)
        held = energy[(starts + n_samples).clip(max=n)] - energy[starts.clip(min=0)]
        starts = starts[held >= ENERGY_SHARE * most]
        start = int(starts[np.abs(starts - start).argmin()])
    part = wave[max(start, 0) : start + n_samples]
    first = max(-start, 0)
    row[first : first + len(part)] = part


def _mel_power(waves: torch.Tensor, settings: TileSettings) -> npt.NDArray[np.float32]:
    """Return the mel spectrogram (B, F, T) of (B, S): torchaudio's, at less than half of its cost."""
    window, bands = constants(settings)
    hop = waves.shape[1] // settings.size  # rounded up, there would be a frame too few
    spectrum = torch.stft(waves, FFT_BINS_PER_WINDOW * len(window), hop, len(window), window, return_complex=True)
    squares = torch.view_as_real(spectrum[..., : settings.size]).square_()  # (B, R, T, 2), real and imaginary part
    # torch multiplies, since numpy's BLAS starts threads of its own, which spin in every process that makes tiles.
    power: npt.NDArray[np.float32] = torch.matmul(bands, squares[..., 0] + squares[..., 1]).numpy()
    return power


@lru_cache(maxsize=8)
def constants(settings: TileSettings) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the window (S,) and the mel filter bank (F, R): weights of Fourier bins by band."""
    n_window = round(settings.window_s * settings.rate_hz)
    bands = torchaudio.functional.melscale_fbanks(
        n_freqs=FFT_BINS_PER_WINDOW * n_window // 2 + 1,
        f_min=settings.f_min_hz,
        f_max=settings.f_max_hz,
        n_mels=settings.size,
        sample_rate=settings.rate_hz,
        mel_scale=MEL_SCALE,
    )
    return torch.hann_window(n_window), bands.T.contiguous()


@lru_cache(maxsize=8)
def resampler(from_hz: int, to_hz: int) -> torchaudio.transforms.Resample:
    """Return the resampler of (..., S) from one rate to the other."""
    return torchaudio.transforms.Resample(from_hz, to_hz, lowpass_filter_width=16)


def bilateral(tile: Tiles, settings: TileSettings) -> Tiles:
    """Smooth the tile (F, T) but not its edges: a bilateral filter (Tomasi and Manduchi 1998)."""
    smooth: Tiles = smooth_tiles(tile[None], settings)[0]
    return smooth


def smooth_tiles(tiles: Tiles, settings: TileSettings, times: float = 1) -> Tiles:
    """Return the tiles (N, F, T) or (N, F, T, C), of so many times the range, each filtered by `bilateral`."""
    import cv2  # late: to predict with a net on raw tiles needs none

    sigmas = settings.bilateral_sigma_color / times, settings.bilateral_sigma_space
    filtered = np.empty(tiles.shape, dtype=np.uint8)
    for tile, smooth in zip(tiles, filtered, strict=True):
        cv2.bilateralFilter(tile, settings.bilateral_diameter, *sigmas, dst=smooth)  # a new array each costs a fifth more
    return filtered
