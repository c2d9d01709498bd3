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

from sqlalchemy import Connection, insert, inspect, select

from leaderboard.database import schema
from leaderboard.database.backup import copy_sqlite, restart_ids
from leaderboard.database.connection import ContestDatabase
from leaderboard.database.create import create_tables
from leaderboard.errors import ContestError

_HINT = "make a contest with `arena contest init SOLUTION.csv`, or name yours with --contest"
_REBUILT = ("contest", "teams", "attempts")  # files are never changed
_EVERY_VERSION = ("meta", "files", *_REBUILT)

Rows = dict[str, list[dict[str, Any]]]  # by table


def _from_1(rows: Rows) -> Rows:
    attempts = [row | {"shown_number": row["number"]} for row in rows["attempts"]]
    return rows | {"attempts": attempts}


_STEPS: dict[int, Callable[[Rows], Rows]] = {1: _from_1, 2: lambda rows: rows}


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
    for name in _REBUILT:
        today = schema.metadata.tables[name]
        old = {column["name"] for column in inspect(connection).get_columns(name)}
        columns = [column for column in today.columns if column.name in old]
        rows[name] = [dict(row._mapping) for row in connection.execute(select(*columns).order_by(today.c.id))]
    return rows


def _write_new(connection: Connection, rows: Rows) -> None:
    for name in reversed(_REBUILT):
        connection.exec_driver_sql(f"DROP TABLE {name}")
    create_tables(connection)
    for name in _REBUILT:
        if rows[name]:
            connection.execute(insert(schema.metadata.tables[name]), rows[name])
    restart_ids(connection)
    version = schema.meta.c.key == "schema_version"
    connection.execute(schema.meta.update().where(version).values(value=str(schema.SCHEMA_VERSION)))
    if not connection.scalar(select(schema.meta.c.value).where(schema.meta.c.key == "secret_key")):
        connection.execute(insert(schema.meta).values(key="secret_key", value=secrets.token_hex(32)))
