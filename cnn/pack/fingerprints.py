"""Acoustic fingerprints, small enough to hold thousands of them: they identify one recording under two names.

F bands, T steps of time, S samples.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cnn.corpus.audio import Samples, read_clip
from cnn.speakers.energies import LONGEST_S, Floats, compute_log_energies, cut_middle

STEP_S = 0.016
RATE_HZ = 6000  # rate of the whitened wave
_BAND_HZ = (250.0, 2800.0)  # pass band of the wave: above the hum of mains, below the cut-off of telephones
_WHITE_HZ = 300.0  # width of the moving average that evens the spectrum, so that a vowel's formants do not dominate


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """Fingerprint of one recording."""

    edges: npt.NDArray[np.float16] = field(repr=False)  # (F - 1, T - 1) second difference over bands and time, norm 1
    wave: npt.NDArray[np.int8] = field(repr=False)  # (S,) the wave at RATE_HZ, with an even spectrum


def compute_fingerprint(path: Path) -> Fingerprint:
    """Return the fingerprint of a recording; gain, polarity and silence around it do not change it.

    Raises:
        CorpusError: the file cannot be read.
    """
    samples, rate_hz = read_clip(path)
    samples = cut_middle(samples, round(LONGEST_S * rate_hz))
    return Fingerprint(_edges(compute_log_energies(samples, rate_hz, STEP_S)), _whiten(samples, rate_hz))


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
