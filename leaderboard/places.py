"""The best public score of each team, kept in order: the rank of one team without a look at all the others."""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from datetime import datetime

from leaderboard.rules import Ties
from leaderboard.standings import Attempt, best_attempt, is_same

_Place = tuple[float, datetime, int]  # the score, so that the best is least; when it arrived; the team


@dataclass(kw_only=True, slots=True)
class Places:
    """By the contest's rules. Not safe to share between threads: whoever keeps it has the lock."""

    is_lower_better: bool
    ties: Ties
    _ordered: list[_Place] = field(default_factory=list)
    _of_team: dict[int, _Place] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._ordered)

    def put(self, team_id: int, attempts: tuple[Attempt, ...]) -> None:
        """Keep the best of a team's attempts in place of what was kept of it."""
        if (before := self._of_team.get(team_id)) is not None:
            del self._ordered[bisect.bisect_left(self._ordered, before)]
        best = best_attempt(attempts, self.is_lower_better)
        place = self._of_team[team_id] = (best.score if self.is_lower_better else -best.score, best.arrived_at, team_id)
        bisect.insort(self._ordered, place)

    def rank(self, team_id: int) -> int:
        """From 1; as `standings.ranks` has it, and `standings.split_by_arrival` where the earlier stands above."""
        own = self._of_team[team_id]
        first = last = bisect.bisect_left(self._ordered, own)
        while first > 0 and is_same(self._ordered[first - 1][0], self._ordered[first][0]):
            first -= 1
        if self.ties is Ties.SHARE:
            return first + 1
        while last + 1 < len(self) and is_same(self._ordered[last + 1][0], self._ordered[last][0]):
            last += 1
        return first + 1 + sum(arrived_at < own[1] for _, arrived_at, _ in self._ordered[first : last + 1])
