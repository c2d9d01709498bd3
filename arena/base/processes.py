"""Signals that ask a process to stop, and processes that end with their parent. Standard library only."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import FrameType


def handle_signals(handler: Callable[[int, FrameType | None], None], more: Iterable[int] = ()) -> None:
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


def follow_parent() -> None:
    """Ignore Ctrl-C in a child of `multiprocessing`, and end this process when its parent ends, in whatever way."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
