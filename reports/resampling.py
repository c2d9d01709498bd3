"""Intervals and paired differences of test macro-F1 from one set of bootstrap resamples. K classes, G units, R resamples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaderboard.statistics import LEVEL, MIN_GROUPS, N_REPLICATES, Interval, macro_f1_interval
from reports.base_facts import DifferenceFacts, IntervalFacts
from reports.groups import present_macro_f1
from reports.scores import Clips, f1_of

SEED = 0

Replicates = NDArray[np.float64]  # (R,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Contrast:
    """A sum of scores with weights that add up to nothing: the first minus the second of a pair is (1, first), (-1, second)."""

    name: str
    terms: tuple[tuple[float, str], ...]  # weight, digest


@dataclass(frozen=True, kw_only=True, slots=True)
class Resampled:
    """Test macro-F1 of several runs, each on the same resamples of the same clips."""

    unit: str  # speakers or clips
    n_units: int
    scores: dict[str, Replicates]  # by digest
    values: dict[str, float]  # the scores on the clips as they are
    by_speaker: dict[str, dict[str, float]]  # by digest: macro-F1 of each speaker's clips, over the digits they say

    def pair(self, one: str, other: str) -> DifferenceFacts:
        """First minus second."""
        return self.mean([Contrast(name="", terms=((1.0, one), (-1.0, other)))])

    def mean(self, contrasts: Sequence[Contrast]) -> DifferenceFacts:
        """The mean of several contrasts, paired on every resample and for every speaker."""
        parts = tuple((one.name, sum(weight * self.values[run] for weight, run in one.terms)) for one in contrasts)
        terms = [(weight, run) for one in contrasts for weight, run in one.terms]
        replicates = np.sum([weight * self.scores[run] for weight, run in terms], axis=0) / len(contrasts)
        low, high = np.quantile(replicates, ((1 - LEVEL) / 2, (1 + LEVEL) / 2)).tolist()
        interval = IntervalFacts(
            low=low, high=high, level=LEVEL, n_replicates=len(replicates), unit=self.unit, n_units=self.n_units
        )
        names = sorted(next(iter(self.by_speaker.values())))
        speakers = tuple(
            (name, sum(weight * self.by_speaker[run][name] for weight, run in terms) / len(contrasts)) for name in names
        )
        value = sum(part for _, part in parts) / len(parts)
        return DifferenceFacts(value=value, interval=interval, parts=parts, speakers=speakers)


def interval_facts(interval: Interval) -> IntervalFacts:
    """An interval of the leaderboard as ours."""
    return IntervalFacts(
        low=interval.low,
        high=interval.high,
        level=interval.level,
        n_replicates=interval.n_replicates,
        unit=interval.unit,
        n_units=interval.n_units,
    )


def interval_of(clips: Clips) -> IntervalFacts:
    """The interval of one run's macro-F1, drawn as the contest draws it: speakers where five or more are heard, else clips."""
    return interval_facts(macro_f1_interval(clips.confusions_by("speaker")))


def same_clips(one: Clips, other: Clips) -> bool:
    """Whether two runs answered the same questions."""
    return one.ids == other.ids and np.array_equal(one.truth, other.truth)


def resample(clips: Mapping[str, Clips]) -> Resampled:
    """Macro-F1 of every run (by digest) on the same resamples: of speakers where there are enough, otherwise of clips."""
    first = next(iter(clips.values()))
    n_speakers = len(set(first.speakers))
    by_speaker = n_speakers >= MIN_GROUPS
    weights, units = _speaker_units(clips) if by_speaker else _clip_units(clips)
    n_classes = first.n_classes
    scores: dict[str, Replicates] = {}
    for digest, confusions in units.items():
        drawn = weights @ confusions.reshape(len(confusions), -1)  # (R, G) (G, K*K)
        scores[digest] = f1_of(drawn.reshape(-1, n_classes, n_classes)).mean(-1)
    values = {digest: float(f1_of(rows.confusions_by("clip").sum(0)).mean()) for digest, rows in clips.items()}
    return Resampled(
        unit="speakers" if by_speaker else "clips",
        n_units=n_speakers if by_speaker else len(first.ids),
        scores=scores,
        values=values,
        by_speaker={digest: _of_speakers(rows) for digest, rows in clips.items()},
    )


def _of_speakers(rows: Clips) -> dict[str, float]:
    names = sorted(set(rows.speakers))
    return {name: present_macro_f1(one) for name, one in zip(names, rows.confusions_by("speaker"), strict=True)}


def _speaker_units(clips: Mapping[str, Clips]) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
    units = {digest: rows.confusions_by("speaker").astype(np.float32) for digest, rows in clips.items()}
    n = len(next(iter(units.values())))
    weights = np.random.default_rng(SEED).multinomial(n, np.full(n, 1 / n), size=N_REPLICATES)
    return weights.astype(np.float32), units


def _clip_units(clips: Mapping[str, Clips]) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
    """Clips that all runs answered alike are one unit with a count: the same distribution, fewer columns."""
    answers = np.stack([next(iter(clips.values())).truth, *(rows.predicted for rows in clips.values())], axis=1)
    patterns, counts = np.unique(answers, axis=0, return_counts=True)  # (G, 1 + runs), (G,)
    n = len(answers)
    weights = np.random.default_rng(SEED).multinomial(n, counts / n, size=N_REPLICATES).astype(np.float32)
    units: dict[str, NDArray[np.float32]] = {}
    for column, (digest, rows) in enumerate(clips.items(), start=1):
        shape = (len(patterns), rows.n_classes, rows.n_classes)
        units[digest] = np.zeros(shape, dtype=np.float32)
        units[digest][np.arange(len(patterns)), patterns[:, 0], patterns[:, column]] = 1
    return weights, units
