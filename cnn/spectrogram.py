"""A clip's samples as a log-mel picture. F mel bins (row 0 the lowest), T frames, S samples.

A clip is cut or padded around its energy, never stretched, and scaled against its own loudest cell alone.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import torch
import torchaudio

from cnn.config import TileSettings

_FFT_BINS_PER_WINDOW = 2  # zero-padding: without it the lowest of 64 bands hold no bin of a 32 ms window
_ALL_OF_IT = 0.999  # of the most energy that any window holds


def tile_of(samples: npt.NDArray[np.float32], rate_hz: int, settings: TileSettings) -> npt.NDArray[np.uint8]:
    """The clip as (F, T) uint8: 255 its loudest cell, 0 what lies `range_db` or further below.

    Args:
        samples: (S,) mono, at `rate_hz`; S at least 1.
    """
    wave = torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32))
    wave = torchaudio.functional.resample(wave, rate_hz, settings.rate_hz, lowpass_filter_width=16)
    wave = _centred(wave, round(settings.length_s * settings.rate_hz))
    power = _mel(settings)(wave)[:, : settings.size]  # (F, T)
    decibels = 10 * torch.log10(power.clamp_min(1e-12))
    grey = ((decibels - decibels.max()) / settings.range_db + 1).clamp(0, 1)
    tile: npt.NDArray[np.uint8] = (grey * 255).round().to(torch.uint8).numpy()
    return tile


def _centred(wave: torch.Tensor, n_samples: int) -> torch.Tensor:
    """Of all windows of `n_samples` that hold the sound (or the most of a long one), that with half its energy either side."""
    wave = torch.nn.functional.pad(wave, (n_samples, n_samples))
    energy = torch.cat([wave.new_zeros(1, dtype=torch.float64), wave.double().square().cumsum(0)])  # (S + 1,)
    held = energy[n_samples:] - energy[:-n_samples]  # by the window's start
    starts = torch.nonzero(held >= _ALL_OF_IT * held.max())[:, 0]
    middle = int(torch.searchsorted(energy, energy[-1] / 2))
    start = int(starts[(starts - (middle - n_samples // 2)).abs().argmin()])
    return wave[start : start + n_samples]


@lru_cache(maxsize=8)
def _mel(settings: TileSettings) -> torchaudio.transforms.MelSpectrogram:
    window = round(settings.window_s * settings.rate_hz)
    return torchaudio.transforms.MelSpectrogram(
        sample_rate=settings.rate_hz,
        n_fft=_FFT_BINS_PER_WINDOW * window,
        win_length=window,
        hop_length=round(settings.length_s * settings.rate_hz / settings.size),
        f_min=settings.f_min_hz,
        f_max=settings.f_max_hz,
        n_mels=settings.size,
    )
