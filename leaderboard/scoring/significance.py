"""Ranks with their uncertainty: which differences between teams are more than chance, and what that says of each rank.

R resamples, T teams, best first, U resampled units. A statement on all ranks at once holds for all pairs of teams at once, with
95 % (Mogstad, Romano, Shaikh and Wilhelm 2024, "Inference for ranks with applications to mobility across neighbourhoods and
academic achievement across countries", Review of Economic Studies 91). The largest of all differences between replicates and
scores, each over its standard deviation, has its 95 % point in the resamples; times sqrt(U / (U - 1)) and read as a normal
tail, it is the level at which each pair is compared with Student's t with U - 1 degrees of freedom: with few speakers the
bootstrap has too light a tail, and of many pairs some have too small a spread. Pairs that differ leave the family, and the
others are compared again (Romano and Wolf 2005). Below ten units each pair has its equal share of 5 % instead (Bonferroni),
and no single team is first. `benchmarks/rank_coverage.py` measures how often all ranks are right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from arena.base.scores import LEVEL, Values
from leaderboard.scoring.letters import write_letters
from leaderboard.scoring.student_t import find_t_limit
from leaderboard.standings import FEWEST_UNITS, Evidence

_SAME = 1e-12
_NO_SPREAD = 1e-7  # a standard deviation below it is that of rounding
_MOST_DIFFERENCES = 200_000_000  # replicates by pairs; a board of 1,000 teams takes 400 replicates of 500,000 pairs
_FEWEST_REPLICATES = 400
_MOST_CELLS = 100_000  # teams by teams; a larger one is compared in one step, which widens its intervals a little
_ALPHA = 1 - LEVEL

Floats = npt.NDArray[np.float32]
Pairs = npt.NDArray[np.bool_]  # (T, T)


@dataclass(frozen=True, kw_only=True, slots=True)
class RankStatements:
    """Statements on T teams, best first, which all hold at once with 95 %."""

    low: tuple[int, ...]  # best rank that a team may have
    high: tuple[int, ...]  # worst
    letters: tuple[str, ...]  # teams that share one cannot be told apart
    smallest_difference: float | None  # as in `ScoreDifferences`


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ScoreDifferences:
    """Differences of all pairs of T teams."""

    is_below: Pairs  # team i lies below team j by more than chance
    smallest_difference: float | None  # told from chance between most pairs of the better half; None where none is


def compare_teams(scores: Values, replicates: Values, evidence: Evidence) -> RankStatements:
    """Compare (T,) scores, best first, by their paired (R, T) replicates; where evidence names no leader, two may be first."""
    differences = find_differences(scores, replicates, evidence.n_units)
    is_below = differences.is_below
    if len(scores) > 1 and not evidence.names_leader and is_below[1:].any(axis=1).all():
        is_below[1] = False
    return RankStatements(
        low=tuple((1 + is_below.sum(axis=1)).tolist()),
        high=tuple((len(scores) - is_below.sum(axis=0)).tolist()),
        letters=write_letters(is_below | is_below.T),
        smallest_difference=differences.smallest_difference,
    )


def find_differences(scores: Values, replicates: Values, n_units: int) -> ScoreDifferences:
    """Find the differences of (T,) scores that are more than chance, for all pairs at once, from (R, T) replicates.

    Where all replicates of a pair differ alike, each unit speaks for the same team: the sign test's 2 ** (1 - U).
    """
    gaps = scores[None] - scores[:, None]  # (T, T), above zero where j has the better score
    if n_units < 2 or len(scores) < 2:
        return ScoreDifferences(is_below=np.zeros_like(gaps, dtype=np.bool_), smallest_difference=None)
    deviations = _compute_deviations(replicates)
    t = np.full_like(gaps, find_t_limit(2.0 ** (1 - n_units), n_units - 1))
    errors = deviations * math.sqrt(n_units / (n_units - 1))
    np.divide(gaps, errors, out=t, where=errors > 0)
    is_open = np.triu(np.ones_like(gaps, dtype=np.bool_), 1)
    centred = np.ascontiguousarray((replicates - scores).T, dtype=np.float32)  # (T, R)
    while True:
        limit = _find_limit(centred, np.where(is_open, deviations, 0), n_units, int(is_open.sum()))
        is_below = (gaps > _SAME) & (t > limit)
        still_open = is_open & ~(is_below | is_below.T)
        if not still_open.any() or np.array_equal(still_open, is_open) or still_open.size > _MOST_CELLS:
            n_better = max(2, len(scores) // 2)
            median = float(np.median(errors[:n_better, :n_better][np.triu_indices(n_better, 1)]))
            return ScoreDifferences(is_below=is_below, smallest_difference=limit * median if median else None)
        is_open = still_open


def _compute_deviations(replicates: Values) -> Values:
    """Return the (T, T) standard deviations of the differences; 0 where all replicates differ alike."""
    centred = replicates - replicates.mean(axis=0)
    covariance = centred.T @ centred / len(centred)
    variance = np.diag(covariance)
    deviations = np.sqrt(np.maximum(0, variance[:, None] + variance - 2 * covariance))
    return np.where(deviations > _NO_SPREAD, deviations, 0)


def _find_limit(centred: Floats, deviations: Values, n_units: int, n_pairs: int) -> float:
    """Return the t beyond which a pair of the open family differs; deviations of all other pairs are 0."""
    if n_units < FEWEST_UNITS:
        return find_t_limit(_ALPHA / n_pairs, n_units - 1)
    n_replicates = min(centred.shape[1], max(_FEWEST_REPLICATES, _MOST_DIFFERENCES // n_pairs))
    inverse = np.divide(1, deviations, out=np.zeros_like(deviations), where=deviations > 0).astype(np.float32)
    drawn = np.ascontiguousarray(centred[:, :n_replicates])
    largest, buffer = np.zeros(n_replicates, dtype=np.float32), np.empty_like(drawn)
    for team, column in enumerate(drawn[:-1]):
        differences = np.subtract(drawn[team + 1 :], column, out=buffer[team + 1 :])
        np.abs(differences, out=differences)
        differences *= inverse[team, team + 1 :, None]
        np.maximum(largest, differences.max(axis=0), out=largest)
    point = float(np.quantile(largest, LEVEL)) * math.sqrt(n_units / (n_units - 1))
    return find_t_limit(min(_ALPHA, math.erfc(point / math.sqrt(2))), n_units - 1)


def standard_error(replicates: Values, n_units: int) -> float:
    """Return the standard error of a difference from paired (R, 2) replicates, corrected for the bootstrap's 1/n."""
    return float(np.std(replicates[:, 0] - replicates[:, 1])) * math.sqrt(n_units / max(1, n_units - 1))
