"""Comparison of two arms: a check that their results are equal, interleaved rounds, and a floor for their ratio."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

Round = Callable[[], float]  # does the work once and returns units per second


class UnequalError(Exception):
    """Two arms do not give the same result, so that their speeds say nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Ours against theirs."""

    name: str
    against: str
    unit: str  # counted per second
    floor: float  # least ratio that the project stands for
    ours: Round
    theirs: Round
    check: Callable[[], str]  # describes how equal the results are, or raises UnequalError


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Medians of the rounds, with the least and the greatest ratio."""

    comparison: Comparison
    equality: str
    ours: float
    theirs: float
    ratio: float
    least: float
    greatest: float
    n_rounds: int

    @property
    def holds(self) -> bool:
        return self.ratio >= self.comparison.floor


def compare(comparison: Comparison, n_rounds: int) -> Finding:
    """Check the arms and return medians of `n_rounds`, in which the arms take turns at being first.

    Raises:
        UnequalError: the arms differ.
    """
    equality = comparison.check()
    pairs = []
    for number in range(n_rounds):
        if number % 2:
            theirs, ours = comparison.theirs(), comparison.ours()
        else:
            ours, theirs = comparison.ours(), comparison.theirs()
        pairs.append((ours, theirs))
    ratios = [ours / theirs for ours, theirs in pairs]
    return Finding(
        comparison=comparison,
        equality=equality,
        ours=statistics.median(ours for ours, _ in pairs),
        theirs=statistics.median(theirs for _, theirs in pairs),
        ratio=statistics.median(ratios),
        least=min(ratios),
        greatest=max(ratios),
        n_rounds=n_rounds,
    )


def equal_within(name: str, values: Sequence[float], tolerance: float) -> str:
    """Return a sentence on values that agree.

    Raises:
        UnequalError: neighbours differ by more than `tolerance`, or a value is NaN.
    """
    text = ", ".join(f"{value:.6g}" for value in values)
    if not all(abs(a - b) <= tolerance for a, b in pairwise(values)):
        raise UnequalError(f"{name} are {text}: they differ by more than {tolerance:g}")
    return f"{name} {text}"
