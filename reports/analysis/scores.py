"""Scores recomputed from predictions.csv. K classes, N clips, G units, R resamples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from arena.base.scores import Counts, Indices, accuracy, confusion_matrix, f1, macro_f1
from cnn.runs.folder import Prediction, Score
from reports.facts.report import SplitFacts

TOLERANCE = 1e-6  # both sides are float64 and differ by the order of their sums alone; one clip of 100,000 shows as 1e-5


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipAnswers:
    """One run's answers on one split, in the order of the clips' names."""

    ids: tuple[str, ...]
    speakers: tuple[str, ...]
    truth: Indices  # (N,) class numbers
    predicted: Indices  # (N,)
    probabilities: NDArray[np.float64]  # (N, K)
    n_classes: int

    @property
    def confusion(self) -> Counts:
        """Return (K, K) counts of all clips."""
        return confusion_matrix(self.truth, self.predicted, self.n_classes)

    def confusions_by_speaker(self) -> Counts:
        """Return (G, K, K) counts of each speaker, in sorted order."""
        names, members = np.unique(self.speakers, return_inverse=True)
        counts = np.zeros((len(names), self.n_classes, self.n_classes), dtype=np.int64)
        np.add.at(counts, (members, self.truth, self.predicted), 1)
        return counts


def select_split(predictions: Sequence[Prediction], labels: Sequence[str], split: str) -> ClipAnswers:
    """Return the answers on one split.

    Raises:
        ValueError: a label is not the run's, or a clip is listed twice.
    """
    rows = sorted((p for p in predictions if p.split == split), key=lambda p: p.id)
    number = {label: k for k, label in enumerate(labels)}
    unknown = sorted({name for p in rows for name in (p.label, p.truth)} - set(number))
    if unknown:
        raise ValueError(f"predictions.csv holds the label {unknown[0]!r}, which is not one of {', '.join(labels)}")
    ids = tuple(p.id for p in rows)
    if len(set(ids)) < len(ids):
        raise ValueError(f"predictions.csv holds a clip of the {split} split twice")
    return ClipAnswers(
        ids=ids,
        speakers=tuple(p.speaker for p in rows),
        truth=np.array([number[p.truth] for p in rows], dtype=np.int64),
        predicted=np.array([number[p.label] for p in rows], dtype=np.int64),
        probabilities=np.array([p.probabilities for p in rows], dtype=np.float64).reshape(len(rows), len(labels)),
        n_classes=len(labels),
    )


def recompute_scores(clips: ClipAnswers, stated: Score | None) -> SplitFacts:
    """Return the scores of `clips`; the loss, which predictions.csv cannot give exactly, is the stated one."""
    return SplitFacts(
        n=len(clips.ids),
        loss=stated.loss if stated else float("nan"),
        accuracy=accuracy(clips.confusion),
        macro_f1=macro_f1(clips.confusion),
        f1=tuple(f1(clips.confusion).tolist()),
        confusion=tuple(tuple(row) for row in clips.confusion.tolist()),
        speakers=tuple(sorted(set(clips.speakers))),
    )


def convert_score(score: Score, speakers: Sequence[str]) -> SplitFacts:
    """Return the scores that result.json states, for the split that predictions.csv does not hold (train)."""
    return SplitFacts(
        n=score.n,
        loss=score.loss,
        accuracy=score.accuracy,
        macro_f1=score.macro_f1,
        f1=tuple(f1(np.array(score.confusion)).tolist()),
        confusion=tuple(tuple(row) for row in score.confusion),
        speakers=tuple(speakers),
    )


def find_contradictions(split: str, recomputed: SplitFacts, stated: Score) -> list[str]:
    """Return the differences between result.json and predictions.csv as half sentences; empty when they agree."""
    differences = []
    if recomputed.n != stated.n:
        differences.append(f"{split} clips: {stated.n} stated, {recomputed.n} found")
    for name in ("accuracy", "macro_f1"):
        ours, theirs = getattr(recomputed, name), getattr(stated, name)
        if not abs(ours - theirs) <= TOLERANCE:
            differences.append(f"{split} {name.replace('_', '-')}: {theirs:.6f} stated, {ours:.6f} found")
    if recomputed.confusion != tuple(tuple(row) for row in stated.confusion):
        differences.append(f"{split} confusion matrix: another one found")
    return differences
