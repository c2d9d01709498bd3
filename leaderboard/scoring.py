"""Confusion matrices and the scores read from them.

K classes. A confusion matrix is (..., K, K) integers, row: truth, column: prediction. A score is of all K classes of the
solution; a class that is neither there nor predicted scores 0, as `sklearn.metrics` does with `zero_division=0`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Indices = npt.NDArray[np.intp]
Values = npt.NDArray[np.float64]

SCORER = "macro_f1/1"  # stored with each attempt; a change of a definition below is a new number


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ClassScores:
    """One entry per class, each (K,)."""

    precision: Values
    recall: Values
    f1: Values
    n: Counts  # rows of this class in truth


def confusion_matrix(truth: Indices, predicted: Indices, n_classes: int) -> Counts:
    """(K, K) counts of two (N,) arrays of class indices."""
    cells = np.bincount(truth * n_classes + predicted, minlength=n_classes**2)
    return cells.reshape(n_classes, n_classes).astype(np.int64)


def macro_f1(confusion: Counts) -> float:
    """The mean over classes of F1, 0..1."""
    return float(f1(*margins(confusion)).mean())


def accuracy(confusion: Counts) -> float:
    """The share of rows that are predicted right, 0..1; 0 when there are none."""
    n = int(confusion.sum())
    return int(np.trace(confusion)) / n if n else 0.0


def class_scores(confusion: Counts) -> ClassScores:
    """Precision, recall and F1 of each class."""
    hits, actual, predicted = margins(confusion)
    return ClassScores(
        precision=_ratio(hits, predicted),
        recall=_ratio(hits, actual),
        f1=f1(hits, actual, predicted),
        n=actual,
    )


def margins(confusion: Counts) -> tuple[Counts, Counts, Counts]:
    """Rows predicted right, rows in truth, rows predicted, by class: (..., K) each. Every score here is a function of them."""
    return np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(axis=-1), confusion.sum(axis=-2)


def f1(hits: Counts | Values, actual: Counts | Values, predicted: Counts | Values) -> Values:
    """F1 by class, (..., K): the harmonic mean of precision and recall."""
    return _ratio(2 * hits, actual + predicted)


def _ratio(part: Counts | Values, whole: Counts | Values) -> Values:
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=whole > 0)
