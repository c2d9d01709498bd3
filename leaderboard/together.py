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


@dataclass(slots=True, eq=False)
class Turns:
    """The turns of this process among those that write in a folder; the kernel gives one to the next at its end, or at a kill.

    They are a courtesy. What keeps a file whole is SQLite's own lock, for which processes sleep and look again, some of them
    for a tenth of a second; where folders have no locks (Windows, some network drives) they wait in that way, and so they do
    while somebody keeps the folder's lock, as any program may that can read the folder.
    """

    folder: Path
    most_s: float = 2.0  # that a turn is waited for
    _own: threading.Lock = field(default_factory=threading.Lock)
    _in_vain: threading.Thread | None = None  # still asks for a turn that was given up

    @contextmanager
    def next(self) -> Iterator[None]:
        """One turn, or none where there is none to be had."""
        with self._own, ExitStack() as held:
            lock = self._taken()
            if lock is not None:
                held.callback(os.close, lock)
            yield

    def _taken(self) -> int | None:
        """The folder, opened and locked by us."""
        if sys.platform == "win32" or (self._in_vain is not None and self._in_vain.is_alive()):
            return None
        with suppress(OSError), ExitStack() as held:
            lock = os.open(self.folder, os.O_RDONLY)
            held.callback(os.close, lock)
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                held.pop_all()
                return lock
            held.pop_all()
            return self._waited_for(lock)
        return None

    def _waited_for(self, lock: int) -> int | None:
        """The same, when it is locked. Waiting for a lock cannot be ended, so a thread does it, which closes what came late."""
        turn: Future[int] = Future()
        asking = threading.Thread(target=_ask, args=(lock, turn), daemon=True)
        asking.start()
        try:
            return turn.result(self.most_s)
        except TimeoutError:
            if not turn.cancel():  # it came just now
                return turn.result()
            self._in_vain = asking
            return None


def _ask(lock: int, turn: Future[int]) -> None:
    assert sys.platform != "win32", "folders have no locks there"
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError as error:
        os.close(lock)
        if turn.set_running_or_notify_cancel():
            turn.set_exception(error)
        return
    if turn.set_running_or_notify_cancel():
        turn.set_result(lock)
    else:
        os.close(lock)
