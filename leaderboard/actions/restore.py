"""Restoring of a backup: the log of the restored contest tells what it undid, and no revoked token comes back to life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, Table, delete, select, update

from leaderboard.actions.host import HostDecision, log_action
from leaderboard.database import schema
from leaderboard.database.backup import restore_into
from leaderboard.database.rows import LogEntry, read_log, read_rules
from leaderboard.errors import ContestError
from leaderboard.store import Contest

_REVOCABLE = (schema.tokens, schema.host_tokens, schema.join_links)


@dataclass(frozen=True, kw_only=True, slots=True)
class UndoneAttempt:
    """An attempt that the backup does not have."""

    team: str
    number: int
    file_name: str
    arrived_at: datetime  # UTC


@dataclass(frozen=True, kw_only=True, slots=True)
class Undone:
    """The difference between a backup and the contest that it takes the place of."""

    until: datetime  # UTC, the last moment that the backup knows
    attempts: Sequence[UndoneAttempt] = ()
    actions: Sequence[LogEntry] = ()
    revoked: Sequence[tuple[Table, str]] = ()  # digests of tokens and links that the backup holds to be valid
    forgotten: Sequence[int] = ()  # ids of members that the backup still has

    def to_log(self) -> dict[str, Any]:
        """Return the details of the log line."""
        attempts = [
            {"team": row.team, "number": row.number, "file": row.file_name, "arrived_at": row.arrived_at.isoformat()}
            for row in self.attempts
        ]
        names = ("action", "actor", "team", "reason", "details")
        actions = [{n: getattr(row, n) for n in names} | {"done_at": row.done_at.isoformat()} for row in self.actions]
        return {"until": self.until.isoformat(), "attempts": attempts, "actions": actions, "n_revoked": len(self.revoked)} | {
            "n_forgotten": len(self.forgotten)
        }


def restore(backup: Contest, location: str | Path, instead_of: Contest | None, decision: HostDecision) -> Undone:
    """Make a contest of `backup` at a path or URL, and return what it undoes of the contest of today, if that is given.

    A token or link that was revoked since the backup stays revoked, and a member who was forgotten stays forgotten: the
    reasons for it did not go away.

    Raises:
        ContestError: the path or database is in use or cannot be written, or the two are different contests.
    """
    undone = compare(backup, instead_of)

    def write(connection: Connection) -> None:
        for table, digest in undone.revoked:
            connection.execute(update(table).where(table.c.digest == digest).values(revoked_at=decision.decided_at))
        members = schema.members.c.id.in_(undone.forgotten)
        connection.execute(update(schema.tokens).where(schema.tokens.c.member_id.in_(undone.forgotten)).values(member_id=None))
        connection.execute(delete(schema.members).where(members))
        log_action(connection, "restore", decision, undone.to_log() | {"is_compared": instead_of is not None})

    restore_into(backup.database, location, write)
    return undone


def compare(backup: Contest, today: Contest | None) -> Undone:
    """Return what a restored backup would undo of the contest of today; only the backup's last moment where that is unknown.

    Raises:
        ContestError: the two are different contests.
    """
    with backup.database.read() as connection:
        until = _find_last_moment(connection)
        log = {(entry.id, entry.action, entry.done_at) for entry in read_log(connection)}
        sent = {(row.id, row.submission_digest) for row in _read_attempts(connection)}
        members = set(connection.scalars(select(schema.members.c.id)))
        live = {table: _read_digests(connection, table, is_revoked=False) for table in _REVOCABLE}
    if today is None:
        return Undone(until=until)
    if today.secret_key() != backup.secret_key():
        raise ContestError(f"{today.database.name} is no later state of the contest in the backup; name that one, or none")
    with today.database.read() as connection:
        attempts = [
            UndoneAttempt(team=row.team, number=row.number, file_name=row.file_name, arrived_at=row.arrived_at)
            for row in _read_attempts(connection)
            if (row.id, row.submission_digest) not in sent
        ]
        actions = [entry for entry in read_log(connection) if (entry.id, entry.action, entry.done_at) not in log]
        revoked = [
            (table, digest)
            for table in _REVOCABLE
            for digest in sorted(live[table] & _read_digests(connection, table, is_revoked=True))
        ]
        forgotten = sorted(members - set(connection.scalars(select(schema.members.c.id))))
    return Undone(until=until, attempts=attempts, actions=actions, revoked=revoked, forgotten=forgotten)


def _read_digests(connection: Connection, table: Table, *, is_revoked: bool) -> set[str]:
    column = table.c.revoked_at
    condition = column.is_not(None) if is_revoked else column.is_(None)
    return set(connection.scalars(select(table.c.digest).where(condition)))


def _read_attempts(connection: Connection) -> list[Row[Any]]:
    columns = schema.attempts.c["id", "number", "file_name", "submission_digest", "arrived_at"]
    query = select(*columns, schema.teams.c.name.label("team")).join_from(
        schema.attempts, schema.teams, schema.attempts.c.team_id == schema.teams.c.id
    )
    return list(connection.execute(query.order_by(schema.attempts.c.id)))


def _find_last_moment(connection: Connection) -> datetime:
    moments = [read_rules(connection).created_at]
    moments += connection.scalars(select(schema.attempts.c.arrived_at)).all()
    moments += connection.scalars(select(schema.host_log.c.done_at)).all()
    return max(moments)
