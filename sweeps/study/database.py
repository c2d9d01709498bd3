"""A PostgreSQL database that holds studies for agents on many machines: Optuna's tables, a lock for each study, one clock.

One connection serves everything that a process does. The lock belongs to that connection, so what is written under the lock
goes through it too: a process that lost its connection lost the lock, and cannot write on as if it had it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import threading
from collections.abc import Iterator, Mapping
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

SPEC = "arena"  # attribute of a study: the content of its study.json, less what is of one machine
_EXAMPLE = "postgresql+psycopg://arena@db.example.org/arena"
# Both ends find out within about half a minute that the other one is gone without a word.
_CONNECT = {"connect_timeout": 10, "keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}
_SESSION = "SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
# A holder that is stopped in the middle (a closed laptop) is thrown out after this time; PostgreSQL 13 cannot do that.
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


def bare_url(url: str) -> str:
    """`url` as it may be written down: without its password, which this process and those it starts keep in PGPASSWORD.

    Raises:
        StudyError: it is no URL of a PostgreSQL database.
    """
    try:
        parsed = sqlalchemy.engine.make_url(url)
    except SQLAlchemyError:
        raise StudyError(f"--storage takes a database's URL such as {_EXAMPLE}; this is none") from None
    if parsed.drivername not in ("postgresql+psycopg", "postgresql", "postgres") or not parsed.database:
        what = parsed.render_as_string(hide_password=True)
        raise StudyError(f"--storage takes a PostgreSQL database such as {_EXAMPLE}, not {what}; without it, studies are files")
    if parsed.password is not None:
        os.environ["PGPASSWORD"] = str(parsed.password)
    query = {key: value for key, value in parsed.query.items() if key != "password"}
    bare = sqlalchemy.URL.create("postgresql+psycopg", parsed.username, None, parsed.host, parsed.port, parsed.database, query)
    return bare.render_as_string(hide_password=False)


@functools.lru_cache(maxsize=8)
def open_database(url: str) -> Database:
    """The database behind `url`, one object for each in a process; it connects when it is first asked something."""
    return Database(url)


def close_databases() -> None:
    """Close all connections of this process; who asks again opens new ones."""
    for database in _opened:
        database.close()


_opened: list[Database] = []


class Database:
    """Studies in a PostgreSQL database. Every method raises UnreachableError while there is no connection to be had."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._mutex = threading.RLock()
        self._backend: RDBStorage | None = None
        self._cached: BaseStorage | None = None
        self._is_held = False
        _opened.append(self)

    @property
    def storage(self) -> BaseStorage:
        """Optuna's storage, with its cache of finished trials; its tables are made if need be."""
        with self._mutex, self.translated():
            if self._cached is None:
                self._backend = self._open()
                self._cached = optuna.storages.get_storage(self._backend)
            return self._cached

    def close(self) -> None:
        if self._backend is not None:
            self._backend.remove_session()
            self._backend.engine.dispose()

    def names(self) -> list[str]:
        """The names of all studies that sweeps of ours made, sorted."""
        with self.translated():
            return sorted(found.study_name for found in self.storage.get_all_studies() if SPEC in found.user_attrs)

    def content(self, name: str) -> dict[str, Any] | None:
        """What the study's study.json says for all machines; None where there is no such study."""
        with self.translated():
            try:
                study_id = self.storage.get_study_id_from_name(name)
            except KeyError:
                return None
            found = self.storage.get_study_user_attrs(study_id).get(SPEC)
        if not isinstance(found, dict):
            raise StudyError(f"{self} has a study {name!r} that no sweep of ours made; choose another --name")
        return found

    def attribute(self, name: str, key: str) -> Any:
        """An attribute of a study; None where it has none."""
        with self.translated():
            return self.storage.get_study_user_attrs(self.storage.get_study_id_from_name(name)).get(key)

    def set_attribute(self, name: str, key: str, value: Any) -> None:
        with self.translated():
            self.storage.set_study_user_attr(self.storage.get_study_id_from_name(name), key, value)

    def put(self, name: str, goal: str, content: Mapping[str, Any]) -> None:
        """Write that content, and make the study if need be; call it inside `turn`."""
        with self.translated():
            try:
                study_id = self.storage.get_study_id_from_name(name)
            except KeyError:
                study_id = self.storage.create_new_study([StudyDirection[goal.upper()]], name)
            self.storage.set_study_user_attr(study_id, SPEC, dict(content))

    def now(self) -> datetime:
        """The database's time: the machines' own clocks may differ by more than a lease lasts."""
        with self._mutex, self.translated():
            return _utc(self._ask("SELECT clock_timestamp()"))

    @contextlib.contextmanager
    def turn(self, name: str) -> Iterator[datetime]:
        """The critical section of all agents of a study, and the database's time when it began. It ends with its process."""
        key = int.from_bytes(hashlib.sha256(f"arena study {name}".encode()).digest()[:8], "big", signed=True)
        with self._mutex, self.translated():
            assert not self._is_held, "one turn at a time"
            now = _utc(self._ask(_LOCK.format(key=key)))
            self._is_held = True
            try:
                yield now
            finally:
                self._is_held = False
                self._give_up(key)

    @contextlib.contextmanager
    def translated(self) -> Iterator[None]:
        """Turn the database's errors into ours."""
        try:
            yield
        except StorageInternalError as error:
            raise self._told(error.__cause__ or error) from error
        except SQLAlchemyError as error:
            raise self._told(error) from error

    def __str__(self) -> str:
        url = sqlalchemy.engine.make_url(self._url)
        return f"database {url.host or 'localhost'}:{url.port or 5432}/{url.database}"

    def _told(self, error: BaseException) -> StudyError:
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
        alone = sqlalchemy.create_engine(self._url, poolclass=sqlalchemy.NullPool, connect_args=_CONNECT)
        with alone.connect() as connection:  # two that make the tables at once would both fail; the lock ends with it
            connection.exec_driver_sql("SELECT pg_advisory_lock(hashtext('arena tables'))")
            try:  # Optuna takes a second connection while it makes its tables, hence a storage for that alone
                maker = RDBStorage(self._url, engine_kwargs={"poolclass": sqlalchemy.NullPool, "connect_args": _CONNECT})
            except RuntimeError as error:  # of tables that an older Optuna made
                raise StudyError(f"{self}: {' '.join(str(error).split())}") from error
            maker.remove_session()
        one = {"pool_size": 1, "max_overflow": 0, "connect_args": _CONNECT}
        backend = RDBStorage(self._url, engine_kwargs=one, skip_table_creation=True, skip_compatibility_check=True)
        backend.engine.dispose()  # so that the listeners see every connection
        event.listen(backend.engine, "do_connect", self._refuse_without_lock)
        event.listen(backend.engine, "connect", _configure)
        return backend

    def _refuse_without_lock(self, *_arguments: object) -> None:
        if self._is_held:
            raise UnreachableError(f"{self} cannot be reached: the connection was lost")

    def _ask(self, statement: str) -> Any:
        """The first value of the answer. A connection that ended since it was last used is replaced once."""
        assert self.storage is not None
        assert self._backend is not None
        engine = self._backend.engine
        for is_last in (False, True):
            try:
                with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                    return connection.exec_driver_sql(statement).scalar_one()
            except DBAPIError as error:
                if is_last or self._is_held or not error.connection_invalidated:
                    raise
        raise AssertionError("returns or raises")

    def _give_up(self, key: int) -> None:
        assert self._backend is not None
        try:
            with self._backend.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql(_UNLOCK.format(key=key))
        except SQLAlchemyError:
            self._backend.engine.dispose()  # the lock ends with the connection


def _configure(connection: Any, _record: object) -> None:
    connection.execute(_SESSION)
    connection.commit()


def _utc(moment: Any) -> datetime:
    assert isinstance(moment, datetime)
    return moment.astimezone(UTC)
