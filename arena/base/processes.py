"""Signals that ask a process to stop, and processes that end with their parent. Standard library only."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager


def handle_signals(handler: Callable[[int, types.FrameType | None], None], more: Iterable[int] = ()) -> None:
    """Install `handler` for the signals that end a process and for `more`, except for those that this process ignores."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, *more):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a shell's background job
            signal.signal(number, handler)


@contextmanager
def record_signals(numbers: list[int]) -> Iterator[None]:
    """Append SIGINT and SIGTERM to `numbers` as they arrive, instead of ending the process."""
    before = {number: signal.signal(number, lambda n, _frame: numbers.append(n)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def without_main() -> Iterator[None]:
    """Hide this process's script from those that "spawn" starts: without `if __name__ == "__main__"` it would run again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def follow_parent() -> None:
    """Ignore Ctrl-C in a child of `multiprocessing`, and end this process when its parent ends, in whatever way."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
