"""Merger of two teams into one, with the attempts of both up to its limit.

The rule: as if they had been one team from the start. Among the attempts of both, in the order of arrival, the first ones
count, up to the limit of the target team. The others, and the later of two equal files, stay with the source team, stored and
out of the ranking. So nobody gains an attempt by a merger, and nobody chooses which ones count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from leaderboard.actions.host import HostDecision, log_action
from leaderboard.contest.ladder import update_shown_numbers
from leaderboard.database import schema
from leaderboard.database.rows import read_rules
from leaderboard.errors import TeamError
from leaderboard.store import Contest
from leaderboard.teams import Team


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptMove:
    """The effect of a merger on one attempt."""

    team: str  # its sender
    number: int  # its number before
    file_name: str
    arrived_at: datetime  # UTC
    new_number: int | None  # its number in the target team; None: it no longer counts


def merge_teams(
    contest: Contest, source: Team, target: Team, decision: HostDecision, *, is_dry_run: bool = False
) -> list[AttemptMove]:
    """Merge `source` into `target`; return all moves by arrival. A dry run changes nothing.

    Raises:
        TeamError: both are one team.
    """
    if source.id == target.id:
        raise TeamError(f"two teams are merged and {source.name!r} is one; name another with --into")
    if is_dry_run:
        with contest.database.read() as connection:
            return _plan_moves(_read_rows(connection, source, target), source, target)
    with contest.database.write() as connection:
        both = schema.teams.c.id.in_((source.id, target.id))
        connection.execute(select(schema.teams.c.id).where(both).order_by(schema.teams.c.id).with_for_update())
        rows = _read_rows(connection, source, target)
        moves = _plan_moves(rows, source, target)
        log_action(connection, "merge", decision, {"into": target.name, "attempts": [_to_log(move) for move in moves]}, source)
        is_source = (schema.teams.c.id == source.id) | (schema.teams.c.merged_into == source.id)
        connection.execute(update(schema.teams).where(is_source).values(merged_into=target.id))
        _apply_moves(connection, rows, moves, (source.id, target.id))
        rules = read_rules(connection)
        if rules.is_ladder:
            for team in (source, target):
                update_shown_numbers(
                    connection, contest.cache, contest.cache.solution(connection, rules.solution_digest), team.id
                )
        for table in (schema.members, schema.tokens):  # members of the source team go on submitting
            connection.execute(update(table).where(table.c.team_id == source.id).values(team_id=target.id))
    return moves


def _read_rows(connection: Connection, source: Team, target: Team) -> list[dict[str, Any]]:
    query = select(schema.attempts).where(schema.attempts.c.team_id.in_((source.id, target.id)))
    return [
        dict(row._mapping) for row in connection.execute(query.order_by(schema.attempts.c.arrived_at, schema.attempts.c.id))
    ]


def _plan_moves(rows: Sequence[dict[str, Any]], source: Team, target: Team) -> list[AttemptMove]:
    moves, counted = [], set[str]()
    for row in rows:
        is_void = row["voided_at"] is not None and row["team_id"] == source.id  # the attempt in its place was granted to them
        counts = len(counted) < target.n_allowed and row["submission_digest"] not in counted and not is_void
        if counts:
            counted.add(row["submission_digest"])
        moves.append(
            AttemptMove(
                team=source.name if row["team_id"] == source.id else target.name,
                number=row["number"],
                file_name=row["file_name"],
                arrived_at=row["arrived_at"],
                new_number=len(counted) if counts else None,
            )
        )
    return moves


def _apply_moves(connection: Connection, rows: list[dict[str, Any]], moves: list[AttemptMove], teams: tuple[int, int]) -> None:
    """Give the attempts their teams and numbers: all leave their seats first, as no order keeps numbers unique."""
    source, target = teams
    columns = schema.attempts.c
    connection.execute(update(schema.attempts).where(columns.id.in_([row["id"] for row in rows])).values(is_moving=True))
    n_out = 0
    for row, move in zip(rows, moves, strict=True):
        n_out += move.new_number is None
        number = n_out if move.new_number is None else move.new_number
        team_id = source if move.new_number is None else target
        values = {"team_id": team_id, "number": number, "shown_number": number, "is_moving": False}
        connection.execute(update(schema.attempts).where(columns.id == row["id"]).values(values))


def _to_log(move: AttemptMove) -> dict[str, Any]:
    return {"team": move.team, "number": move.number, "new_number": move.new_number}
