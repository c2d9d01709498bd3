"""Points by standing: a bonus for the winner, points by rank, or by thresholds of the score. Equal ranks get equal points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from leaderboard.errors import ContestError

_SAME = 1e-12
_DIGITS = 2  # decimals of points


class PointsBy(StrEnum):
    """What decides the points."""

    WINNER = "winner"
    RANK = "rank"
    THRESHOLDS = "thresholds"


@dataclass(frozen=True, kw_only=True, slots=True)
class PointsRule:
    """How points are made. `rank`: linear from `most` to `least`, or `by_rank`; `thresholds`: score and points, best first."""

    by: PointsBy
    bonus: float = 0.0
    most: float = 0.0
    least: float = 0.0
    by_rank: Sequence[float] = ()
    thresholds: Sequence[tuple[float, float]] = ()

    def compute(self, rank: int, n_ranked: int, score: float, *, is_lower_better: bool = False) -> float:
        """Return the points of a team of that rank, from 1, among `n_ranked` teams that count."""
        if self.by is PointsBy.WINNER:
            return self.bonus if rank == 1 else 0.0
        if self.by is PointsBy.THRESHOLDS:
            return next((points for least, points in self.thresholds if _reaches(score, least, is_lower_better)), 0.0)
        if self.by_rank:
            return self.by_rank[rank - 1] if rank <= len(self.by_rank) else 0.0
        share = (rank - 1) / (n_ranked - 1) if n_ranked > 1 else 0.0
        return round(self.most - share * (self.most - self.least), _DIGITS)


def _reaches(score: float, least: float, is_lower_better: bool) -> bool:
    is_same = math.isclose(score, least, rel_tol=0, abs_tol=_SAME)  # 0.9 is reached by nine tenths, however they were summed
    return is_same or (score < least if is_lower_better else score > least)


def parse_points(by: PointsBy, text: str | None, bonus: float, *, is_lower_better: bool = False) -> PointsRule:
    """Return the rule of `--by` and `--points`: "10:1" or "10,8,6" by rank, "0.9:10,0.8:8" by thresholds.

    Raises:
        ContestError: the points are missing, unreadable, negative, or fall where they should rise.
    """
    if by is PointsBy.WINNER:
        if text is not None:
            raise ContestError("--points belongs to --by rank or --by thresholds; the winner's are --bonus")
        return PointsRule(by=by, bonus=bonus)
    example = '"10:1" (first to last) or "10,8,6" (rank by rank)' if by is PointsBy.RANK else '"0.9:10,0.8:8" (score:points)'
    if text is None:
        raise ContestError(f"--by {by} needs --points, such as {example}")
    try:
        pairs = [[float(number) for number in part.split(":")] for part in text.split(",")]
    except ValueError as error:
        raise ContestError(f"--points is {example} and not {text[:60]!r}; write it so") from error
    if not all(number >= 0 for pair in pairs for number in pair):  # also refuses nan
        raise ContestError(f"points and scores are 0 or more and {text[:60]!r} has others; write --points as {example}")
    if by is PointsBy.THRESHOLDS and all(len(pair) == 2 for pair in pairs):
        best_first = sorted(((score, points) for score, points in pairs), reverse=not is_lower_better)
        points = [points for _, points in best_first]
        if points != sorted(points, reverse=True) or len({score for score, _ in best_first}) < len(best_first):
            raise ContestError(f"a better score has no fewer points, and {text[:60]!r} says otherwise; correct --points")
        return PointsRule(by=by, thresholds=best_first)
    if by is PointsBy.RANK and len(pairs) == 1 and len(pairs[0]) == 2 and pairs[0][0] >= pairs[0][1]:
        return PointsRule(by=by, most=pairs[0][0], least=pairs[0][1])
    numbers = [pair[0] for pair in pairs]
    if by is PointsBy.RANK and all(len(pair) == 1 for pair in pairs) and numbers == sorted(numbers, reverse=True):
        return PointsRule(by=by, by_rank=numbers)
    raise ContestError(f"--points of --by {by} is {example}, best first, and not {text[:60]!r}; write it so")
