"""Writes that share a transaction: each hears of its own fate, and a process that dies keeps nobody waiting."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import IntegrityError, OperationalError

from leaderboard.database import Database, connect
from leaderboard.errors import ContestError, TeamError
from leaderboard.together import Together, Turns

WAIT_S = 60


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = connect(tmp_path / "some.db")
    with database.write() as connection:
        connection.execute(text("CREATE TABLE things (name TEXT PRIMARY KEY)"))
    yield database
    database.close()


@dataclass
class Gate:
    """Transactions that begin when the gate is opened."""

    database: Database
    opened: threading.Event = field(default_factory=threading.Event)
    n_begun: int = 0

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        assert self.opened.wait(WAIT_S)
        with self.database.write() as connection:
            self.n_begun += 1
            yield connection


def adding(name: str) -> Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        connection.execute(text("INSERT INTO things VALUES (:name)"), {"name": name})
        return name

    return work


def refused_after_adding(name: str) -> Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        adding(name)(connection)
        raise TeamError(f"{name} is refused")

    return work


def broken(connection: Connection) -> str:
    connection.execute(text("SELECT nothing FROM nowhere"))
    return "never"


def names(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.scalars(text("SELECT name FROM things ORDER BY name")))


def stored_at_once(gate: Gate, *works: Callable[[Connection], str]) -> list[Future[str]]:
    """What came of works that all waited before the gate was opened."""
    together = Together(gate.transaction)
    with ThreadPoolExecutor(len(works)) as threads:
        found = [threads.submit(together.store, work) for work in works]
        deadline = time.monotonic() + WAIT_S
        while len(together) < len(works) and time.monotonic() < deadline:
            time.sleep(0.001)
        gate.opened.set()
    assert len(together) == 0
    return found


def test_what_waits_together_is_one_transaction_and_each_hears_its_own_result(database: Database) -> None:
    gate = Gate(database)
    found = stored_at_once(gate, *(adding(f"thing {n}") for n in range(6)))
    assert [one.result() for one in found] == [f"thing {n}" for n in range(6)] == names(database)
    assert gate.n_begun == 1


def test_a_refused_work_undoes_itself_alone(database: Database) -> None:
    gate = Gate(database)
    found = stored_at_once(gate, adding("a"), refused_after_adding("b"), adding("a"), adding("c"))
    assert [type(one.exception()) for one in found].count(TeamError) == 1
    assert [type(one.exception()) for one in found].count(IntegrityError) == 1
    assert names(database) == ["a", "c"]
    assert gate.n_begun == 1


def test_an_error_that_may_have_undone_the_others_is_heard_by_the_one_at_fault(database: Database) -> None:
    found = stored_at_once(Gate(database), adding("a"), broken, adding("b"))
    assert [type(one.exception()) for one in found] == [type(None), ContestError, type(None)]
    assert names(database) == ["a", "b"]


def test_where_no_transaction_begins_everybody_hears_of_it_and_the_next_is_stored(database: Database) -> None:
    @dataclass
    class Locked(Gate):
        @contextmanager
        def transaction(self) -> Iterator[Connection]:
            assert self.opened.wait(WAIT_S)
            raise OperationalError("BEGIN", {}, Exception("database is locked"))
            yield

    found = stored_at_once(Locked(database), adding("a"), adding("b"))
    assert [type(one.exception()) for one in found] == [OperationalError, OperationalError]
    assert names(database) == []
    assert database.store(adding("c")) == "c"


def test_a_commit_that_fails_stores_nothing_and_is_heard(database: Database) -> None:
    @dataclass
    class Full(Gate):
        @contextmanager
        def transaction(self) -> Iterator[Connection]:
            with Gate.transaction(self) as connection:
                yield connection
                raise OperationalError("COMMIT", {}, Exception("database or disk is full"))

    found = stored_at_once(Full(database), adding("a"), adding("b"))
    assert [type(one.exception()) for one in found] == [ContestError, ContestError]
    assert names(database) == []


HOLDS = """
import sys
from pathlib import Path
from leaderboard.together import Turns
with Turns(Path(sys.argv[1])).next():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no locks there")
def test_a_process_has_the_turn_of_a_folder_until_it_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDS, str(tmp_path)]
    had = threading.Event()

    def take() -> None:
        with Turns(tmp_path, most_s=WAIT_S).next():
            had.set()

    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        waiting = threading.Thread(target=take)
        waiting.start()
        assert not had.wait(0.2)
        process.kill()
    waiting.join(WAIT_S)
    assert had.is_set()


def test_a_folder_that_is_not_there_keeps_nobody_waiting(tmp_path: Path) -> None:
    with Turns(tmp_path / "nowhere").next():
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="folders have no locks there")
def test_a_lock_that_somebody_keeps_is_given_up_and_taken_again_when_it_is_free(tmp_path: Path) -> None:
    import fcntl

    turns = Turns(tmp_path, most_s=0.01)
    kept = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(kept, fcntl.LOCK_EX)
    for _ in range(3):
        with turns.next():
            pass
    assert len([one for one in threading.enumerate() if one.name.endswith("(_ask)")]) == 1
    os.close(kept)
    deadline = time.monotonic() + WAIT_S
    while not is_locked_within(turns) and time.monotonic() < deadline:
        time.sleep(0.001)
    assert is_locked_within(turns)


def is_locked_within(turns: Turns) -> bool:
    import fcntl

    other = os.open(turns.folder, os.O_RDONLY)
    try:
        with turns.next():
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(other)
    return False


def test_one_who_gets_no_connection_in_time_is_told_so(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'some.db'}", pool_size=1, max_overflow=0, pool_timeout=0.01)
    database = Database(engine, "some.db")
    with (
        database.read(),
        pytest.raises(ContestError, match=r"some.db cannot be read .*too many ask at a time"),
        database.read(),
    ):
        pass
    database.close()
