"""Paired bootstrap: the same resamples for every team, so that a difference of two is as sure as it is.

R resamples, U units drawn (speakers or clips), N rows, T teams, K classes. Drawing U units with replacement and counting them
is a multinomial draw; every count that F1 needs is then a product of that (R, U) matrix with counts by unit. The products are
of whole numbers below 2**24, which float32 holds exactly.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from leaderboard.grading import Part, rows_of
from leaderboard.scoring import Counts, Indices, Values, confusion_matrix, f1
from leaderboard.solution import Solution
from leaderboard.statistics import LEVEL, MIN_GROUPS, N_REPLICATES, Interval

Floats = npt.NDArray[np.float32]
_MAX_CELLS = 16_000_000  # of a matrix of ones and zeros, to bound memory
_EXACT = 2**24


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Resamples:
    """Draws of one part of a solution. Rows are sorted by truth, so that each class is a slice."""

    rows: Indices = field(repr=False)  # (N,) row numbers of the solution
    starts: Indices = field(repr=False)  # (K + 1,) where the classes begin in them
    unit: Indices = field(repr=False)  # (N,) which unit a row belongs to
    weights: Floats = field(repr=False)  # (R, U) how often each unit was drawn
    actual: Values = field(repr=False)  # (R, K) rows of each class in each resample
    unit_name: str  # speakers or clips

    @property
    def n_units(self) -> int:
        return int(self.weights.shape[1])

    def confusion(self, predicted: Indices, solution: Solution) -> Counts:
        """(K, K) of the rows that are drawn from, for (N of the solution,) predicted classes."""
        return confusion_matrix(solution.truth[self.rows], predicted[self.rows], len(solution.labels))

    def macro_f1(self, predicted: Indices) -> Values:
        """(R, T) macro-F1 of each resample, from (T, N of the solution) predicted classes."""
        n_at_once = max(1, _MAX_CELLS // (len(self.rows) * (len(self.starts) - 1)))
        chunks = [predicted[start : start + n_at_once] for start in range(0, len(predicted), n_at_once)]
        return np.concatenate([self._macro_f1(chunk[:, self.rows]) for chunk in chunks], axis=1)

    def _macro_f1(self, predicted: Indices) -> Values:
        by_class = self._weighted_rows if self.unit_name == "clips" else self._weighted_units
        hits, guessed = by_class(predicted)  # (R, T, K) each
        return np.asarray(f1(hits, self.actual[:, None, :], guessed).mean(axis=2))

    def _weighted_rows(self, predicted: Indices) -> tuple[Floats, Floats]:
        n_teams, n_classes = len(predicted), len(self.starts) - 1
        is_guessed = predicted.T[:, :, None] == np.arange(n_classes)  # (N, T, K)
        guessed = self.weights @ is_guessed.reshape(len(self.rows), -1).astype(np.float32)
        hits = np.empty((len(self.weights), n_teams, n_classes), dtype=np.float32)
        for k, (start, end) in enumerate(itertools.pairwise(self.starts)):
            hits[:, :, k] = self.weights[:, start:end] @ is_guessed[start:end, :, k].astype(np.float32)
        return hits, guessed.reshape(hits.shape)

    def _weighted_units(self, predicted: Indices) -> tuple[Floats, Floats]:
        n_teams, n_classes = len(predicted), len(self.starts) - 1
        n_cells = self.n_units * n_classes
        is_hit = predicted == np.repeat(np.arange(n_classes), np.diff(self.starts))  # (T, N)
        cells = self.unit * n_classes + predicted  # (T, N)
        guessed = np.stack([np.bincount(row, minlength=n_cells) for row in cells])
        hits = np.stack([np.bincount(row[hit], minlength=n_cells) for row, hit in zip(cells, is_hit, strict=True)])
        shape = (len(self.weights), n_teams, n_classes)
        products = (self.weights @ _by_unit(counts, self.n_units) for counts in (hits, guessed))
        first, second = (product.reshape(shape) for product in products)
        return first, second


def _by_unit(counts: Indices, n_units: int) -> Floats:
    """(U, T * K) from (T, U * K)."""
    n_teams = len(counts)
    return np.ascontiguousarray(counts.reshape(n_teams, n_units, -1).swapaxes(0, 1).reshape(n_units, -1), dtype=np.float32)


def resamples(solution: Solution, part: Part, *, n_replicates: int = N_REPLICATES, seed: int = 0) -> Resamples:
    """The draws for a part: over speakers where at least five have rows there, over clips otherwise."""
    rows = rows_of(solution, part)
    rows = rows[np.argsort(solution.truth[rows], kind="stable")]
    truth = solution.truth[rows]
    names, unit = np.unique(solution.group[rows], return_inverse=True)
    is_by_group = len(names) >= MIN_GROUPS
    weights = _drawn_units(len(names), n_replicates, seed) if is_by_group else _drawn_rows(len(rows), n_replicates, seed)
    unit = unit if is_by_group else np.arange(len(rows))
    n_classes = len(solution.labels)
    sizes = np.bincount(unit * n_classes + truth, minlength=weights.shape[1] * n_classes).reshape(-1, n_classes)
    assert weights.sum(axis=1).max() * sizes.sum(axis=1).max() < _EXACT, "float32 holds these counts exactly"
    return Resamples(
        rows=rows,
        starts=np.searchsorted(truth, np.arange(n_classes + 1)),
        unit=unit,
        weights=weights,
        actual=(weights @ sizes.astype(np.float32)).astype(np.float64)
        if is_by_group
        else _class_sizes(weights, truth, n_classes),
        unit_name="speakers" if is_by_group else "clips",
    )


def _class_sizes(weights: Floats, truth: Indices, n_classes: int) -> Values:
    starts = np.searchsorted(truth, np.arange(n_classes + 1))
    sums = [weights[:, start:end].sum(axis=1) for start, end in itertools.pairwise(starts)]
    return np.stack(sums, axis=1).astype(np.float64)


def _drawn_units(n_units: int, n_replicates: int, seed: int) -> Floats:
    shares = np.full(n_units, 1 / n_units)
    return np.random.default_rng(seed).multinomial(n_units, shares, size=n_replicates).astype(np.float32)


def _drawn_rows(n_rows: int, n_replicates: int, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    drawn = np.empty((n_replicates, n_rows), dtype=np.float32)
    for counts in drawn:  # drawing row numbers and counting them: the multinomial, five times faster than by its cells
        counts[:] = np.bincount(rng.integers(0, n_rows, size=n_rows, dtype=np.uint32), minlength=n_rows)
    return drawn


def interval(scores: Values, drawn: Resamples) -> Interval:
    """The percentile interval of (R,) scores."""
    low, high = np.quantile(scores, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(
        low=float(low), high=float(high), level=LEVEL, n_replicates=len(scores), unit=drawn.unit_name, n_units=drawn.n_units
    )
