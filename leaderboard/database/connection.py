"""Transactions on a SQLite file or a PostgreSQL URL; an error of the database becomes one clear line."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from arena.base.install import install_command
from leaderboard.errors import ContestError, Unavailable

_WAIT_S = 30
_POOL_SIZE = 16  # further connections are opened and closed each time, and opening one reads the whole schema
_WRITES = "arena_writes"
_ADVICE = {  # advice by a part of SQLite's message
    "not a database": "it is no contest file; name yours with --contest",
    "malformed": "the file is damaged; restore it from a copy",
    "full": "free some space and try again",
    "disk i/o": "free some space, check the disk and try again",
    "readonly": "make the file and its folder writable",
    "unable to open": "check that its folder exists and is writable",
    "queuepool": "too many ask at a time; try again",
    "locked": "another program holds it; close that and try again",
}


@dataclass(frozen=True, slots=True)
class ContestDatabase:
    """A database that holds, or will hold, one contest."""

    engine: Engine
    name: str  # in messages: the file's path, or the URL without its password
    _writing: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that reads one consistent state.

        Raises:
            ContestError: the database cannot be read.
        """
        with self._translate_errors("read"), self.engine.connect() as connection:
            if not self._is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a transaction that is stored as a whole or not at all; on SQLite, writers queue from its beginning.

        Raises:
            ContestError: the database cannot be written; nothing of the transaction is stored.
        """
        with self._translate_errors("written"), self._queue_writers(), self.engine.connect() as connection:
            connection.execution_options(**{_WRITES: True})
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def _queue_writers(self) -> Iterator[None]:
        """Queue threads that write to one file: SQLite itself would let them sleep and poll, some of them for long."""
        if not self._is_sqlite:
            yield
            return
        if not self._writing.acquire(timeout=_WAIT_S):
            raise sqlite3.OperationalError("database is locked")
        try:
            yield
        finally:
            self._writing.release()

    @property
    def _is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    def truncate_wal(self) -> None:
        """Copy the write-ahead log of a SQLite file into it and empty it, if nobody reads just then; else the next one does.

        Raises:
            ContestError: the file cannot be written.
        """
        if not self._is_sqlite:
            return
        with self._translate_errors("written"), contextlib.closing(self.engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def enable_wal(self) -> None:
        """Switch a SQLite file to write-ahead logging, so that it can be read while it is written; a server needs no switch.

        Raises:
            ContestError: the file cannot be written.
        """
        if not self._is_sqlite:
            return
        with self._translate_errors("written"), contextlib.closing(self.engine.raw_connection()) as connection:
            connection.cursor().execute("PRAGMA journal_mode = WAL")

    def close(self) -> None:
        self.engine.dispose()

    @contextlib.contextmanager
    def _translate_errors(self, verb: str) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, sqlite3.Error, PoolTimeout) as error:
            reason = " ".join(str(getattr(error, "orig", error)).split())
            advice = next(
                (text for mark, text in _ADVICE.items() if mark in reason.casefold()), "check the database and try again"
            )
            raise Unavailable(f"{self.name} cannot be {verb} ({reason}); {advice}") from error


def parse_sqlite_path(location: str | Path) -> Path | None:
    """Return the file of a SQLite contest; None for a server.

    Raises:
        ContestError: the URL names no supported database.
    """
    if isinstance(location, Path) or "://" not in location:
        return Path(location)
    url = _parse_url(location)
    if url.get_backend_name() != "sqlite":
        return None
    if not url.database or url.database == ":memory:":
        raise ContestError(f"a contest is kept in a file and {location} names none; write sqlite:///contest.db")
    return Path(url.database)


def _publish(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)  # unlike a rename, never replaces another file
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links, such as a mounted cloud drive
        os.rename(temporary, path)


@contextlib.contextmanager
def create_sqlite_file(path: Path) -> Iterator[Path]:
    """Yield a temporary file in the folder of `path`; rename it to `path` at the end, delete it after an error.

    Raises:
        ContestError: `path` exists, or its folder cannot be written.
    """
    exists = ContestError(f"{path} exists and no contest is overwritten; choose another path with --contest")
    if path.exists():
        raise exists
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            temporary = Path(folder, path.name)
            os.close(os.open(temporary, os.O_CREAT, 0o600))  # it holds the solution: readable by its owner alone
            yield temporary
            _publish(temporary, path)
    except FileExistsError:
        raise exists from None
    except OSError as error:
        raise ContestError(
            f"{path} cannot be written ({error.strerror}); choose a folder that is writable and has space"
        ) from error


def connect(location: str | Path, name: str = "") -> ContestDatabase:
    """Return the database at a path or URL, called `name` in messages; the first transaction opens it.

    Raises:
        ContestError: the URL names no supported database, or its driver is not installed.
    """
    path = parse_sqlite_path(location)
    if path is not None:
        return _connect_sqlite(path, name or str(path))
    url = _parse_url(str(location))
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    try:
        return ContestDatabase(create_engine(url, pool_pre_ping=True), url.render_as_string())
    except NoSuchModuleError as error:
        raise ContestError(f"{url.render_as_string()} names an unknown driver; write postgresql://...") from error
    except ModuleNotFoundError as error:
        fix = install_command("postgres")
        raise ContestError(f"{url.render_as_string()} needs the package {error.name}: {fix}") from error


def _parse_url(text: str) -> URL:
    try:
        url = make_url(text)
        if url.get_backend_name() in ("sqlite", "postgresql"):
            return url
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        pass
    raise ContestError(
        f"a contest is kept in a SQLite file or at postgresql://..., not at {text.split('@')[-1]}; give one of these"
    )


def _connect_sqlite(path: Path, name: str) -> ContestDatabase:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": _WAIT_S},
        pool_size=_POOL_SIZE,
        pool_use_lifo=True,  # the connection used last has most of the file in its cache
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # we send BEGIN: the driver's own comes too late to hold off other writers
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES, False)
        driver = connection.connection.driver_connection
        assert driver is not None, "a connection that begins is open"
        driver.execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    return ContestDatabase(engine, name)
