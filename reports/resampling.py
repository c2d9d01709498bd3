"""Intervals and paired differences of test macro-F1 from one set of bootstrap resamples. K classes, G units, R resamples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leaderboard.statistics import LEVEL, MIN_GROUPS, N_REPLICATES, Interval, macro_f1_interval
from reports.facts import MODELS, VARIANTS, DifferenceFacts, EffectFacts, IntervalFacts
from reports.formats import model_name, variant_name
from reports.scores import Clips, f1_of
from reports.selection import Place

SEED = 0

Replicates = NDArray[np.float64]  # (R,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Resampled:
    """Test macro-F1 of several runs, each on the same resamples of the same clips."""

    unit: str  # speakers or clips
    n_units: int
    scores: dict[str, Replicates]  # by digest
    values: dict[str, float]  # the scores on the clips as they are

    def difference(self, pairs: Sequence[tuple[str, str, str]]) -> DifferenceFacts:
        """The mean of first minus second over (name, first digest, second digest), paired on every resample."""
        parts = tuple((name, self.values[one] - self.values[other]) for name, one, other in pairs)
        replicates = np.mean([self.scores[one] - self.scores[other] for _, one, other in pairs], axis=0)
        value = sum(part for _, part in parts) / len(parts)
        low, high = np.quantile(replicates, ((1 - LEVEL) / 2, (1 + LEVEL) / 2)).tolist()
        interval = IntervalFacts(
            low=low, high=high, level=LEVEL, n_replicates=len(replicates), unit=self.unit, n_units=self.n_units
        )
        return DifferenceFacts(value=value, interval=interval, parts=parts)


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
    n_units = n_speakers if by_speaker else len(first.ids)
    return Resampled(unit="speakers" if by_speaker else "clips", n_units=n_units, scores=scores, values=values)


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


_FACTORS: dict[str, tuple[str, list[tuple[Place, Place]]]] = {
    "filter": (
        "the bilateral filter",
        [((model, f"bilateral{aug}"), (model, f"raw{aug}")) for model in MODELS for aug in ("", "+aug")],
    ),
    "augmentation": (
        "augmentation",
        [((model, f"{name}+aug"), (model, name)) for model in MODELS for name in ("raw", "bilateral")],
    ),
    "model": ("Model B instead of Model A", [((MODELS[1], variant), (MODELS[0], variant)) for variant in VARIANTS]),
}


def effects(resampled: Resampled, digests: Mapping[Place, str]) -> tuple[EffectFacts, ...]:
    """Main effects of filter, augmentation and model, each over all pairs of trainings that differ in it alone."""
    found = []
    for factor, (plus, pairs) in _FACTORS.items():
        known = [
            (_pair_name(factor, one), digests[one], digests[other])
            for one, other in pairs
            if digests.get(one) in resampled.scores and digests.get(other) in resampled.scores
        ]
        if known:
            found.append(EffectFacts(factor=factor, plus=plus, difference=resampled.difference(known)))
    return tuple(found)


def _pair_name(factor: str, place: Place) -> str:
    model, variant = place
    if factor == "model":
        return variant_name(variant)
    if factor == "filter":
        return f"{model_name(model)}, {'augmented' if variant.endswith('+aug') else 'not augmented'}"
    return f"{model_name(model)}, {variant.removesuffix('+aug')}"
