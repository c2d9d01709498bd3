"""A contest copied whole while others write: a backup is a SQLite contest, wherever the contest itself is kept."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, func, insert, inspect, select, text

from leaderboard.database import schema
from leaderboard.database.connection import ContestDatabase, connect, create_sqlite_file, parse_sqlite_path
from leaderboard.database.create import create_tables
from leaderboard.errors import ContestError

_AT_ONCE = 200  # rows of a table that are held in memory


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a SQLite file as it is at one moment, its write-ahead log included; never over another file.

    Raises:
        ContestError: `target` exists or cannot be written.
    """
    with (
        create_sqlite_file(target) as beside,
        contextlib.closing(sqlite3.connect(source)) as old,
        contextlib.closing(sqlite3.connect(beside)) as new,
    ):
        old.backup(new)


def copy_rows(source: ContestDatabase, target: ContestDatabase) -> None:
    """Fill an empty database with the contest of another, in one transaction of each.

    Raises:
        ContestError: the target holds a contest, or one of the two fails.
    """
    with source.read() as old, target.write() as new:
        if inspect(new).has_table(schema.meta.name):
            raise ContestError(f"{target.name} holds a contest and none is overwritten; choose another database")
        create_tables(new)
        for table in schema.metadata.sorted_tables:
            if table is schema.teams:
                query = select(table).order_by(table.c.merged_into.is_not(None), table.c.id)  # what is referred to comes first
            else:
                query = select(table)
            for rows in old.execution_options(yield_per=_AT_ONCE).execute(query).mappings().partitions():
                new.execute(insert(table), [dict(row) for row in rows])
        restart_ids(new)


def restore_into(backup: ContestDatabase, where: str | Path) -> None:
    """Make a contest of a backup, at a path (SQLite) or URL, as a whole or not at all.

    Raises:
        ContestError: something is there already, or it cannot be written.
    """
    path = parse_sqlite_path(where)
    if path is not None:
        return back_up(backup, path)
    with contextlib.closing(connect(where)) as target:
        copy_rows(backup, target)


def restart_ids(connection: Connection) -> None:
    """Let a server number new rows after those that came with their number; SQLite does by itself."""
    if connection.dialect.name == "sqlite":
        return
    for table in schema.metadata.sorted_tables:
        if "id" in table.c and table is not schema.contest:
            last = connection.scalar(select(func.max(table.c.id)))
            if last is not None:
                connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'), :last)"), {"last": last})


def back_up(source: ContestDatabase, target: Path) -> None:
    """Write the contest, as it is at one moment, into a new SQLite file.

    Raises:
        ContestError: `target` exists or cannot be written, or the contest cannot be read.
    """
    with create_sqlite_file(target) as beside:
        copy = connect(beside, str(target))
        with contextlib.closing(copy):
            copy_rows(source, copy)
            copy.log_ahead()
