"""Locks beside a place: one at a time, waited for with a word, and nothing left behind."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from cnn.locks import alone, alone_or_not


def test_a_lock_is_gone_afterwards_also_after_a_refusal(tmp_path: Path) -> None:
    lock = tmp_path / "new" / ".out.lock"
    try:
        with alone(lock):
            assert lock.exists()
            raise KeyError
    except KeyError:
        pass
    assert list(lock.parent.iterdir()) == []


def test_what_a_killed_process_left_is_taken_and_removed(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_bytes(b"")
    said: list[str] = []
    with alone(tmp_path / ".lock", lambda: said.append("waiting")):
        assert (tmp_path / ".lock").exists()
    assert (said, list(tmp_path.iterdir())) == ([], [])


def test_the_second_says_that_it_waits_and_comes_after_the_first(tmp_path: Path) -> None:
    events: list[str] = []

    def second() -> None:
        with alone(tmp_path / ".lock", lambda: events.append("waits")):
            events.append("second")

    thread = threading.Thread(target=second)
    with alone(tmp_path / ".lock"):
        thread.start()
        deadline = time.monotonic() + 60
        while not events and time.monotonic() < deadline:
            time.sleep(0.005)
        events.append("first")
    thread.join()
    assert events == ["waits", "first", "second"]


def test_who_would_wait_may_go_on_without(tmp_path: Path) -> None:
    with alone(tmp_path / ".lock"), alone_or_not(tmp_path / ".lock") as is_mine:
        assert not is_mine
    with alone_or_not(tmp_path / ".lock") as is_mine:
        assert is_mine
    assert list(tmp_path.iterdir()) == []


def test_of_many_at_once_no_two_are_inside_though_the_file_comes_and_goes(tmp_path: Path) -> None:
    n_inside = n_done = 0
    most: list[int] = []

    def work() -> None:
        nonlocal n_inside, n_done
        for _ in range(50):
            with alone(tmp_path / ".lock"):
                n_inside += 1
                most.append(n_inside)
                time.sleep(0)
                n_done += 1
                n_inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (n_done, max(most), list(tmp_path.iterdir())) == (400, 1, [])
