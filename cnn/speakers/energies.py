"""Log energies of a recording in bands of frequency, for fingerprints and voices. F bands, T steps of time, S samples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

LONGEST_S = 1.0  # part of a recording that is used, around the middle of its energy: a word is shorter
WINDOW_S = 0.048
_BANDS_HZ = np.geomspace(150, 3600, 22)  # 20 bands, which codecs and telephones keep, and the rest above, which is dropped
_DEPTH = 8.0  # nepers of power below the loudest cell, where noise begins
N_BANDS = len(_BANDS_HZ) - 1

Floats = npt.NDArray[np.float32]


def cut_middle(samples: Floats, n: int) -> Floats:
    """Return at most `n` samples around the middle of the energy."""
    if len(samples) <= n:
        return samples
    energy = np.cumsum(samples.astype(np.float64) ** 2)
    start = int(np.searchsorted(energy, energy[-1] / 2)) - n // 2
    start = min(max(start, 0), len(samples) - n)
    return samples[start : start + n]


def average_down(samples: Floats, rate_hz: int, about_hz: int) -> tuple[Floats, int]:
    """Return the means of n samples at a time, at `about_hz` or up to twice as many a second, and n."""
    n = max(1, rate_hz // about_hz)
    means: Floats = np.pad(samples, (0, -len(samples) % n)).reshape(-1, n).mean(axis=1, dtype=np.float32)
    return means, n


def compute_log_energies(samples: Floats, rate_hz: float, step_s: float) -> Floats:
    """Return the log energies (F, T) of the bands, with one window every `step_s`."""
    step, window = round(step_s * rate_hz), round(WINDOW_S * rate_hz)
    padded = np.pad(samples, (window // 2, window))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::step][: 1 + (len(samples) - 1) // step]
    n_fft = 1 << (window - 1).bit_length()
    begins = np.minimum(np.searchsorted(np.fft.rfftfreq(n_fft, 1 / rate_hz), _BANDS_HZ), n_fft // 2)
    spectra = np.fft.rfft(frames * np.hanning(window).astype(np.float32), n_fft)[:, begins[0] : begins[-1] + 1]
    power = np.square(spectra.real) + np.square(spectra.imag)
    bands = np.log(np.add.reduceat(power, begins - begins[0], axis=1)[:, :-1] + 1e-12).T  # (F, T)
    floored: Floats = np.maximum(bands, bands.max() - _DEPTH).astype(np.float32)
    return floored
