"""The front end: samples to tiles (centred log-mel spectrograms), and the bilateral filter."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import islice

import numpy as np
import numpy.typing as npt
import torch
import torchaudio

from cnn.settings.tiles import TileSettings
from cnn.tiles.mel_scale import MEL_SCALE


def bilateral(tile: npt.NDArray[np.uint8], settings: TileSettings) -> npt.NDArray[np.uint8]:
    """Smooth the tile (F, T) but not its edges: a bilateral filter (Tomasi and Manduchi 1998)."""
    import cv2  # late: raw tiles need none

    filtered: npt.NDArray[np.uint8] = cv2.bilateralFilter(
        tile, settings.bilateral_diameter, settings.bilateral_sigma_color, settings.bilateral_sigma_space
    ).astype(np.uint8, copy=False)
    return filtered


FFT_BINS_PER_WINDOW = 2  # zero-padding: without it the lowest of 64 bands hold no bin of a 32 ms window
ENERGY_SHARE = 0.999  # share of the most energy that any window holds
_N_TOGETHER = 8  # clips: fewer pay for each call, the spectra of more leave the cache
LEAST_POWER = 1e-12  # floor of a cell's power: silence has a logarithm too

Samples = npt.NDArray[np.float32]


def compute_tile(samples: Samples, rate_hz: int, settings: TileSettings) -> npt.NDArray[np.uint8]:
    """Return the clip as (F, T) uint8: 255 at its loudest cell, 0 where it is `range_db` or more below.

    Args:
        samples: (S,) mono, at `rate_hz`; S at least 1.
    """
    tile: npt.NDArray[np.uint8] = compute_tiles([(samples, rate_hz)], settings)[0]
    return tile


def compute_tiles(clips: Iterable[tuple[Samples, int]], settings: TileSettings) -> npt.NDArray[np.uint8]:
    """Return the tiles (N, F, T), at two thirds of the cost of `compute_tile`, each independent of the others.

    Args:
        clips: at least one: its (S,) samples and their rate in Hz; a few are held at a time.
    """
    clips, tiles = iter(clips), []
    while waves := [_cut_wave(samples, rate_hz, settings) for samples, rate_hz in islice(clips, _N_TOGETHER)]:
        # In place and in numpy: for so small a picture a new torch array costs more than the arithmetic.
        power = _mel_power(torch.stack(waves), settings)
        grey = np.log10(np.maximum(power, LEAST_POWER, out=power), out=power)
        grey -= grey.max(axis=(1, 2), keepdims=True)
        grey *= 10 * 255 / settings.range_db
        grey += 255
        tiles.append(np.rint(grey.clip(min=0, out=grey), out=grey).astype(np.uint8))
    return np.concatenate(tiles)


def _cut_wave(samples: Samples, rate_hz: int, settings: TileSettings) -> torch.Tensor:
    """Return `length_s` around the clip's energy, (S,), at the rate of the tiles."""
    wave = torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32))
    if rate_hz != settings.rate_hz:
        wave = resampler(rate_hz, settings.rate_hz)(wave)
    return _centre(wave, round(settings.length_s * settings.rate_hz))


def _centre(wave: torch.Tensor, n_samples: int) -> torch.Tensor:
    """Return the `n_samples` that hold the sound (or most of a long one), half its energy either side.

    A window may begin before the wave and end after it, in silence.
    """
    n = len(wave)
    energy = np.zeros(n + 1)  # energy of all samples before each
    energy[1:] = wave.double().square_().cumsum(0).numpy()
    most = energy[n] if n <= n_samples else (energy[n_samples:] - energy[:-n_samples]).max()
    start = int(np.searchsorted(energy, energy[n] / 2)) - n_samples // 2
    if energy[min(start + n_samples, n)] - energy[max(start, 0)] < ENERGY_SHARE * most:
        starts = np.arange(-n_samples, n + 1)
        held = energy[(starts + n_samples).clip(max=n)] - energy[starts.clip(min=0)]
        starts = starts[held >= ENERGY_SHARE * most]
        start = int(starts[np.abs(starts - start).argmin()])
    centred = wave.new_zeros(n_samples)
    part = wave[max(start, 0) : start + n_samples]
    first = max(-start, 0)
    centred[first : first + len(part)] = part
    return centred


def _mel_power(waves: torch.Tensor, settings: TileSettings) -> npt.NDArray[np.float32]:
    """Return the mel spectrogram (B, F, T) of (B, S): torchaudio's, at less than half of its cost."""
    window, bands = constants(settings)
    hop = waves.shape[1] // settings.size  # rounded up, there would be a frame too few
    spectrum = torch.stft(waves, FFT_BINS_PER_WINDOW * len(window), hop, len(window), window, return_complex=True)
    squares = torch.view_as_real(spectrum[..., : settings.size]).square_()  # (B, R, T, 2), real and imaginary part
    energy = (squares[..., 0] + squares[..., 1]).numpy()
    power = np.empty((len(waves), settings.size, settings.size), dtype=np.float32)
    for clip, sums in zip(power, energy, strict=True):  # clip by clip: a larger product may add in another order
        np.matmul(bands.numpy(), sums, out=clip)
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
