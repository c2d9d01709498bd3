"""Migration of the tables of any released version: rows are read, converted step by step, and written again.

Version 1: the first release.
Version 2: tokens, the host's log, granted attempts, pseudonyms, metrics, Ladder mode, verifications.
Version 3: members, hosts' tokens, join links, announcements, downloads; own deadlines, voided attempts, hidden scores.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, insert, inspect, literal_column, select

from leaderboard.database import schema
from leaderboard.database.backup import copy_sqlite, restart_ids
from leaderboard.database.connection import ContestDatabase
from leaderboard.database.create import create_tables
from leaderboard.database.triggers import create_triggers
from leaderboard.errors import ContestError

_HINT = "make a contest with `arena contest init SOLUTION.csv`, or name yours with --contest"
_EVERY_VERSION = ("meta", "files", "contest", "teams", "attempts")
_REBUILT = [table for table in schema.metadata.sorted_tables if table.name not in ("meta", "files")]  # files are large

Rows = dict[str, list[dict[str, Any]]]  # by table


def _from_1(rows: Rows) -> Rows:
    attempts = [row | {"shown_number": row["number"]} for row in rows["attempts"]]
    return rows | {"attempts": attempts}


def _from_2(rows: Rows) -> Rows:
    """Let the log give the attempts beyond three, which a column of the teams gave."""
    ids = {team["name"]: team["id"] for team in rows["teams"]}
    log: list[dict[str, Any]] = []
    for row in reversed(rows.get("host_log", [])):  # backwards, from the names of today to those before
        if row["action"] == "rename":
            ids[row["details"]["before"]] = ids.pop(row["details"]["after"], None)
        log.insert(0, row | {"actor": "host", "team_id": ids.get(row["team"])})
    for team in rows["teams"]:
        n_allowed = team.pop("n_allowed", schema.N_ATTEMPTS)
        if n_allowed > schema.N_ATTEMPTS:
            log.append(
                {
                    "id": max((row["id"] for row in log), default=0) + 1,
                    "action": "migrate",
                    "actor": "arena",
                    "team": team["name"],
                    "team_id": team["id"],
                    "n_granted": n_allowed - schema.N_ATTEMPTS,
                    "reason": "attempts that were granted before the tables of version 3",
                    "details": {"before": schema.N_ATTEMPTS, "after": n_allowed},
                    "done_at": datetime.now(UTC),
                }
            )
    return rows | {"host_log": log}


_STEPS: dict[int, Callable[[Rows], Rows]] = {1: _from_1, 2: _from_2}


def read_version(database: ContestDatabase) -> int:
    """Read the version of the tables.

    Raises:
        ContestError: there is no contest, or a newer Arena made it.
    """
    with database.read() as connection:
        return _version(connection, database.name)


def bring_up_to_date(database: ContestDatabase, path: Path | None) -> Path | None:
    """Migrate a SQLite file; return the path of the copy made beside it, or None for a file that was up to date.

    Raises:
        ContestError: there is no contest, a newer Arena made it, or it is on a server and of an older version.
    """
    if path is not None and not path.exists():
        raise ContestError(f"{path} does not exist; {_HINT}")
    version = read_version(database)
    if version == schema.SCHEMA_VERSION:
        return None
    if path is None:
        fault = f"{database.name} has tables of version {version} and this Arena has {schema.SCHEMA_VERSION}"
        raise ContestError(f"{fault}; make a copy with pg_dump, then run `arena contest migrate`")
    copy = path.with_name(f"{path.name}.version-{version}-{datetime.now(UTC):%Y%m%dT%H%M%S}")
    copy_sqlite(path, copy)
    migrate(database)
    return copy


def migrate(database: ContestDatabase) -> int:
    """Migrate the tables in one transaction; return the version they had.

    Raises:
        ContestError: there is no contest, or a newer Arena made it.
    """
    with database.write() as connection:
        version = _version(connection, database.name)
        if version == schema.SCHEMA_VERSION:
            return version
        rows = _read_old(connection)
        for step in range(version, schema.SCHEMA_VERSION):
            rows = _STEPS[step](rows)
        _write_new(connection, rows)
    return version


def _version(connection: Connection, name: str) -> int:
    if not all(inspect(connection).has_table(table) for table in _EVERY_VERSION):
        raise ContestError(f"{name} holds no contest; {_HINT}")
    text = connection.scalar(select(schema.meta.c.value).where(schema.meta.c.key == "schema_version"))
    version = int(text) if text and text.isdecimal() else 0
    if not 1 <= version <= schema.SCHEMA_VERSION:
        raise ContestError(f"{name} has tables of version {text}, this Arena reads 1 to {schema.SCHEMA_VERSION}; update Arena")
    return version


def _read_old(connection: Connection) -> Rows:
    rows: Rows = {}
    for table in _REBUILT:
        if not inspect(connection).has_table(table.name):
            continue
        old = {column["name"] for column in inspect(connection).get_columns(table.name)}
        columns: list[ColumnElement[Any]] = [column for column in table.columns if column.name in old]
        columns += [literal_column(name) for name in sorted(old - set(table.columns.keys()))]
        order = (table.c.merged_into.is_not(None), table.c.id) if "merged_into" in old else table.primary_key.columns
        query = select(*columns).select_from(table).order_by(*order)
        rows[table.name] = [dict(row._mapping) for row in connection.execute(query)]
    return rows


def _write_new(connection: Connection, rows: Rows) -> None:
    for table in reversed(_REBUILT):
        table.drop(connection, checkfirst=True)
    create_tables(connection)
    for table in _REBUILT:
        for row in rows.get(table.name, ()):
            connection.execute(insert(table).values(row))
    restart_ids(connection)
    create_triggers(connection)
    version = schema.meta.c.key == "schema_version"
    connection.execute(schema.meta.update().where(version).values(value=str(schema.SCHEMA_VERSION)))
    if not connection.scalar(select(schema.meta.c.value).where(schema.meta.c.key == "secret_key")):
        connection.execute(insert(schema.meta).values(key="secret_key", value=secrets.token_hex(32)))
