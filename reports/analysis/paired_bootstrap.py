"""Paired bootstrap of test macro-F1: all runs are scored on one set of resamples. K classes, G units, R resamples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.base.resamples import Resamples, Truth, resample_answers
from arena.base.scores import Interval, macro_f1, macro_f1_each, macro_f1_interval
from reports.analysis.scores import ClipAnswers
from reports.facts.base import DifferenceFacts

Replicates = NDArray[np.float64]  # (R,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Contrast:
    """A sum of scores with weights of sum 0: the first minus the second of a pair is (1, first), (-1, second)."""

    name: str
    terms: tuple[tuple[float, str], ...]  # weight, digest


@dataclass(frozen=True, kw_only=True, slots=True)
class ResampledScores:
    """Test macro-F1 of several runs, each on the same resamples of the same clips."""

    resamples: Resamples
    scores: dict[str, Replicates]  # by digest
    values: dict[str, float]  # scores on the original clips
    by_speaker: dict[str, dict[str, float]]  # by digest: macro-F1 of each speaker's clips, over the digits they say

    def pair(self, first: str, second: str) -> DifferenceFacts:
        """Return the first run's score minus the second's."""
        return self.mean([Contrast(name="", terms=((1.0, first), (-1.0, second)))])

    def mean(self, contrasts: Sequence[Contrast]) -> DifferenceFacts:
        """Return the mean of several contrasts, paired on every resample and for every speaker."""
        parts = tuple((c.name, sum(weight * self.values[run] for weight, run in c.terms)) for c in contrasts)
        terms = [term for contrast in contrasts for term in contrast.terms]
        replicates = np.sum([weight * self.scores[run] for weight, run in terms], axis=0) / len(contrasts)
        names = sorted(next(iter(self.by_speaker.values())))
        speakers = tuple(
            (name, sum(weight * self.by_speaker[run][name] for weight, run in terms) / len(contrasts)) for name in names
        )
        value = sum(part for _, part in parts) / len(parts)
        return DifferenceFacts(value=value, interval=self.resamples.interval(replicates), parts=parts, speakers=speakers)


def compute_interval(clips: ClipAnswers) -> Interval:
    """Return the interval of one run's macro-F1; like the contest it draws speakers if there are five or more, else clips."""
    return macro_f1_interval(clips.confusions_by_speaker())


def have_same_clips(first: ClipAnswers, second: ClipAnswers) -> bool:
    """Return whether two runs answered the same clips with the same labels."""
    return first.ids == second.ids and np.array_equal(first.truth, second.truth)


def resample_runs(clips: Mapping[str, ClipAnswers]) -> ResampledScores:
    """Return macro-F1 of every run (by digest) on the same resamples, of speakers where there are enough, else of clips."""
    first = next(iter(clips.values()))
    truth = Truth(classes=first.truth, groups=np.array(first.speakers), n_classes=first.n_classes)
    predicted = np.stack([rows.predicted for rows in clips.values()])  # (runs, N)
    resamples = resample_answers(truth, predicted)
    return ResampledScores(
        resamples=resamples,
        scores=dict(zip(clips, resamples.macro_f1(predicted).T, strict=True)),
        values={digest: macro_f1(rows.confusion) for digest, rows in clips.items()},
        by_speaker={digest: _score_speakers(rows) for digest, rows in clips.items()},
    )


def _score_speakers(rows: ClipAnswers) -> dict[str, float]:
    scores = macro_f1_each(rows.confusions_by_speaker()).tolist()
    return dict(zip(sorted(set(rows.speakers)), scores, strict=True))
