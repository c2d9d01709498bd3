"""What one process remembers of a contest: parsed files, attempts, replicates. All of it is read again when it is not there."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import Connection, func, select

from leaderboard import schema
from leaderboard.grading import Part
from leaderboard.metric import Metric, load_metric
from leaderboard.records import Scores, n_rows, read_attempts, read_predicted
from leaderboard.resamples import Resamples, resamples
from leaderboard.scoring import Values
from leaderboard.solution import Solution, parse_solution
from leaderboard.standings import Attempt, Standing

_Attempts = dict[int, tuple[Attempt, ...]]  # by team id


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """Standings and what they say of the first, as of one revision of the contest."""

    revision: str
    lines: tuple[Standing, ...]
    sentence: str


@dataclass(kw_only=True, slots=True)
class _Kept:
    stamp: tuple[int, ...]  # of what the host did: any such act may change any attempt
    newest: int
    by_team: _Attempts


@dataclass(kw_only=True, slots=True)
class Memory:
    """Safe to share between threads."""

    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _solutions: dict[str, Solution] = field(default_factory=dict, repr=False)
    _metrics: dict[str, Metric] = field(default_factory=dict, repr=False)
    _scores: Scores = field(default_factory=Scores, repr=False)
    _kept: dict[Part, _Kept] = field(default_factory=dict, repr=False)
    _resamples: dict[tuple[str, Part], Resamples] = field(default_factory=dict, repr=False)
    _replicates: dict[tuple[str, Part, str], Values] = field(default_factory=dict, repr=False)
    rankings: dict[Part, Ranking] = field(default_factory=dict, repr=False)  # the last of each part

    def solution(self, connection: Connection, digest: str) -> Solution:
        """The solution of that digest."""
        with self._lock:
            if digest not in self._solutions:
                self._solutions[digest] = parse_solution(_content(connection, digest), "solution.csv")
            return self._solutions[digest]

    def metric(self, connection: Connection, digest: str | None) -> Metric | None:
        """The host's own metric of that digest; None for none."""
        if digest is None:
            return None
        with self._lock:
            if digest not in self._metrics:
                self._metrics[digest] = load_metric(_content(connection, digest), "metric.py")
            return self._metrics[digest]

    def attempts(self, connection: Connection, part: Part) -> _Attempts:
        """All attempts by team id, by number. What arrived since the last call is read, the rest remembered."""
        stamp, newest, n = _state(connection)
        with self._lock:
            kept = self._kept.get(part)
            if kept is None or kept.stamp != stamp:
                kept = _Kept(stamp=stamp, newest=0, by_team={})
            if sum(map(len, kept.by_team.values())) != n:
                self._add(connection, part, kept)
            if sum(map(len, kept.by_team.values())) != n:  # an earlier number was stored after a later one
                kept = _Kept(stamp=stamp, newest=0, by_team={})
                self._add(connection, part, kept)
            kept.newest = newest
            self._kept[part] = kept
            return dict(kept.by_team)

    def _add(self, connection: Connection, part: Part, kept: _Kept) -> None:
        kept.by_team |= read_attempts(connection, self._scores, part, after=kept.newest, before=kept.by_team)

    def resamples(self, solution: Solution, part: Part) -> Resamples:
        """The draws of a part of the solution, the same for all teams."""
        with self._lock:
            if (solution.digest, part) not in self._resamples:
                self._resamples[solution.digest, part] = resamples(solution, part)
            return self._resamples[solution.digest, part]

    def replicates(self, connection: Connection, solution: Solution, part: Part, digests: Sequence[str]) -> Values:
        """(R, T) macro-F1 of each resample for each submission."""
        with self._lock:
            drawn = self.resamples(solution, part)
            unknown = [one for one in dict.fromkeys(digests) if (solution.digest, part, one) not in self._replicates]
            if unknown:
                predicted = read_predicted(connection, unknown)
                columns = drawn.macro_f1(np.stack([predicted[one] for one in unknown]))
                for one, column in zip(unknown, columns.T, strict=True):
                    self._replicates[solution.digest, part, one] = column.copy()
            return np.stack([self._replicates[solution.digest, part, one] for one in digests], axis=1)


def _content(connection: Connection, digest: str) -> bytes:
    content = connection.scalar(select(schema.files.c.content).where(schema.files.c.digest == digest))
    assert content is not None, "a digest in the contest is one of a kept file"
    return bytes(content)


_N_LIVE = (
    select(func.count())
    .select_from(schema.attempts.join(schema.teams))
    .where(schema.teams.c.merged_into.is_(None))
    .scalar_subquery()
)
_NEWEST = select(func.coalesce(func.max(schema.attempts.c.id), 0)).scalar_subquery()
_STATE = select(n_rows(schema.host_log), n_rows(schema.verifications), _NEWEST, _N_LIVE)


def _state(connection: Connection) -> tuple[tuple[int, ...], int, int]:
    *stamp, newest, n = connection.execute(_STATE).one()
    return tuple(stamp), int(newest), int(n)
