"""Scores and intervals from confusion matrices of counts, with numpy alone: row the truth, column the prediction, K classes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

LEVEL = 0.95
N_REPLICATES = 2000


def f1(counts: Counts | Values) -> Values:
    """(..., K, K) to (..., K): 2 TP / (2 TP + FP + FN); 0 for a class neither present nor predicted."""
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    return _ratio(2 * hits, counts.sum(-1) + counts.sum(-2))


def recall(counts: Counts | Values) -> Values:
    """(..., K, K) to (..., K): TP / (TP + FN); 0 for a class that is not present."""
    return _ratio(np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(-1))


def macro_f1(counts: Counts | Values) -> Values:
    """(..., K, K) to (...): the mean F1 of all classes."""
    mean: Values = f1(counts).mean(-1)
    return mean


def mean_of_present(values: Values, counts: Counts) -> Values:
    """(..., K) and (..., K, K) to (...): the mean over the classes that are present; 0 where none is."""
    present = counts.sum(-1) > 0
    return _ratio((values * present).sum(-1), present.sum(-1))


def speaker_interval(counts: Counts, *, n_replicates: int = N_REPLICATES, seed: int = 0) -> tuple[float, float]:
    """The interval of macro-F1 over G speakers by the percentile bootstrap (Efron and Tibshirani 1993, chapter 13).

    Args:
        counts: (S, G, K, K) of S trainings on the same speakers; each replicate is the mean of their macro-F1s on one draw.
    """
    n_trainings, n_speakers, n_classes = counts.shape[:3]
    draws = np.random.default_rng(seed).multinomial(n_speakers, np.full(n_speakers, 1 / n_speakers), size=n_replicates)
    weights = draws.astype(np.float64)  # (R, G); counts stay whole numbers below 2**53
    pooled = (weights @ counts.reshape(n_trainings, n_speakers, -1)).reshape(n_trainings, -1, n_classes, n_classes)
    low, high = np.quantile(macro_f1(pooled).mean(0), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _ratio(part: npt.NDArray[np.generic], whole: npt.NDArray[np.generic]) -> Values:
    return np.divide(part, whole, out=np.zeros(np.shape(whole)), where=whole > 0)  # type: ignore[operator]
