"""Small spectrograms and sounds of clips for a page, made with numpy alone: a corpus card must not wait for torch.

S samples, F rows (row 0 the lowest), T frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arena.base.media import pcm16, resample, wav
from cnn.corpus.audio import Samples

N_ROWS = 88
LOWEST_HZ, HIGHEST_HZ = 60.0, 8000.0
RANGE_DB = 60.0
FRAMES_PER_S = 160
_WINDOW_S = 0.025

Picture = npt.NDArray[np.uint8]  # (F, T), 255 the clip's loudest cell


@dataclass(frozen=True, kw_only=True, slots=True)
class SpectrogramAxes:
    """Axes that all pictures share."""

    span_s: float
    highest_hz: float


def compute_spectrogram(wave: Samples, rate_hz: int, axes: SpectrogramAxes) -> Picture:
    """Return the mel spectrogram (F, T) of `wave` (S,) within `axes`, in decibels below the loudest cell."""
    window = max(32, round(_WINDOW_S * rate_hz))
    n_frames = max(1, round(axes.span_s * FRAMES_PER_S))
    starts = np.round(np.arange(n_frames) * rate_hz / FRAMES_PER_S).astype(int)
    padded = np.pad(wave, (window // 2, max(0, starts[-1] + window - len(wave))))
    frames = padded[starts[:, None] + np.arange(window)] * np.hanning(window)  # (T, S)
    power = np.abs(np.fft.rfft(frames, 2 * window)) ** 2  # (T, bins)
    bins_hz = np.fft.rfftfreq(2 * window, 1 / rate_hz)
    rows_hz = _space_in_mel(axes.highest_hz)
    rows = np.stack([np.interp(rows_hz, bins_hz, line, right=0) for line in power], axis=1)  # (F, T)
    decibels = 10 * np.log10(np.maximum(rows, 1e-12))
    grey = np.clip((decibels - decibels.max()) / RANGE_DB + 1, 0, 1)
    picture: Picture = np.round(grey * 255).astype(np.uint8)
    return picture


def _space_in_mel(highest_hz: float) -> npt.NDArray[np.float64]:
    """Return (F,) frequencies from LOWEST_HZ up, evenly spaced in mel (O'Shaughnessy 1987)."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (LOWEST_HZ, highest_hz))
    spaced: npt.NDArray[np.float64] = 700 * (10 ** (np.linspace(low, high, N_ROWS) / 2595) - 1)
    return spaced


def make_player_wav(wave: Samples, rate_hz: int, most_hz: int, longest_s: float) -> bytes:
    """Return `wave` (S,) as a mono 16-bit wav of at most `most_hz` and `longest_s`."""
    wave = wave[: round(longest_s * rate_hz)]
    if rate_hz > most_hz:
        wave, rate_hz = resample(wave, rate_hz, most_hz).astype(np.float32), most_hz
    return wav(pcm16(wave), rate_hz)
