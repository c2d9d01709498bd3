"""The standings as the pages need them, made once for each change of the contest and worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock

from leaderboard.grading import Part
from leaderboard.standings import Standing
from leaderboard.store import Contest


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A team. Everything here may be shown to everyone."""

    rank: int
    team: str = field(repr=False)  # its own name: to find a line by, shown only to itself and the host
    name: str  # as others see it
    score: float  # public
    final: float | None  # private, after the host closed a contest that has such rows
    low: float  # interval of macro-F1, of the private rows where they are shown
    high: float
    unit: str
    n_units: int
    n_replicates: int
    accuracy: float
    n_attempts: int
    sent_at: datetime  # UTC
    is_tied: bool  # with the line above
    could_be_first: bool
    model: str  # carried, verified, differs; empty: none was sent


@dataclass(frozen=True, kw_only=True, slots=True)
class Board:
    """All lines, best first."""

    revision: str
    metric: str
    is_closed: bool  # by the host
    is_final: bool  # ranked by the private score
    has_private: bool
    is_known_to_chance: bool  # whether differences of this metric can be held against chance
    lines: Sequence[Line]


@dataclass(slots=True)
class Boards:
    """The board as it is now. One thread makes a new one; whoever comes meanwhile gets the one before."""

    contest: Contest
    _kept: Board | None = None
    _making: Lock = field(default_factory=Lock)

    def current(self) -> Board:
        """The board.

        Raises:
            ContestError: the database cannot be read.
        """
        revision = self.contest.revision()
        kept = self._kept
        if kept is not None and kept.revision == revision:
            return kept
        if kept is not None and not self._making.acquire(blocking=False):
            return kept
        if kept is None:
            self._making.acquire()
        try:
            if self._kept is None or self._kept.revision != revision:
                self._kept = read_board(self.contest, revision)
            return self._kept
        finally:
            self._making.release()


def read_board(contest: Contest, revision: str) -> Board:
    """The board that the contest has now; private scores are read only when its host has closed it."""
    shown = contest.board()
    is_final = shown.part is Part.PRIVATE
    public = {line.team: line for line in (contest.standings(Part.PUBLIC) if is_final else shown.lines)}
    return Board(
        revision=revision,
        metric=shown.rules.metric_name,
        is_closed=shown.rules.is_closed,
        is_final=is_final,
        has_private=contest.solution.has_private,
        is_known_to_chance=shown.rules.metric_digest is None,
        lines=[_line(line, public[line.team], is_final) for line in shown.lines],
    )


def _line(shown: Standing, public: Standing, is_final: bool) -> Line:
    return Line(
        rank=shown.rank,
        team=shown.team,
        name=shown.shown_as,
        score=public.score,
        final=shown.score if is_final else None,
        low=shown.interval.low,
        high=shown.interval.high,
        unit=shown.interval.unit,
        n_units=shown.interval.n_units,
        n_replicates=shown.interval.n_replicates,
        accuracy=shown.accuracy,
        n_attempts=shown.n_attempts,
        sent_at=shown.attempts[-1].arrived_at,
        is_tied=shown.is_tied_with_above,
        could_be_first=shown.could_be_first,
        model="" if shown.model is None else shown.model.state,
    )
