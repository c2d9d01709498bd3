"""Parameter importance by PED-ANOVA (Watanabe, Bansal and Hutter 2023, equation 16), in numpy alone, less what chance gives.

It is the divergence of a parameter's distribution among the best trials from that among all trials. The forests of fANOVA
take a second and a half to import and half a second a study. Few trials diverge by themselves, the more so along a fine
parameter: of two best trials of five the divergence says where these two lie, whatever their values are. Hence the mean
divergence of shuffled results is taken off, and nothing is said where the largest excess is one that shuffling reaches.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST_TRIALS = 12  # of fewer the best quarter is two trials
BEST_SHARE = 0.25
_N_SHUFFLES = 100
_LEVEL = 0.95  # share of shuffles that the largest excess has to surpass
_N_GRID = 64
_PRIOR = 1.0  # pseudo-trials of a uniform distribution: no value has probability zero because no trial had it


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterColumn:
    """One parameter over N trials."""

    name: str
    values: tuple[object, ...]  # (N,)
    is_log: bool
    is_categorical: bool


def explain_absence(n_completed: int) -> str:
    """Return the reason why a study of so many finished or pruned trials has no importances."""
    if n_completed < FEWEST_TRIALS:
        return f"importances need {FEWEST_TRIALS} trials, finished or pruned; this study has {n_completed}"
    return f"no parameter stands out from chance in {n_completed} trials"


def compute_importances(columns: Sequence[ParameterColumn], losses: Sequence[float]) -> dict[str, float]:
    """Return the share of each parameter, sum 1, largest first; empty for too few trials or where none stands out from chance.

    Args:
        losses: (N,) of the same trials, lower is better.
    """
    if len(losses) < FEWEST_TRIALS or not columns:
        return {}
    ordered = np.sort(np.asarray(losses, dtype=np.float64))
    is_best = np.asarray(losses) <= ordered[math.ceil(BEST_SHARE * len(ordered)) - 1]
    draw = np.random.default_rng(0)
    selections = np.array([is_best, *(draw.permutation(is_best) for _ in range(_N_SHUFFLES))])  # (1 + _N_SHUFFLES, N)
    divergences = np.array([_divergences(column, selections) for column in columns])  # (K, 1 + _N_SHUFFLES)
    excess = divergences - divergences[:, 1:].mean(axis=1, keepdims=True)
    if excess[:, 0].max() <= max(np.quantile(excess[:, 1:].max(axis=0), _LEVEL), 0):
        return {}
    shares = np.maximum(excess[:, 0], 0)
    pairs = zip((column.name for column in columns), (shares / shares.sum()).tolist(), strict=True)
    return dict(sorted(pairs, key=lambda pair: (-pair[1], pair[0])))


def _divergences(column: ParameterColumn, selections: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return Pearson's divergence of each selection (P, N) from all trials; 0 for a parameter that does not vary."""
    if len(set(map(str, column.values))) < 2:
        return np.zeros(len(selections))
    densities = _shares if column.is_categorical else _smooth
    every = densities(column, np.ones_like(selections[:1]))  # (1, values)
    return np.asarray((every * (densities(column, selections) / every - 1) ** 2).sum(axis=1))


def _shares(column: ParameterColumn, selections: NDArray[np.bool_]) -> NDArray[np.float64]:
    names = sorted(set(map(str, column.values)))
    is_level = np.array(list(map(str, column.values)))[:, None] == names  # (N, levels)
    counts = selections.astype(np.float64) @ is_level
    return np.asarray((counts + _PRIOR / len(names)) / (counts.sum(axis=1, keepdims=True) + _PRIOR))


def _smooth(column: ParameterColumn, selections: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return Gaussian kernel estimates (P, _N_GRID) with Scott's width over the range of all values, set to the grid."""
    values = np.array([float(str(value)) for value in column.values])
    values = np.log(values) if column.is_log and values.min() > 0 else values
    cells = np.round((values - values.min()) / np.ptp(values) * (_N_GRID - 1)).astype(int)  # (N,)
    counts = selections.astype(np.float64) @ (cells[:, None] == np.arange(_N_GRID))  # (P, _N_GRID)
    n = counts.sum(axis=1, keepdims=True)
    mean, square = counts @ np.arange(_N_GRID)[:, None] / n, counts @ np.arange(_N_GRID)[:, None] ** 2 / n
    width = np.maximum(1.059 * np.sqrt(np.maximum(square - mean**2, 0)) * n**-0.2, 1)  # (P, 1), in cells
    distances = np.abs(np.arange(_N_GRID)[:, None] - np.arange(_N_GRID))
    kernels = np.exp(-0.5 * (np.arange(_N_GRID) / width) ** 2)[:, distances]  # (P, _N_GRID, _N_GRID)
    sums = (kernels @ (counts / kernels.sum(axis=1))[:, :, None])[:, :, 0]
    return np.asarray((sums + _PRIOR / _N_GRID) / (n + _PRIOR))
