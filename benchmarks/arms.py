"""What a comparison is: two arms that give equal results, a floor for their ratio, and rounds in which they take turns."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

Round = Callable[[], float]  # does the work once and gives units a second


class UnequalError(Exception):
    """Two arms do not give the same result, so that their speeds say nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Ours against theirs."""

    what: str
    against: str
    unit: str  # of what a second is filled with
    floor: float  # the least ratio that we stand for
    ours: Round
    theirs: Round
    check: Callable[[], str]  # says how equal the results are; raises UnequalError where they are not


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Medians of the rounds."""

    comparison: Comparison
    equality: str
    ours: float
    theirs: float
    ratio: float
    least: float  # of the rounds
    greatest: float
    n_rounds: int

    @property
    def holds(self) -> bool:
        return self.ratio >= self.comparison.floor


def compare(comparison: Comparison, n_rounds: int) -> Finding:
    """Medians of `n_rounds`, after a check; each round is ours, then theirs, the next theirs, then ours.

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


def equal_within(what: str, values: Sequence[float], tolerance: float) -> str:
    """A sentence on values that agree.

    Raises:
        UnequalError: neighbours of them differ by more than `tolerance`, or one is no number.
    """
    shown = ", ".join(f"{value:.6g}" for value in values)
    if not all(abs(one - other) <= tolerance for one, other in pairwise(values)):
        raise UnequalError(f"{what} are {shown}: they differ by more than {tolerance:g}")
    return f"{what} {shown}"
