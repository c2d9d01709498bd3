"""Paired bootstrap of macro-F1: every set of answers is scored on the same draws, which narrows intervals of differences.

R resamples, U units drawn (speakers or clips), N rows, T sets of answers, K classes. Drawing U units with replacement and
counting them is a multinomial draw; every count that F1 needs is then a product of that (R, U) matrix with counts by unit. The
products are of whole numbers below 2**24, which float32 holds exactly.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from arena.base.scores import MIN_GROUPS, N_REPLICATES, Counts, Indices, Interval, Values, mean_f1, percentile_interval

Floats = npt.NDArray[np.float32]
_MAX_CELLS = 16_000_000  # cells of a matrix of ones and zeros, to bound memory
_EXACT = 2**24


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Resamples:
    """Draws of the units of one test. Rows are sorted by truth, so that each class is a slice."""

    rows: Indices = field(repr=False)  # (N,) row numbers of the answers
    starts: Indices = field(repr=False)  # (K + 1,) where the classes begin in `rows`
    unit: Indices = field(repr=False)  # (N,) number of the unit that a row belongs to
    weights: Floats = field(repr=False)  # (R, U) how often each unit was drawn
    actual: Values = field(repr=False)  # (R, K) rows of each class in each resample
    unit_name: str  # speakers or clips
    n_units: int  # speakers or clips in all

    def macro_f1(self, predicted: Indices) -> Values:
        """Return the (R, T) macro-F1 of each resample, from (T, all rows) predicted classes."""
        n_at_once = max(1, _MAX_CELLS // (len(self.rows) * (len(self.starts) - 1)))
        chunks = [predicted[start : start + n_at_once] for start in range(0, len(predicted), n_at_once)]
        return np.concatenate([self._macro_f1(chunk[:, self.rows]) for chunk in chunks], axis=1)

    def ratio(self, numerators: npt.NDArray[np.generic], denominators: Indices) -> Values:
        """Return the (R, T) ratio of the sums over each resample, from (T, all rows) and (all rows,) whole numbers."""
        sums = [
            np.bincount(self.unit, weights=values[self.rows], minlength=self.weights.shape[1])
            for values in (*numerators.astype(np.float64), denominators)
        ]
        totals = self.weights.astype(np.float64) @ np.stack(sums, axis=1)  # (R, T + 1)
        return totals[:, :-1] / np.maximum(totals[:, -1:], 1)

    def interval(self, scores: Values) -> Interval:
        """Return the percentile interval of (R,) scores, or sums of scores, on these resamples."""
        return percentile_interval(scores, self.unit_name, self.n_units)

    def _macro_f1(self, predicted: Indices) -> Values:
        by_class = self._weigh_rows if self.unit_name == "clips" else self._weigh_units
        hits, guessed = by_class(predicted)  # (R, T, K) each
        return mean_f1(hits, self.actual[:, None, :], guessed, np.diff(self.starts) > 0)

    def _weigh_rows(self, predicted: Indices) -> tuple[Floats, Floats]:
        n_sets, n_classes = len(predicted), len(self.starts) - 1
        is_guessed = predicted.T[:, :, None] == np.arange(n_classes)  # (N, T, K)
        guessed = self.weights @ is_guessed.reshape(len(self.rows), -1).astype(np.float32)
        hits = np.empty((len(self.weights), n_sets, n_classes), dtype=np.float32)
        for k, (start, end) in enumerate(itertools.pairwise(self.starts)):
            hits[:, :, k] = self.weights[:, start:end] @ is_guessed[start:end, :, k].astype(np.float32)
        return hits, guessed.reshape(hits.shape)

    def _weigh_units(self, predicted: Indices) -> tuple[Floats, Floats]:
        n_sets, n_classes = len(predicted), len(self.starts) - 1
        n_cells = self.n_units * n_classes
        is_hit = predicted == np.repeat(np.arange(n_classes), np.diff(self.starts))  # (T, N)
        cells = self.unit * n_classes + predicted  # (T, N)
        guessed = np.stack([np.bincount(row, minlength=n_cells) for row in cells])
        hits = np.stack([np.bincount(row[hit], minlength=n_cells) for row, hit in zip(cells, is_hit, strict=True)])
        shape = (len(self.weights), n_sets, n_classes)
        products = (self.weights @ _by_unit(counts, self.n_units) for counts in (hits, guessed))
        first, second = (product.reshape(shape) for product in products)
        return first, second


def _by_unit(counts: Indices, n_units: int) -> Floats:
    """Return (U, T * K) from (T, U * K)."""
    n_sets = len(counts)
    return np.ascontiguousarray(counts.reshape(n_sets, n_units, -1).swapaxes(0, 1).reshape(n_units, -1), dtype=np.float32)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Truth:
    """Rows of a test."""

    classes: Indices  # (N,)
    groups: npt.NDArray[np.generic]  # (N,) names or numbers of the speakers, all equal where none is named
    n_classes: int

    @property
    def has_groups(self) -> bool:
        """Return whether there are enough speakers to draw."""
        return len(np.unique(self.groups)) >= MIN_GROUPS


def resample_rows(truth: Truth, *, n_replicates: int = N_REPLICATES, seed: int = 0) -> Resamples:
    """Draw speakers where at least five have rows, rows otherwise; no draw depends on answers, so that scores may be cached."""
    if truth.has_groups:
        return _resample_groups(truth, n_replicates, seed)
    rows = np.argsort(truth.classes, kind="stable")
    return _resamples(truth, rows, np.arange(len(rows)), _draw_rows(len(rows), n_replicates, seed))


def resample_answers(truth: Truth, predicted: Indices, *, n_replicates: int = N_REPLICATES, seed: int = 0) -> Resamples:
    """Draw speakers where at least five have rows, rows otherwise, for (T, N) answers that are all at hand.

    Rows that all sets answer alike are one unit with a count: the same distribution as of `resample_rows`, fewer columns.
    """
    if truth.has_groups:
        return _resample_groups(truth, n_replicates, seed)
    answers = np.concatenate([truth.classes[None], predicted]).T  # (N, 1 + T)
    _, rows, sizes = np.unique(answers, axis=0, return_index=True, return_counts=True)  # (U,) each, by truth
    return _resamples(truth, rows, np.arange(len(rows)), _draw_units(sizes, n_replicates, seed))


def _resample_groups(truth: Truth, n_replicates: int, seed: int) -> Resamples:
    rows = np.argsort(truth.classes, kind="stable")
    names, unit = np.unique(truth.groups[rows], return_inverse=True)
    weights = _draw_units(np.ones(len(names), dtype=np.int64), n_replicates, seed)
    return _resamples(truth, rows, unit, weights)


def _resamples(truth: Truth, rows: Indices, unit: Indices, weights: Floats) -> Resamples:
    classes, n_classes = truth.classes[rows], truth.n_classes
    sizes = np.bincount(unit * n_classes + classes, minlength=weights.shape[1] * n_classes).reshape(-1, n_classes)  # (U, K)
    n_units = int(weights[0].sum())
    assert n_units * sizes.sum(axis=1).max() < _EXACT, "float32 holds these counts exactly"
    return Resamples(
        rows=rows,
        starts=np.searchsorted(classes, np.arange(n_classes + 1)),
        unit=unit,
        weights=weights,
        actual=(weights @ sizes.astype(np.float32)).astype(np.float64),
        unit_name="speakers" if truth.has_groups else "clips",
        n_units=n_units,
    )


def _draw_units(sizes: Counts, n_replicates: int, seed: int) -> Floats:
    return np.random.default_rng(seed).multinomial(sizes.sum(), sizes / sizes.sum(), size=n_replicates).astype(np.float32)


def _draw_rows(n_rows: int, n_replicates: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    weights = np.empty((n_replicates, n_rows), dtype=np.float32)
    for counts in weights:  # drawing row numbers and counting them: the multinomial, five times faster than by its cells
        counts[:] = np.bincount(rng.integers(0, n_rows, size=n_rows, dtype=np.uint32), minlength=n_rows)
    return weights
