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
Tallies = npt.NDArray[np.int64 | np.float64 | np.float32]  # whole numbers, whatever their type

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


def f1(hits: Tallies, actual: Tallies, predicted: Tallies) -> Values:
    """F1 by class, (..., K): the harmonic mean of precision and recall."""
    rows = actual + predicted
    return np.asarray(np.divide(2 * hits, rows, out=np.zeros(np.shape(rows)), where=rows > 0))


def precision(hits: Counts, predicted: Counts) -> Values:
    """Of the rows predicted as a class, the share that are of it, (..., K); 0 when there are none."""
    return np.divide(hits, predicted, out=np.zeros(np.shape(hits)), where=predicted > 0)


def recall(hits: Counts, actual: Counts) -> Values:
    """Of the rows of a class, the share that were predicted as it, (..., K); 0 when there are none."""
    return np.divide(hits, actual, out=np.zeros(np.shape(hits)), where=actual > 0)


def log_loss(of_truth: Values) -> float:
    """The mean of -ln of (N,) probabilities given to the true class, each at least 2.2e-16 as `sklearn.metrics` has it."""
    return float(-np.log(np.clip(of_truth, np.finfo(np.float64).eps, 1)).mean())
