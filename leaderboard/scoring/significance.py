"""Significance of the differences between teams, and a sentence on the lead of the first.

R resamples, T teams in the order of their ranks. A difference, divided by its standard deviation over the paired resamples,
is compared with Student's t with one degree of freedom less than resampled units; Holm (1979) keeps the probability of even
one false difference in a family of comparisons below 5 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arena.base.scores import Values

ALPHA = 0.05
_SAME = 1e-12
_MOST_NAMES = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamComparison:
    """Tests of the differences between T teams, best first."""

    is_tied_with_above: tuple[bool, ...]  # (T,) False for the first
    could_be_first: tuple[bool, ...]  # (T,) not significantly below the first; True for the first
    p_second: float | None  # p-value of the first against the second, after Holm; None for one team


def compare_teams(scores: Values, replicates: Values, n_units: int) -> TeamComparison:
    """Test (T,) scores from their (R, T) replicates: neighbours are one family, the first against all another."""
    n_teams = len(scores)
    if n_teams < 2:
        return TeamComparison(is_tied_with_above=(False,) * n_teams, could_be_first=(True,) * n_teams, p_second=None)
    neighbours = adjust_by_holm(
        [compute_p_value(scores[n - 1 : n + 1], replicates[:, n - 1 : n + 1], n_units) for n in range(1, n_teams)]
    )
    with_first = adjust_by_holm([compute_p_value(scores[[0, n]], replicates[:, [0, n]], n_units) for n in range(1, n_teams)])
    return TeamComparison(
        is_tied_with_above=(False, *(p > ALPHA for p in neighbours)),
        could_be_first=(True, *(p > ALPHA for p in with_first)),
        p_second=with_first[0],
    )


def standard_error(replicates: Values, n_units: int) -> float:
    """Return the standard error of a difference from paired (R, 2) replicates, corrected for the bootstrap's 1/n."""
    return float(np.std(replicates[:, 0] - replicates[:, 1])) * math.sqrt(n_units / max(1, n_units - 1))


def compute_p_value(scores: Values, replicates: Values, n_units: int) -> float:
    """Return the two-sided p-value of the difference of (2,) scores, from their paired (R, 2) replicates.

    Where all replicates differ alike, each unit speaks for the same team: the sign test's 2 ** (1 - n), 1 of a single unit.
    """
    difference, error = abs(float(scores[0] - scores[1])), standard_error(replicates, n_units)
    if difference <= _SAME:
        return 1.0
    return compute_t_tail(difference / error, n_units - 1) if error > 0 else 2.0 ** (1 - n_units)


def compute_t_tail(t: float, n_degrees: int) -> float:
    """Return the two-sided tail of Student's t at `t` >= 0, by Abramowitz and Stegun 26.7.3 and 26.7.4."""
    if n_degrees > 1000:  # the normal differs by less than 0.1 % there
        return math.erfc(t / math.sqrt(2))
    theta = math.atan(t / math.sqrt(n_degrees))
    cosine = math.cos(theta)
    is_odd = n_degrees % 2 == 1
    term = total = (cosine if is_odd else 1.0) if n_degrees > 1 else 0.0
    for k in range(3 if is_odd else 2, n_degrees - 1, 2):
        term *= cosine**2 * (k - 1) / k
        total += term
    inside = (theta + math.sin(theta) * total) * 2 / math.pi if is_odd else math.sin(theta) * total
    return max(0.0, 1 - inside)


def adjust_by_holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for their number, step by step from the smallest (Holm 1979)."""
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for n_before, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        largest = max(largest, min(1.0, (len(p_values) - n_before) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def describe_leader(names: Sequence[str], scores: Values, tests: TeamComparison, unit: str) -> str:
    """Describe the lead of the first of T teams, best first, or the teams that share it."""
    if not names:
        return "No team has an attempt yet."
    if len(names) == 1:
        return f"{names[0]} is the only team with an attempt."
    leaders = [name for name, could in zip(names, tests.could_be_first, strict=True) if could]
    if len(leaders) == 1:
        lead = float(abs(scores[0] - scores[1]))
        assert tests.p_second is not None
        chance = "p < 0.001" if tests.p_second < 0.001 else f"p = {tests.p_second:.3f}"
        return (
            f"{names[0]} is first: its lead of {lead:.4f} over {names[1]} is more than chance explains ({chance} over {unit})."
        )
    visible = (
        leaders if len(leaders) <= _MOST_NAMES else [*leaders[: _MOST_NAMES - 1], f"{len(leaders) - _MOST_NAMES + 1} more"]
    )
    listed = f"{', '.join(visible[:-1])} and {visible[-1]}"
    if abs(float(scores[0] - scores[len(leaders) - 1])) <= _SAME:
        return f"{listed} share the first place with the same score."
    return f"{listed} cannot be told apart: with other {unit} any of them could be first."
