"""Comparison of voices: which speakers' clips sound like one person's. N clips, C cepstral coefficients, D numbers of a voice.

Each clip is described by means and spreads of its cepstra, from which the mean of its digit is taken. Two speakers are as far
apart as their means, measured by the spread within speakers (Mahalanobis 1936), less what chance gives with so many clips.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from cnn.speakers.energies import LONGEST_S, N_BANDS, Floats, average_down, compute_log_energies, cut_middle

Doubles = npt.NDArray[np.float64]

MIN_CLIPS = 20  # fewest of one speaker: with fewer a distance is mostly chance
ALIKE_BELOW = 2.5  # squared distance of one person's two halves; docs/explanation/hidden-labels.md has how often that errs
_N_CEPSTRA = 12
_STEP_S = 0.032
_RATE_HZ = 12_000  # a faster recording is averaged down to about this: the highest band ends at 3600 Hz
_SPEECH = 4.5  # nepers of power below the loudest band of the clip: a step of time that is speech
_COSINES = np.cos(np.pi / N_BANDS * np.outer(np.arange(1, _N_CEPSTRA + 1), np.arange(N_BANDS) + 0.5))  # (C, F)


class VoiceClip(Protocol):
    """A clip as voices are compared by it."""

    @property
    def label(self) -> str: ...
    @property
    def speaker(self) -> str: ...
    @property
    def voice(self) -> Sequence[float]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class VoicePair:
    """Two speakers who sound like one person."""

    first: str
    second: str
    distance: float


def describe_voice(samples: Floats, rate_hz: int) -> list[float]:
    """Return the voice of a clip (S,), S at least 1: means and spreads (D,) of its cepstra, which no gain changes."""
    wave, n_averaged = average_down(cut_middle(samples, round(LONGEST_S * rate_hz)), rate_hz, _RATE_HZ)
    energies = compute_log_energies(wave, rate_hz / n_averaged, _STEP_S)
    loudest = energies.max(axis=0)
    cepstra = _COSINES @ energies[:, loudest > loudest.max() - _SPEECH]  # (C, T)
    return [round(float(x), 2) for x in (*cepstra.mean(axis=1), *cepstra.std(axis=1))]


def compare_voices(clips: Iterable[VoiceClip]) -> tuple[VoicePair, ...]:
    """Return the pairs of speakers who sound like one person, sorted, of those with MIN_CLIPS clips or more."""
    spoken = [clip for clip in clips if clip.speaker and clip.voice]
    n_clips = {name: n for name, n in sorted(Counter(clip.speaker for clip in spoken).items()) if n >= MIN_CLIPS}
    if len(n_clips) < 2:
        return ()
    spoken = [clip for clip in spoken if clip.speaker in n_clips]
    distances = _compute_distances(spoken, list(n_clips))
    names = list(n_clips)
    return tuple(
        VoicePair(first=names[i], second=names[j], distance=round(max(0.0, float(distances[i, j])), 2))
        for i, j in np.argwhere(np.triu(distances < ALIKE_BELOW, k=1))
    )


def _compute_distances(clips: Sequence[VoiceClip], names: Sequence[str]) -> Doubles:
    """Return the squared distances (speakers, speakers): about 0, and below by chance, for one person."""
    number = {name: i for i, name in enumerate(names)}
    speakers = np.array([number[clip.speaker] for clip in clips])
    digits = np.unique([clip.label for clip in clips], return_inverse=True)[1]
    voices = np.array([clip.voice for clip in clips], dtype=np.float64)  # (N, D)
    cells, cell_of, n_in_cell = np.unique(digits * len(names) + speakers, return_inverse=True, return_counts=True)
    cell_means = _sum_by(cell_of, voices) / n_in_cell[:, None]
    digit_of_cell = cells // len(names)
    digit_means = _sum_by(digit_of_cell, cell_means) / np.bincount(digit_of_cell)[:, None]  # every speaker counts alike
    voices -= digit_means[digits]
    n_clips = np.bincount(speakers)
    means = _sum_by(speakers, voices) / n_clips[:, None]
    rest = voices - means[speakers]
    within = rest.T @ rest / (len(voices) - len(names))  # (D, D)
    within = (within + np.diag(np.diag(within))) / 2 + 1e-4 * np.eye(len(within))  # few clips make a rough covariance
    whitened = np.linalg.solve(np.linalg.cholesky(within), means.T).T
    distances: Doubles = np.square(whitened[:, None] - whitened[None]).sum(axis=2)
    distances -= voices.shape[1] * (1 / n_clips[:, None] + 1 / n_clips[None])
    return distances


def _sum_by(groups: npt.NDArray[np.intp], rows: Doubles) -> Doubles:
    """Return the sum of the rows of each group, which are numbered from 0 without gaps."""
    sums = np.zeros((groups.max() + 1, rows.shape[1]))
    np.add.at(sums, groups, rows)
    return sums
