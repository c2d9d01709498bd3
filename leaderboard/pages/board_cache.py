"""The standings as the pages need them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from arena.base.csv_export import format_csv
from leaderboard.contest import ranking
from leaderboard.contest.cache import ContestCache
from leaderboard.standings import METRICS, Part, Standing
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
    metrics: Mapping[str, float]
    n_attempts: int
    sent_at: datetime  # UTC
    is_tied: bool  # with the line above
    could_be_first: bool
    model: str  # carried, verified, differs; empty: none was sent


@dataclass(frozen=True, kw_only=True, slots=True)
class Board:
    """All lines, best first."""

    metric: str
    is_closed: bool  # by the host
    is_final: bool  # ranked by the private score
    has_private: bool
    is_known_to_chance: bool  # whether differences of this metric can be held against chance
    lines: Sequence[Line]


def read_board(contest: Contest) -> Board:
    """Return the board of the contest as it is now; private scores are read only when its host has closed it."""
    with contest.database.read() as connection:
        return board_seen_by(connection, contest.cache)


def board_seen_by(connection: Connection, cache: ContestCache) -> Board:
    """Return the same, as of the transaction of `connection`."""
    board = ranking.read_board(connection, cache)
    is_final = board.part is Part.PRIVATE
    public = ranking.read_standings(connection, cache, Part.PUBLIC) if is_final else board.lines
    by_team = {line.team: line for line in public}
    return Board(
        metric=board.rules.metric_name,
        is_closed=board.rules.is_closed,
        is_final=is_final,
        has_private=cache.solution(connection, board.rules.solution_digest).has_private,
        is_known_to_chance=board.rules.metric_digest is None,
        lines=[_line(line, by_team[line.team], is_final) for line in board.lines],
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
        metrics=shown.metrics,
        n_attempts=shown.n_attempts,
        sent_at=shown.attempts[-1].arrived_at,
        is_tied=shown.is_tied_with_above,
        could_be_first=shown.could_be_first,
        model="" if shown.model is None else shown.model.state,
    )


def standings_csv(board: Board) -> str:
    """The standings as a table, formulas neutralised. Once private scores are shown, each column says what it is of."""
    public, private = ("public ", "private ") if board.is_final else ("", "")
    header = ["rank", "team", f"{public}{board.metric}"]
    header += [f"private {board.metric}"] if board.is_final else []
    header += [f"{private}macro-F1 low", f"{private}macro-F1 high", *(f"{private}{metric.name}" for metric in METRICS)]
    header += ["attempts", "sent"]
    rows = [
        [
            *(line.rank, line.name, line.score, *([line.final] if board.is_final else []), line.low, line.high),
            *(line.metrics[metric.key] for metric in METRICS),
            *(line.n_attempts, line.sent_at.isoformat()),
        ]
        for line in board.lines
    ]
    return format_csv([header, *rows], newline="\r\n")
