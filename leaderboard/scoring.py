"""Confusion matrices and the scores read from them.

K classes. A confusion matrix is (..., K, K) integers, row: truth, column: prediction. A score is of all K classes of the
solution; a class that is neither there nor predicted scores 0, as `sklearn.metrics` does with `zero_division=0`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Indices = npt.NDArray[np.intp]
Values = npt.NDArray[np.float64]

SCORER = "macro_f1/1"  # stored with each attempt; a change of a definition below is a new number


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


def margins(confusion: Counts) -> tuple[Counts, Counts, Counts]:
    """Rows predicted right, rows in truth, rows predicted, by class: (..., K) each. Every score here is a function of them."""
    return np.diagonal(confusion, axis1=-2, axis2=-1), confusion.sum(axis=-1), confusion.sum(axis=-2)


def f1(hits: Counts | Values, actual: Counts | Values, predicted: Counts | Values) -> Values:
    """F1 by class, (..., K): the harmonic mean of precision and recall."""
    rows = actual + predicted
    return np.divide(2 * hits, rows, out=np.zeros(np.shape(rows)), where=rows > 0)
