"""Attempts as values, and the ranking made of them; a rank is never stored."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from leaderboard.statistics import Interval

_SAME = 1e-12  # scores this near are equal: the same fractions summed in another order differ by less


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """A stored score. Without a Usage column all rows are public."""

    number: int  # from 1
    macro_f1: float  # of the public rows, or of the private ones in private standings
    accuracy: float  # of the same rows
    arrived_at: datetime  # UTC
    digest: str  # SHA-256 of the submission
    file_name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """One line of the ranking. Teams without an attempt have none."""

    rank: int  # from 1; equal scores share it
    team: str
    macro_f1: float  # of the attempt that counts
    accuracy: float
    interval: Interval  # of macro_f1
    best: int  # number of the attempt that counts
    n_attempts: int
    attempts: tuple[Attempt, ...]  # by number


def best_attempt(attempts: Sequence[Attempt]) -> Attempt:
    """The attempt with the best score, the first among equals."""
    top = max(attempt.macro_f1 for attempt in attempts)
    return next(attempt for attempt in attempts if _is_same(attempt.macro_f1, top))


def ranks(scores: Mapping[str, float]) -> dict[str, int]:
    """The rank of each name, from 1; equal scores share one and the next is skipped (1, 1, 3)."""
    result: dict[str, int] = {}
    previous, rank = math.inf, 0
    for at, (name, score) in enumerate(sorted(scores.items(), key=lambda item: -item[1]), start=1):
        rank = rank if _is_same(score, previous) else at
        result[name], previous = rank, score
    return result


def _is_same(score: float, other: float) -> bool:
    return math.isclose(score, other, rel_tol=0, abs_tol=_SAME)
