"""Backups of a contest in use: each is a SQLite contest, whichever database the contest itself is in."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, func, insert, inspect, select, text

from leaderboard.database import schema
from leaderboard.database.connection import ContestDatabase, connect, create_sqlite_file, parse_sqlite_path
from leaderboard.database.create import create_tables
from leaderboard.database.triggers import create_triggers
from leaderboard.errors import ContestError

Finish = Callable[[Connection], None]
_BATCH_SIZE = 200  # rows of a table that are held in memory


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a SQLite file as it is at one moment, its write-ahead log included; never overwrite a file.

    Raises:
        ContestError: `target` exists or cannot be written.
    """
    with (
        create_sqlite_file(target) as temporary,
        contextlib.closing(sqlite3.connect(source)) as old,
        contextlib.closing(sqlite3.connect(temporary)) as new,
    ):
        old.backup(new)


def copy_rows(source: ContestDatabase, target: ContestDatabase, finish: Finish | None = None) -> None:
    """Copy a contest into an empty database, in one transaction of each; `finish` ends that of the copy.

    Raises:
        ContestError: the target holds a contest, or one of the two fails.
    """
    with source.read() as old, target.write() as new:
        if inspect(new).has_table(schema.meta.name):
            raise ContestError(f"{target.name} holds a contest and none is overwritten; choose another database")
        create_tables(new)
        for table in schema.metadata.sorted_tables:
            if table is schema.teams:
                query = select(table).order_by(table.c.merged_into.is_not(None), table.c.id)  # targets of a merger come first
            else:
                query = select(table)
            for rows in old.execution_options(yield_per=_BATCH_SIZE).execute(query).mappings().partitions():
                new.execute(insert(table), [dict(row) for row in rows])
        restart_ids(new)
        create_triggers(new)
        if finish is not None:
            finish(new)


def restore_into(backup: ContestDatabase, location: str | Path, finish: Finish | None = None) -> None:
    """Restore a backup to a path (SQLite) or URL, with what `finish` adds, as a whole or not at all.

    Raises:
        ContestError: the path or database is in use, or cannot be written.
    """
    path = parse_sqlite_path(location)
    if path is not None:
        return back_up(backup, path, finish)
    with contextlib.closing(connect(location)) as target:
        copy_rows(backup, target, finish)


def restart_ids(connection: Connection) -> None:
    """Let a server number new rows after the copied ones; SQLite does so by itself."""
    if connection.dialect.name == "sqlite":
        return
    for table in schema.metadata.sorted_tables:
        if "id" in table.c and table is not schema.contest:
            last = connection.scalar(select(func.max(table.c.id)))
            if last is not None:
                connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), :last)"), {"last": last})


def back_up(source: ContestDatabase, target: Path, finish: Finish | None = None) -> None:
    """Write the contest, as it is at one moment, into a new SQLite file.

    Raises:
        ContestError: `target` exists or cannot be written, or the contest cannot be read.
    """
    with create_sqlite_file(target) as temporary:
        copy = connect(temporary, str(target))
        with contextlib.closing(copy):
            copy_rows(source, copy, finish)
            copy.enable_wal()
