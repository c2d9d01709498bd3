"""Intervals for macro-F1 by the percentile bootstrap (Efron and Tibshirani 1993, chapter 13). Numpy and integers only.

R replicates, G groups, K classes. Clips of one speaker are not independent: where speakers are named, whole speakers are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from leaderboard.scoring import Counts, Indices, Values, f1, margins

N_REPLICATES = 2000
LEVEL = 0.95
MIN_GROUPS = 5  # fewer draws repeat the same few samples: 4 groups give 35 different ones, 5 give 126
_MAX_CELLS = 2_000_000  # drawn at once, to bound memory


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """Where a score would lie if other speakers (or clips) of the same kind had been recorded."""

    low: float
    high: float
    level: float
    n_replicates: int
    unit: str  # what was drawn: speakers or clips
    n_units: int


def macro_f1_interval(confusions: Counts, *, seed: int = 0) -> Interval:
    """The interval over groups when at least five of (G, K, K) hold clips, over clips otherwise."""
    if np.count_nonzero(confusions.sum(axis=(1, 2))) >= MIN_GROUPS:
        return bootstrap_macro_f1(confusions, seed=seed)
    return bootstrap_macro_f1_rows(confusions.sum(axis=0), seed=seed)


def bootstrap_macro_f1(
    confusions: Counts, *, n_replicates: int = N_REPLICATES, level: float = LEVEL, seed: int = 0
) -> Interval:
    """The interval of macro-F1 over groups, from (G, K, K), one confusion matrix each; groups without clips do not count."""
    held = confusions[confusions.sum(axis=(1, 2)) > 0]
    n_groups = len(held)
    assert n_groups, "a bootstrap needs clips"
    draws = np.random.default_rng(seed).multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=n_replicates)
    weights = draws.astype(np.float64)  # (R, G); counts stay whole numbers below 2**53
    hits, actual, predicted = (weights @ part for part in margins(held))  # (R, K)
    return _interval(f1(hits, actual, predicted).mean(axis=1), level, "speakers", n_groups)


def bootstrap_macro_f1_rows(
    confusion: Counts, *, n_replicates: int = N_REPLICATES, level: float = LEVEL, seed: int = 0
) -> Interval:
    """The interval of macro-F1 over clips, from (K, K); drawing n clips with replacement is drawing a multinomial matrix."""
    n_rows = int(confusion.sum())
    assert n_rows, "a bootstrap needs clips"
    truth, predicted = np.nonzero(confusion)  # (C,) cells that can be drawn, by truth
    shares = confusion[truth, predicted] / n_rows
    rng = np.random.default_rng(seed)
    n_at_once = max(1, _MAX_CELLS // len(shares))
    sizes = [min(n_at_once, n_replicates - start) for start in range(0, n_replicates, n_at_once)]
    scores = [_macro_f1_of_cells(rng.multinomial(n_rows, shares, size=n), truth, predicted, len(confusion)) for n in sizes]
    return _interval(np.concatenate(scores), level, "clips", n_rows)


def _macro_f1_of_cells(draws: Counts, truth: Indices, predicted: Indices, n_classes: int) -> Values:
    is_hit = truth == predicted
    hits = _summed(draws[:, is_hit], truth[is_hit], n_classes)
    actual, guessed = _summed(draws, truth, n_classes), _summed(draws, predicted, n_classes)
    return np.asarray(f1(hits, actual, guessed).mean(axis=1))


def _summed(draws: Counts, classes: Indices, n_classes: int) -> Counts:
    order = np.argsort(classes, kind="stable")
    present, starts = np.unique(classes[order], return_index=True)
    sums = np.zeros((len(draws), n_classes), dtype=np.int64)
    if len(present):
        sums[:, present] = np.add.reduceat(draws[:, order], starts, axis=1)
    return sums


def _interval(scores: Values, level: float, unit: str, n_units: int) -> Interval:
    low, high = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2])
    return Interval(low=float(low), high=float(high), level=level, n_replicates=len(scores), unit=unit, n_units=n_units)
