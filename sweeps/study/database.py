"""PostgreSQL database of studies for agents on many machines: Optuna's tables, a lock for each study, one clock.

One connection serves everything that a process does. A study's lock belongs to that connection, and writes under the lock
go through it too: a process that lost its connection lost the lock, and cannot write on as if it had it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import optuna
import sqlalchemy
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, RDBStorage
from optuna.study import StudyDirection
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, PendingRollbackError, SQLAlchemyError

from sweeps.errors import StudyError, UnreachableError

SPEC = "arena"  # attribute of a study: the content of its study.json, without the keys of one machine
_EXAMPLE = "postgresql+psycopg://arena@db.example.org/arena"
# Each end notices within about half a minute that the other one is gone.
_CONNECT = {"connect_timeout": 10, "keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}
_SESSION = "SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
# A process that stalls with the lock (a closed laptop) is disconnected after this time; not by PostgreSQL 13.
_STALL_S = 300
_TIMEOUT = (
    "CASE WHEN current_setting('server_version_num')::int >= 140000 THEN set_config('idle_session_timeout', '{}', false) END"
)
_LOCK = (
    "WITH held AS MATERIALIZED (SELECT pg_advisory_lock({key})) SELECT clock_timestamp(), "
    + _TIMEOUT.format(f"{_STALL_S}s")
    + " FROM held"
)
_UNLOCK = "SELECT pg_advisory_unlock({key}), " + _TIMEOUT.format("0")


def strip_password(url: str) -> str:
    """Return `url` without its password, and set PGPASSWORD to that for this process and those that it starts.

    Raises:
        StudyError: it is no URL of a PostgreSQL database.
    """
    try:
        parsed = sqlalchemy.engine.make_url(url)
    except SQLAlchemyError:
        raise StudyError(f"--storage takes a database's URL such as {_EXAMPLE}; this is none") from None
    if parsed.drivername not in ("postgresql+psycopg", "postgresql", "postgres") or not parsed.database:
        text = parsed.render_as_string(hide_password=True)
        raise StudyError(f"--storage takes a PostgreSQL database such as {_EXAMPLE}, not {text}; without it, studies are files")
    if parsed.password is not None:
        os.environ["PGPASSWORD"] = str(parsed.password)
    query = {key: value for key, value in parsed.query.items() if key != "password"}
    bare = sqlalchemy.URL.create("postgresql+psycopg", parsed.username, None, parsed.host, parsed.port, parsed.database, query)
    return bare.render_as_string(hide_password=False)


@functools.lru_cache(maxsize=8)
def open_database(url: str) -> Database:
    """Return the database at `url`, one object per URL in a process; it connects at the first query."""
    return Database(url)


def close_databases() -> None:
    """Close all connections of this process; a later query opens new ones."""
    for database in _databases:
        database.close()


_databases: list[Database] = []


class Database:
    """Studies in a PostgreSQL database. Every method raises UnreachableError while it cannot connect."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._mutex = threading.RLock()
        self._backend: RDBStorage | None = None
        self._cached: BaseStorage | None = None
        self._is_locked = False
        _databases.append(self)

    @property
    def storage(self) -> BaseStorage:
        """Optuna's storage, with its cache of finished trials; creates its tables if need be."""
        with self._mutex, self.translate_errors():
            if self._cached is None:
                self._backend = self._open()
                self._cached = optuna.storages.get_storage(self._backend)
            return self._cached

    def close(self) -> None:
        if self._backend is not None:
            self._backend.remove_session()
            self._backend.engine.dispose()

    def list_names(self) -> list[str]:
        """Return the names of all studies that Arena made, sorted."""
        with self.translate_errors():
            return sorted(study.study_name for study in self.storage.get_all_studies() if SPEC in study.user_attrs)

    def read_content(self, name: str) -> dict[str, Any] | None:
        """Return the part of study.json that all machines share; None where there is no such study."""
        with self.translate_errors():
            try:
                study_id = self.storage.get_study_id_from_name(name)
            except KeyError:
                return None
            content = self.storage.get_study_user_attrs(study_id).get(SPEC)
        if not isinstance(content, dict):
            raise StudyError(f"{self} has a study {name!r} that no sweep of ours made; choose another --name")
        return content

    def read_attribute(self, name: str, key: str) -> Any:
        """Return an attribute of a study; None where it has none."""
        with self.translate_errors():
            return self.storage.get_study_user_attrs(self.storage.get_study_id_from_name(name)).get(key)

    def set_attribute(self, name: str, key: str, value: Any) -> None:
        with self.translate_errors():
            self.storage.set_study_user_attr(self.storage.get_study_id_from_name(name), key, value)

    def write(self, name: str, directions: Sequence[str], content: Mapping[str, Any]) -> None:
        """Write the shared content, and create the study if need be; call it inside `lock`."""
        with self.translate_errors():
            try:
                study_id = self.storage.get_study_id_from_name(name)
            except KeyError:
                study_id = self.storage.create_new_study([StudyDirection[word.upper()] for word in directions], name)
            self.storage.set_study_user_attr(study_id, SPEC, dict(content))

    def now(self) -> datetime:
        """Return the database's time: the machines' own clocks may differ by more than a lease lasts."""
        with self._mutex, self.translate_errors():
            return _to_utc(self._query("SELECT clock_timestamp()"))

    @contextlib.contextmanager
    def lock(self, name: str) -> Iterator[datetime]:
        """Hold the lock of a study, which ends with its process; yield the database's time when it was acquired."""
        key = int.from_bytes(hashlib.sha256(f"arena study {name}".encode()).digest()[:8], "big", signed=True)
        with self._mutex, self.translate_errors():
            assert not self._is_locked, "one lock at a time"
            now = _to_utc(self._query(_LOCK.format(key=key)))
            self._is_locked = True
            try:
                yield now
            finally:
                self._is_locked = False
                self._unlock(key)

    @contextlib.contextmanager
    def translate_errors(self) -> Iterator[None]:
        """Raise the database's errors as StudyError or UnreachableError."""
        try:
            yield
        except StorageInternalError as error:
            raise self._translate(error.__cause__ or error) from error
        except SQLAlchemyError as error:
            raise self._translate(error) from error

    def __str__(self) -> str:
        url = sqlalchemy.engine.make_url(self._url)
        return f"database {url.host or 'localhost'}:{url.port or 5432}/{url.database}"

    def _translate(self, error: BaseException) -> StudyError:
        origin = error.orig if isinstance(error, DBAPIError) else error
        lines = [line.strip() for line in str(origin).splitlines() if line.strip()]
        text = lines[0] if lines else type(error).__name__
        if "password" in text:
            return StudyError(f"{self}: {text}; give the password in --storage, PGPASSWORD or ~/.pgpass")
        if isinstance(error, PendingRollbackError):  # Optuna went on after the first error
            text = "the connection was lost"
        if isinstance(error, OperationalError | InterfaceError | PendingRollbackError):
            return UnreachableError(f"{self} cannot be reached: {text}")
        return StudyError(f"{self}: {text}")

    def _open(self) -> RDBStorage:
        setup = sqlalchemy.create_engine(self._url, poolclass=sqlalchemy.NullPool, connect_args=_CONNECT)
        with setup.connect() as connection:  # two processes that create tables at once would both fail; the lock ends with it
            connection.exec_driver_sql("SELECT pg_advisory_lock(hashtext('arena tables'))")
            try:  # Optuna takes a second connection while it creates its tables, hence a separate storage
                maker = RDBStorage(self._url, engine_kwargs={"poolclass": sqlalchemy.NullPool, "connect_args": _CONNECT})
            except RuntimeError as error:  # tables of an older Optuna
                raise StudyError(f"{self}: {' '.join(str(error).split())}") from error
            maker.remove_session()
        single = {"pool_size": 1, "max_overflow": 0, "connect_args": _CONNECT}
        backend = RDBStorage(self._url, engine_kwargs=single, skip_table_creation=True, skip_compatibility_check=True)
        backend.engine.dispose()  # so that the listeners see every connection
        event.listen(backend.engine, "do_connect", self._refuse_without_lock)
        event.listen(backend.engine, "connect", _configure)
        return backend

    def _refuse_without_lock(self, *_arguments: object) -> None:
        if self._is_locked:
            raise UnreachableError(f"{self} cannot be reached: the connection was lost")

    def _query(self, statement: str) -> Any:
        """Return the first value of the result. A connection that ended since it was last used is replaced once."""
        assert self.storage is not None
        assert self._backend is not None
        engine = self._backend.engine
        for is_last in (False, True):
            try:
                with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    return connection.exec_driver_sql(statement).scalar_one()
            except DBAPIError as error:
                if is_last or self._is_locked or not error.connection_invalidated:
                    raise
        raise AssertionError("returns or raises")

    def _unlock(self, key: int) -> None:
        assert self._backend is not None
        try:
            with self._backend.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql(_UNLOCK.format(key=key))
        except SQLAlchemyError:
            self._backend.engine.dispose()  # the lock ends with the connection


def _configure(connection: Any, _record: object) -> None:
    connection.execute(_SESSION)
    connection.commit()


def _to_utc(moment: Any) -> datetime:
    assert isinstance(moment, datetime)
    return moment.astimezone(UTC)
