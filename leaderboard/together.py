"""Writes that wait for the disk together: one transaction for all that came while the one before was being stored.

What a disk takes to store a transaction for good (some milliseconds) is many times what the database computes for it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from leaderboard.errors import LeaderboardError

if sys.platform != "win32":
    import fcntl

T = TypeVar("T")
Work = Callable[[Connection], T]
Transaction = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    """A work whose thread waits until it is stored."""

    work: Work[Any]
    stored: Future[Any] = field(default_factory=Future)


@dataclass(slots=True, eq=False)
class Together:
    """The works that wait for the next transaction. Threads share it: the first of them stores for all."""

    transaction: Transaction  # waits for its turn; stored at its end
    _gathered: list[_Waiting] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __len__(self) -> int:
        return len(self._gathered)

    def store(self, work: Work[T]) -> T:
        """What `work` returns, once that is stored for good; what it raises undoes itself and no other.

        Raises:
            DBAPIError: the transaction could not be stored, and nothing of it is.
        """
        own = _Waiting(work)
        with self._lock:
            self._gathered.append(own)
            is_first = len(self._gathered) == 1
        if is_first:
            self._store_all()
        result: T = own.stored.result()
        return result

    def _store_all(self) -> None:
        taken: list[_Waiting] = []
        try:
            with self.transaction() as connection:
                taken = self._taken()
                outcomes = [_outcome(connection, one.work) for one in taken]
        except BaseException as error:
            if len(taken) > 1 and isinstance(error, Exception):
                self._store_each(taken)
                return
            for one in taken or self._taken():
                one.stored.set_exception(error)
            return
        for one, (result, refusal) in zip(taken, outcomes, strict=True):
            one.stored.set_result(result) if refusal is None else one.stored.set_exception(refusal)

    def _store_each(self, taken: list[_Waiting]) -> None:
        """What failed together, one by one: only whoever is at fault hears of it."""
        for one in taken:
            try:
                with self.transaction() as connection:
                    result = one.work(connection)
            except Exception as error:
                one.stored.set_exception(error)
            else:
                one.stored.set_result(result)

    def _taken(self) -> list[_Waiting]:
        with self._lock:
            taken, self._gathered = self._gathered, []
        return taken


def _outcome(connection: Connection, work: Work[Any]) -> tuple[Any, Exception | None]:
    """What a work returned or refused. Any other error of the database may have undone the works before it, and ends all."""
    try:
        with connection.begin_nested():
            return work(connection), None
    except (LeaderboardError, IntegrityError) as refusal:
        return None, refusal


@contextmanager
def next_of_folder(folder: Path) -> Iterator[None]:
    """The turn of one process among those that write in a folder; the kernel gives it to the next at its end, or at a kill.

    It is a courtesy. What keeps a file whole is SQLite's own lock, for which processes sleep and look again, some of them for
    a tenth of a second; where folders have no locks (Windows, some network drives) they wait in that way.
    """
    with ExitStack() as held:
        if sys.platform != "win32":
            with suppress(OSError):
                lock = os.open(folder, os.O_RDONLY)
                held.callback(os.close, lock)
                fcntl.flock(lock, fcntl.LOCK_EX)
        yield
