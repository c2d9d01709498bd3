"""Scores recomputed from predictions.csv. K classes, N clips, G units, R resamples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnn.runs import Prediction, Score
from reports.facts import SplitFacts

TOLERANCE = 1e-6  # both sides are float64 and differ by the order of their sums alone; one clip of 100,000 shows as 1e-5

Counts = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Clips:
    """One run's answers on one split, in the order of the clips' names."""

    ids: tuple[str, ...]
    speakers: tuple[str, ...]
    truth: Counts  # (N,) class numbers
    predicted: Counts  # (N,)
    probabilities: NDArray[np.float64]  # (N, K)
    n_classes: int

    def confusions_by(self, unit: str) -> Counts:
        """(G, K, K) counts of each speaker, in sorted order, or (N, K, K) of each clip."""
        names = np.array(self.speakers if unit == "speaker" else self.ids)
        members = np.unique(names, return_inverse=True)[1] if unit == "speaker" else np.arange(len(names))
        shape = (int(members.max(initial=-1)) + 1, self.n_classes, self.n_classes)
        counts = np.zeros(shape, dtype=np.int64)
        np.add.at(counts, (members, self.truth, self.predicted), 1)
        return counts


def clips_of(predictions: Sequence[Prediction], labels: Sequence[str], split: str) -> Clips:
    """The clips of one split.

    Raises:
        ValueError: a label that the run does not know, or a clip that stands there twice.
    """
    rows = sorted((p for p in predictions if p.split == split), key=lambda p: p.id)
    number = {label: k for k, label in enumerate(labels)}
    unknown = sorted({name for p in rows for name in (p.label, p.truth)} - set(number))
    if unknown:
        raise ValueError(f"predictions.csv holds the label {unknown[0]!r}, which is not one of {', '.join(labels)}")
    ids = tuple(p.id for p in rows)
    if len(set(ids)) < len(ids):
        raise ValueError(f"predictions.csv holds a clip of the {split} split twice")
    return Clips(
        ids=ids,
        speakers=tuple(p.speaker for p in rows),
        truth=np.array([number[p.truth] for p in rows], dtype=np.int64),
        predicted=np.array([number[p.label] for p in rows], dtype=np.int64),
        probabilities=np.array([p.probabilities for p in rows], dtype=np.float64).reshape(len(rows), len(labels)),
        n_classes=len(labels),
    )


def f1_of(confusions: NDArray[np.number]) -> NDArray[np.float64]:
    """(..., K) from (..., K, K): 2 TP / (2 TP + FP + FN); 0 for a class neither present nor predicted, as in scikit-learn."""
    hits = np.diagonal(confusions, axis1=-2, axis2=-1).astype(np.float64)
    sizes = confusions.sum(-1) + confusions.sum(-2)
    return np.asarray(2 * hits / np.maximum(sizes, 1), dtype=np.float64)


def recomputed(clips: Clips, stated: Score | None) -> SplitFacts:
    """The scores of `clips`; the loss, which predictions.csv cannot give exactly, is the stated one."""
    confusion = clips.confusions_by("clip").sum(0)
    f1 = f1_of(confusion)
    return SplitFacts(
        n=len(clips.ids),
        loss=stated.loss if stated else float("nan"),
        accuracy=float(np.trace(confusion) / max(len(clips.ids), 1)),
        macro_f1=float(f1.mean()),
        f1=tuple(f1.tolist()),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        speakers=tuple(sorted(set(clips.speakers))),
    )


def as_stated(score: Score, speakers: Sequence[str]) -> SplitFacts:
    """The scores of a split that predictions.csv does not hold (train), as result.json has them."""
    return SplitFacts(
        n=score.n,
        loss=score.loss,
        accuracy=score.accuracy,
        macro_f1=score.macro_f1,
        f1=tuple(f1_of(np.array(score.confusion)).tolist()),
        confusion=tuple(tuple(row) for row in score.confusion),
        speakers=tuple(speakers),
    )


def contradictions(split: str, found: SplitFacts, stated: Score) -> list[str]:
    """What result.json states otherwise than predictions.csv gives, each as a half sentence; empty when they agree."""
    differing = []
    if found.n != stated.n:
        differing.append(f"{split} clips: {stated.n} stated, {found.n} found")
    for name in ("accuracy", "macro_f1"):
        ours, theirs = getattr(found, name), getattr(stated, name)
        if not abs(ours - theirs) <= TOLERANCE:
            differing.append(f"{split} {name.replace('_', '-')}: {theirs:.6f} stated, {ours:.6f} found")
    if found.confusion != tuple(tuple(row) for row in stated.confusion):
        differing.append(f"{split} confusion matrix: another one found")
    return differing
