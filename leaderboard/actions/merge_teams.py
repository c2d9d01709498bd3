"""Two teams become one, with the attempts of both as far as its limit reaches.

The rule: as if they had been one team from the start. The attempts of both are put in the order of their arrival and the first
ones count, up to the limit of the team that stays; what is beyond the limit stays with the team that goes, kept and out of the
ranking, as is the later of two equal files. So nobody gains an attempt by a merger, and nobody chooses which ones count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from leaderboard.actions.host import HostDecision, log_action
from leaderboard.contest.ladder import update_shown_numbers
from leaderboard.database import schema
from leaderboard.database.rows import read_rules
from leaderboard.errors import TeamError
from leaderboard.store import Contest
from leaderboard.teams import Team


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptMove:
    """What becomes of one attempt."""

    team: str  # that sent it
    number: int  # before
    file_name: str
    arrived_at: datetime  # UTC
    new_number: int | None  # in the team that stays; None: it no longer counts


def merge_teams(
    contest: Contest, goes: Team, stays: Team, decision: HostDecision, *, is_dry_run: bool = False
) -> list[AttemptMove]:
    """What becomes of the attempts of both, by arrival; nothing is changed in a dry run.

    Raises:
        TeamError: both are one team.
    """
    if goes.id == stays.id:
        raise TeamError(f"two teams are merged and {goes.name!r} is one; name another with --into")
    if is_dry_run:
        with contest.database.read() as connection:
            return _moves(_rows(connection, goes, stays), goes, stays)
    with contest.database.write() as connection:
        both = schema.teams.c.id.in_((goes.id, stays.id))
        connection.execute(select(schema.teams.c.id).where(both).order_by(schema.teams.c.id).with_for_update())
        rows = _rows(connection, goes, stays)
        moves = _moves(rows, goes, stays)
        _move(connection, rows, moves, (goes.id, stays.id))
        rules = read_rules(connection)
        if rules.is_ladder:
            for team in (goes, stays):
                update_shown_numbers(
                    connection, contest.cache, contest.cache.solution(connection, rules.solution_digest), team.id
                )
        ended = {"merged_into": stays.id}
        ends = (schema.teams.c.id == goes.id) | (schema.teams.c.merged_into == goes.id)
        connection.execute(update(schema.teams).where(ends).values(ended))
        of_team = schema.tokens.c.team_id == goes.id
        connection.execute(update(schema.tokens).where(of_team).values(team_id=stays.id))  # its members go on sending
        log_action(connection, "merge", decision, {"into": stays.name, "attempts": [_told(move) for move in moves]}, goes)
    return moves


def _rows(connection: Connection, goes: Team, stays: Team) -> list[dict[str, Any]]:
    query = select(schema.attempts).where(schema.attempts.c.team_id.in_((goes.id, stays.id)))
    return [
        dict(row._mapping) for row in connection.execute(query.order_by(schema.attempts.c.arrived_at, schema.attempts.c.id))
    ]


def _moves(rows: Sequence[dict[str, Any]], goes: Team, stays: Team) -> list[AttemptMove]:
    moves, counted = [], set[str]()
    for row in rows:
        counts = len(counted) < stays.n_allowed and row["submission_digest"] not in counted
        if counts:
            counted.add(row["submission_digest"])
        moves.append(
            AttemptMove(
                team=goes.name if row["team_id"] == goes.id else stays.name,
                number=row["number"],
                file_name=row["file_name"],
                arrived_at=row["arrived_at"],
                new_number=len(counted) if counts else None,
            )
        )
    return moves


def _move(connection: Connection, rows: list[dict[str, Any]], moves: list[AttemptMove], teams: tuple[int, int]) -> None:
    """Taken out and put back under their ids: no order of single changes keeps every number unique on the way."""
    goes, stays = teams
    n_out = 0
    for row, move in zip(rows, moves, strict=True):
        n_out += move.new_number is None
        row["team_id"] = goes if move.new_number is None else stays
        row["number"] = n_out if move.new_number is None else move.new_number
        row["shown_number"] = row["number"]
    if rows:
        connection.execute(delete(schema.attempts).where(schema.attempts.c.id.in_([row["id"] for row in rows])))
        connection.execute(insert(schema.attempts), rows)


def _told(move: AttemptMove) -> dict[str, Any]:
    return {"team": move.team, "number": move.number, "new_number": move.new_number}
