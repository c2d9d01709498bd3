"""The public board: the standings as pages, CSV and API show them. Private scores are in it only once the host has closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from arena.base.csv_export import format_csv
from leaderboard.contest import ranking
from leaderboard.contest.cache import ContestCache
from leaderboard.contest.disclosure import Digits, choose_digits
from leaderboard.contest.history import ScoreStep, read_steps
from leaderboard.rules import MACRO_F1, STRING_METRICS
from leaderboard.standings import Evidence, Luck, Part, Standing, list_metrics
from leaderboard.store import Contest


@dataclass(frozen=True, kw_only=True, slots=True)
class BoardLine:
    """A team on the board. Every field but `team` is public."""

    rank: int | None  # None: a baseline, out of rank
    rank_low: int | None  # ranks that chance leaves open, for all teams at once with 95 %; None: not tested
    rank_high: int | None
    letters: str  # teams that share one cannot be told apart
    could_be_first: bool
    luck: Luck | None  # in the first score of a closed contest
    team: str = field(repr=False)  # its name, which only the team and the host see
    name: str  # the public one: name or pseudonym
    score: float  # public
    final: float | None  # private or hidden score, once the host has closed a contest that ranks by it
    low: float  # interval of macro-F1, over the private rows once the board is final
    high: float
    unit: str
    n_units: int
    n_replicates: int
    metrics: Mapping[str, float | None]
    n_attempts: int
    sent_at: datetime  # UTC
    steps: Sequence[ScoreStep]  # its best public score over time, under its present name
    model: str  # carried, verified, differs; empty without a model


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicBoard:
    """All teams with an attempt, best first."""

    metric: str
    is_closed: bool  # by the host
    is_final: bool  # ranked by the private or the hidden score
    final_part: Part  # by whose scores the final rank is made
    digits: Digits  # digits of scores and intervals
    has_significance: bool  # differences of this metric can be tested against chance
    evidence: Evidence
    smallest_difference: float | None  # as in `Board`
    lines: Sequence[BoardLine]


def read_public_board(contest: Contest) -> PublicBoard:
    """Return the current board; private scores are read only if the host has closed the contest."""
    with contest.database.read() as connection:
        return build_public_board(connection, contest.cache)


def build_public_board(connection: Connection, cache: ContestCache) -> PublicBoard:
    """Return the board as of the transaction of `connection`."""
    board = ranking.read_board(connection, cache)
    is_final = board.part is not Part.PUBLIC
    public = ranking.read_standings(connection, cache, Part.PUBLIC) if is_final else board.lines
    by_team = {line.team: line for line in public}
    steps = read_steps(connection, public, is_lower_better=board.rules.is_lower_better)
    return PublicBoard(
        metric=board.rules.metric_name,
        is_closed=board.rules.is_closed,
        is_final=is_final,
        final_part=ranking.choose_part(board.rules, cache.solution(connection, board.rules.solution_digest)),
        digits=choose_digits(board.rules),
        has_significance=board.rules.is_tested,
        evidence=board.evidence,
        smallest_difference=board.smallest_difference,
        lines=[_line(line, by_team[line.team], steps[line.team], is_final=is_final) for line in board.lines],
    )


def _line(standing: Standing, public: Standing, steps: Sequence[ScoreStep], *, is_final: bool) -> BoardLine:
    return BoardLine(
        rank=standing.rank,
        rank_low=standing.rank_low,
        rank_high=standing.rank_high,
        letters=standing.letters,
        could_be_first=standing.could_be_first,
        luck=standing.luck,
        team=standing.team,
        name=standing.shown_as,
        score=public.score,
        final=standing.score if is_final else None,
        low=standing.interval.low,
        high=standing.interval.high,
        unit=standing.interval.unit,
        n_units=standing.interval.n_units,
        n_replicates=standing.interval.n_replicates,
        metrics=standing.metrics,
        n_attempts=standing.n_attempts,
        sent_at=standing.attempts[-1].arrived_at,
        steps=steps,
        model="" if standing.model is None else standing.model.state,
    )


def format_standings_csv(board: PublicBoard) -> str:
    """Return the standings as CSV, formulas neutralised; on a final board each title says public, private or hidden."""
    metrics = list_metrics(*(line.metrics for line in board.lines))
    public, private = ("public ", f"{board.final_part} ") if board.is_final else ("", "")
    header = ["rank", "rank low", "rank high", "groups", "team", f"{public}{board.metric}"]
    header += [f"{private}{board.metric}"] if board.is_final else []
    name = board.metric if board.metric in STRING_METRICS.values() else MACRO_F1
    header += [f"{private}{name} low", f"{private}{name} high", *(f"{private}{metric.name}" for metric in metrics)]
    header += ["attempts", "sent"]
    rows = [
        [
            *(line.rank or "baseline", line.rank_low or "", line.rank_high or "", line.letters),
            *(line.name, line.score, *([line.final] if board.is_final else []), line.low, line.high),
            *("" if line.metrics[metric.key] is None else line.metrics[metric.key] for metric in metrics),
            *(line.n_attempts, line.sent_at.isoformat()),
        ]
        for line in board.lines
    ]
    return format_csv([header, *rows], newline="\r\n")
