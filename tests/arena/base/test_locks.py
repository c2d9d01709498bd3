"""Locks beside a place: one at a time, waited for with a word, and nothing left behind."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from arena.base.locks import PlatformError, hold_lock, lock_descriptor, open_locked, try_lock


def test_a_lock_is_gone_afterwards_also_after_a_refusal(tmp_path: Path) -> None:
    lock = tmp_path / "new" / ".out.lock"
    try:
        with hold_lock(lock):
            assert lock.exists()
            raise KeyError
    except KeyError:
        pass
    assert list(lock.parent.iterdir()) == []


def test_what_a_killed_process_left_is_taken_and_removed(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_bytes(b"")
    calls: list[str] = []
    with hold_lock(tmp_path / ".lock", lambda: calls.append("waiting")):
        assert (tmp_path / ".lock").exists()
    assert (calls, list(tmp_path.iterdir())) == ([], [])


def test_the_second_says_that_it_waits_and_comes_after_the_first(tmp_path: Path) -> None:
    events: list[str] = []

    def second() -> None:
        with hold_lock(tmp_path / ".lock", lambda: events.append("waits")):
            events.append("second")

    thread = threading.Thread(target=second)
    with hold_lock(tmp_path / ".lock"):
        thread.start()
        deadline = time.monotonic() + 60
        while not events and time.monotonic() < deadline:
            time.sleep(0.005)
        events.append("first")
    thread.join()
    assert events == ["waits", "first", "second"]


def test_who_would_wait_may_go_on_without(tmp_path: Path) -> None:
    with hold_lock(tmp_path / ".lock"), try_lock(tmp_path / ".lock") as is_mine:
        assert not is_mine
    with try_lock(tmp_path / ".lock") as is_mine:
        assert is_mine
    assert list(tmp_path.iterdir()) == []


def test_of_many_at_once_no_two_are_inside_though_the_file_comes_and_goes(tmp_path: Path) -> None:
    n_inside = n_done = 0
    most: list[int] = []

    def work() -> None:
        nonlocal n_inside, n_done
        for _ in range(50):
            with hold_lock(tmp_path / ".lock"):
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


def test_windows_has_no_lock_and_is_told_of_wsl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    for hold in (open_locked, hold_lock, try_lock):
        with (
            pytest.raises(PlatformError, match="a file lock needs Linux or macOS; on Windows run Arena in WSL"),
            hold(tmp_path / "x"),
        ):
            raise AssertionError("nothing is held")


def test_an_open_lock_is_kept_until_it_is_closed_and_its_file_stays(tmp_path: Path) -> None:
    with open_locked(tmp_path / "new" / ".lock"), (tmp_path / "new" / ".lock").open("ab") as second:
        assert not lock_descriptor(second.fileno(), blocking=False)
    with open_locked(tmp_path / "new" / ".lock"):
        pass
    assert [path.name for path in (tmp_path / "new").iterdir()] == [".lock"]
