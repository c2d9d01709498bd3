"""What one process remembers of a contest: parsed files, attempts, replicates. All of it is read again when it is not there."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import Connection, func, select

from arena_resamples import Resamples
from arena_scores import Indices, Values
from leaderboard import schema
from leaderboard.grading import Part, resamples
from leaderboard.metric import Metric, load_metric
from leaderboard.places import Places
from leaderboard.records import Scores, n_rows, read_attempts, read_disqualified, read_predicted
from leaderboard.rules import Rules
from leaderboard.solution import Solution, parse_solution
from leaderboard.standings import Attempt, Standing

Scorer = tuple[Solution, Metric | None]  # None: macro-F1
_Attempts = dict[int, tuple[Attempt, ...]]  # by team id


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """Standings and what they say of the first, as of one revision of the contest."""

    revision: str
    lines: tuple[Standing, ...]
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where a team stands."""

    attempts: tuple[Attempt, ...]  # with their public scores, by number
    rank: int
    n_ranked: int  # teams with a rank


@dataclass(frozen=True, kw_only=True, slots=True)
class _State:
    stamp: tuple[int, ...]  # counts of what the host did: any such act may change any attempt
    newest: int  # id of an attempt
    n: int  # attempts

    def is_before(self, other: _State) -> bool:
        """Whether `other` was read from a later moment: all these counts only grow."""
        return (self.stamp, self.n) < (other.stamp, other.n)


@dataclass(kw_only=True, slots=True)
class _Kept:
    state: _State
    by_team: _Attempts
    places: Places | None = None  # made when first asked for
    out: frozenset[int] = frozenset()  # teams without a place, since they are disqualified

    def put_in_place(self, some: _Attempts) -> None:
        if self.places is not None:
            for team_id in some.keys() - self.out:
                self.places.put(team_id, some[team_id])


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

    def scorer(self, connection: Connection, rules: Rules) -> Scorer:
        """What a submission is graded by."""
        return self.solution(connection, rules.solution_digest), self.metric(connection, rules.metric_digest)

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
        state = _state(connection)
        with self._lock:
            kept = self._kept.get(part)
            if kept is not None and state.is_before(kept.state):  # another thread has seen more than this transaction may
                return read_attempts(connection, self._scores, part)
            return dict(self._current(connection, part, state).by_team)

    def place(self, connection: Connection, rules: Rules, team_id: int) -> Place | None:
        """Where a team stands in public, at this moment or a little later; None for one without a rank."""
        state = _state(connection)
        with self._lock:
            kept = self._kept.get(Part.PUBLIC)
            if kept is None or not state.is_before(kept.state):
                kept = self._current(connection, Part.PUBLIC, state)
            if kept.places is None:
                kept.places = Places(is_lower_better=rules.is_lower_better, ties=rules.ties)
                kept.out = read_disqualified(connection)
                kept.put_in_place(kept.by_team)
            if team_id in kept.out or team_id not in kept.by_team:
                return None
            return Place(attempts=kept.by_team[team_id], rank=kept.places.rank(team_id), n_ranked=len(kept.places))

    def _current(self, connection: Connection, part: Part, state: _State) -> _Kept:
        """What is kept, brought to this state."""
        kept = self._kept.get(part)
        if kept is None or kept.state.stamp != state.stamp or not self._add(connection, part, kept, state):
            kept = self._kept[part] = _Kept(state=state, by_team=read_attempts(connection, self._scores, part))
        return kept

    def _add(self, connection: Connection, part: Part, kept: _Kept, state: _State) -> bool:
        """Whether what arrived was all of a later number; a server may store an earlier one after it."""
        if state.n != kept.state.n:
            new = read_attempts(connection, self._scores, part, after=kept.state.newest, before=kept.by_team)
            n_new = sum(len(attempts) - len(kept.by_team.get(team_id, ())) for team_id, attempts in new.items())
            if kept.state.n + n_new != state.n:
                return False
            kept.by_team |= new
            kept.put_in_place(new)
            kept.state = state
        return True

    def resamples(self, solution: Solution, part: Part) -> Resamples:
        """The draws of a part of the solution, the same for all teams."""
        with self._lock:
            if (solution.digest, part) not in self._resamples:
                self._resamples[solution.digest, part] = resamples(solution, part)
            return self._resamples[solution.digest, part]

    def learn(self, solution: Solution, digest: str, predicted: Indices) -> None:
        """Keep the public replicates of a submission whose predictions are at hand."""
        key = (solution.digest, Part.PUBLIC, digest)
        if key not in self._replicates:
            found = self.resamples(solution, Part.PUBLIC).macro_f1(predicted[None])[:, 0]
            with self._lock:
                self._replicates[key] = found

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


_NEWEST = select(func.coalesce(func.max(schema.attempts.c.id), 0)).scalar_subquery()
_STATE = select(*map(n_rows, (schema.host_log, schema.verifications, schema.models)), _NEWEST, n_rows(schema.attempts))


def _state(connection: Connection) -> _State:
    *stamp, newest, n = connection.execute(_STATE).one()
    return _State(stamp=tuple(stamp), newest=int(newest), n=int(n))
