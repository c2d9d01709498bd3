"""Acoustic fingerprints, small enough to hold thousands of them: they identify one recording under two names.

F bands, T steps of time, S samples, C cepstral coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cnn.corpus.audio import Samples, read_clip

LONGEST_S = 1.0  # part of a recording that is used, around the middle of its energy: a word is shorter
STEP_S = 0.016
RATE_HZ = 6000  # rate of the whitened wave
_WINDOW_S = 0.048
_BANDS_HZ = np.geomspace(150, 3600, 22)  # 20 bands, which codecs and telephones keep, and the rest above, which is dropped
_DEPTH = 8.0  # nepers of power below the loudest cell, where noise begins
_SPEECH = 4.5  # nepers of power below the loudest band of the clip: a step of time that is speech
_BAND_HZ = (250.0, 2800.0)  # pass band of the wave: above the hum of mains, below the cut-off of telephones
_WHITE_HZ = 300.0  # width of the moving average that evens the spectrum, so that a vowel's formants do not dominate
N_CEPSTRA = 16

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """Fingerprint of one recording."""

    edges: npt.NDArray[np.float16] = field(repr=False)  # (F - 1, T - 1) second difference over bands and time, norm 1
    wave: npt.NDArray[np.int8] = field(repr=False)  # (S,) the wave at RATE_HZ, with an even spectrum
    cepstra: Floats = field(repr=False)  # (C, T') at the steps that are speech


def compute_fingerprint(path: Path) -> Fingerprint:
    """Return the fingerprint of a recording; gain, polarity and silence around it do not change it.

    Raises:
        CorpusError: the file cannot be read.
    """
    samples, rate_hz = read_clip(path)
    samples = _cut_middle(samples, round(LONGEST_S * rate_hz))
    energies = _log_energies(samples, rate_hz)
    return Fingerprint(_edges(energies), _whiten(samples, rate_hz), _cepstra(energies))


def _cut_middle(samples: Samples, n: int) -> Samples:
    if len(samples) <= n:
        return samples
    energy = np.cumsum(samples.astype(np.float64) ** 2)
    start = int(np.searchsorted(energy, energy[-1] / 2)) - n // 2
    start = min(max(start, 0), len(samples) - n)
    return samples[start : start + n]


def _log_energies(samples: Samples, rate_hz: int) -> Floats:
    """Return the log energies (F, T) of the bands."""
    step, window = round(STEP_S * rate_hz), round(_WINDOW_S * rate_hz)
    padded = np.pad(samples, (window // 2, window))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::step][: 1 + (len(samples) - 1) // step]
    n_fft = 1 << (window - 1).bit_length()
    power = np.abs(np.fft.rfft(frames * np.hanning(window).astype(np.float32), n_fft)) ** 2  # (T, n_fft / 2 + 1)
    begins = np.minimum(np.searchsorted(np.fft.rfftfreq(n_fft, 1 / rate_hz), _BANDS_HZ), power.shape[1] - 1)
    bands = np.log(np.add.reduceat(power, begins, axis=1)[:, :-1] + 1e-12).T  # (F, T)
    floored: Floats = np.maximum(bands, bands.max() - _DEPTH).astype(np.float32)
    return floored


def _edges(energies: Floats) -> npt.NDArray[np.float16]:
    """Follow Haitsma and Kalker 2002, "A highly robust audio fingerprinting system", with values in place of their signs."""
    edges = np.diff(np.diff(energies, axis=0), axis=1)
    return np.asarray(edges / max(float(np.linalg.norm(edges)), 1e-9), dtype=np.float16)


def _whiten(samples: Samples, rate_hz: int) -> npt.NDArray[np.int8]:
    n_out = -(-len(samples) * 10 // rate_hz) * RATE_HZ // 10 + RATE_HZ // 10  # whole tenths of a second, and one of silence
    n_in = round(n_out * rate_hz / RATE_HZ)
    source = np.fft.rfft(samples, n_in)
    spectrum = np.zeros(n_out // 2 + 1, dtype=np.complex128)
    n_shared = min(len(source), len(spectrum))
    spectrum[:n_shared] = source[:n_shared]
    width_hz = rate_hz / n_in
    power = np.abs(spectrum) ** 2
    half = max(1, round(_WHITE_HZ / width_hz / 2))
    sums = np.cumsum(np.pad(power, (half + 1, half), mode="edge"))
    level = (sums[2 * half + 1 :] - sums[: -2 * half - 1]) / (2 * half + 1)
    frequencies = np.arange(len(spectrum)) * width_hz
    is_in_band = (frequencies >= _BAND_HZ[0]) & (frequencies <= _BAND_HZ[1])
    spectrum *= is_in_band / np.sqrt(level + 1e-6 * power.max() + 1e-20)
    wave = np.fft.irfft(spectrum, n_out)[: -(-len(samples) * RATE_HZ // rate_hz)]
    return np.rint(wave * (127 / max(float(np.abs(wave).max()), 1e-9))).astype(np.int8)


def _cepstra(energies: Floats) -> Floats:
    n_bands = len(energies)
    cosines = np.cos(np.pi / n_bands * np.outer(np.arange(1, N_CEPSTRA + 1), np.arange(n_bands) + 0.5))
    loudest = energies.max(axis=0)
    return np.asarray(cosines @ energies[:, loudest > loudest.max() - _SPEECH], dtype=np.float32)
