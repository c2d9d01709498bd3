"""Intervals and paired differences of test macro-F1 from one set of bootstrap resamples. K classes, G units, R resamples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.base.resamples import Resamples, Truth, resample_answers
from arena.base.scores import Interval, macro_f1, macro_f1_interval, present_macro_f1
from reports.analysis.scores import Clips
from reports.facts.base import DifferenceFacts

Replicates = NDArray[np.float64]  # (R,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Contrast:
    """A sum of scores with weights that add up to nothing: the first minus the second of a pair is (1, first), (-1, second)."""

    name: str
    terms: tuple[tuple[float, str], ...]  # weight, digest


@dataclass(frozen=True, kw_only=True, slots=True)
class Resampled:
    """Test macro-F1 of several runs, each on the same resamples of the same clips."""

    resamples: Resamples
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
        names = sorted(next(iter(self.by_speaker.values())))
        speakers = tuple(
            (name, sum(weight * self.by_speaker[run][name] for weight, run in terms) / len(contrasts)) for name in names
        )
        value = sum(part for _, part in parts) / len(parts)
        return DifferenceFacts(value=value, interval=self.resamples.interval(replicates), parts=parts, speakers=speakers)


def interval_of(clips: Clips) -> Interval:
    """The interval of one run's macro-F1, drawn as the contest draws it: speakers where five or more are heard, else clips."""
    return macro_f1_interval(clips.confusions_by_speaker())


def same_clips(one: Clips, other: Clips) -> bool:
    """Whether two runs answered the same questions."""
    return one.ids == other.ids and np.array_equal(one.truth, other.truth)


def resample(clips: Mapping[str, Clips]) -> Resampled:
    """Macro-F1 of every run (by digest) on the same resamples: of speakers where there are enough, otherwise of clips."""
    first = next(iter(clips.values()))
    truth = Truth(classes=first.truth, groups=np.array(first.speakers), n_classes=first.n_classes)
    predicted = np.stack([rows.predicted for rows in clips.values()])  # (runs, N)
    resamples = resample_answers(truth, predicted)
    return Resampled(
        resamples=resamples,
        scores=dict(zip(clips, resamples.macro_f1(predicted).T, strict=True)),
        values={digest: macro_f1(rows.confusion) for digest, rows in clips.items()},
        by_speaker={digest: _score_speakers(rows) for digest, rows in clips.items()},
    )


def _score_speakers(rows: Clips) -> dict[str, float]:
    scores = present_macro_f1(rows.confusions_by_speaker()).tolist()
    return dict(zip(sorted(set(rows.speakers)), scores, strict=True))
