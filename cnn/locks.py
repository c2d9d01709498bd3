"""One process at a time at a place, by a lock file beside it that is gone afterwards. Standard library only.

Whoever leaves removes the file while still holding it. Whoever was waiting then holds a file that has no name any more, or
whose name is another file's by now, and begins again with the one that is there. A killed process leaves the file; the next
one removes it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def alone(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock file `path`; where another process holds it, call `waiting` and wait.

    Raises:
        OSError: the file or its folder cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = _taken(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if not file:
        waiting()
    while not file:
        file = _taken(path, fcntl.LOCK_EX)
    with _removed_at_the_end(path, file):
        yield


@contextmanager
def alone_or_not(path: Path) -> Iterator[bool]:
    """Hold the lock file `path` if no other process does; whether that is so is what comes.

    Raises:
        OSError: the file cannot be made.
    """
    file = _taken(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if not file:
        yield False
        return
    with _removed_at_the_end(path, file):
        yield True


def _taken(path: Path, how: int) -> IO[bytes] | None:
    """The locked file; None where another process holds it, or held it and has removed it meanwhile."""
    with ExitStack() as stack:
        file = stack.enter_context(path.open("ab"))
        try:
            fcntl.flock(file, how)
        except BlockingIOError:
            return None
        if not _is_at(path, file):
            return None
        stack.pop_all()
        return file


def _is_at(path: Path, file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


@contextmanager
def _removed_at_the_end(path: Path, file: IO[bytes]) -> Iterator[None]:
    with file:
        try:
            yield
        finally:
            if _is_at(path, file):
                path.unlink(missing_ok=True)
