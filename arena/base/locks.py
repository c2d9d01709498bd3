"""File locks of the kernel: one ends with the process that holds it, however that ends. Standard library only.

A temporary lock file is removed by its holder while it is held. A process that waited then holds a file without a name,
or whose name belongs to another file by now, and begins again. A killed process leaves the file; the next one removes it.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from arena.base.errors import ArenaError

if sys.platform != "win32":
    import fcntl


class PlatformError(ArenaError):
    """Windows lacks something that the command needs."""


def require_posix(task: str) -> None:
    """Check that the platform is POSIX.

    Raises:
        PlatformError: it is Windows.
    """
    if sys.platform == "win32":
        raise PlatformError(f"{task} needs Linux or macOS; on Windows run Arena in WSL (`wsl --install`)")


def lock_descriptor(descriptor: int, *, blocking: bool = True) -> bool:
    """Lock an open file or folder until it is closed; return False where another process holds it, unless `blocking`."""
    require_posix("a file lock")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX if blocking else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def open_locked(path: Path, on_wait: Callable[[], None] = lambda: None) -> IO[bytes]:
    """Hold the file `path` until it is closed; if another process holds it, call `on_wait` and wait.

    Raises:
        OSError: the file or its folder cannot be made.
    """
    while True:
        with ExitStack() as stack:
            try:
                file = stack.enter_context(path.open("ab"))
            except FileNotFoundError:
                path.parent.mkdir(parents=True, exist_ok=True)
                continue
            if not lock_descriptor(file.fileno(), blocking=False):
                on_wait()
                lock_descriptor(file.fileno())
            if _is_at(path, file):  # its folder may have been removed meanwhile
                stack.pop_all()
                return file


def open_shared(path: Path) -> IO[bytes]:
    """Hold the file `path` together with others until it is closed; wait while one process holds it for itself.

    Raises:
        OSError: the file cannot be made.
    """
    require_posix("a file lock")
    with ExitStack() as stack:
        file = stack.enter_context(path.open("ab"))
        fcntl.flock(file.fileno(), fcntl.LOCK_SH)
        stack.pop_all()
        return file


def is_locked(path: Path) -> bool:
    """Return True if somebody holds the file `path`; False also where that cannot be tested."""
    if sys.platform == "win32":
        return False
    try:
        with path.open("rb") as file:
            fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def sign_lock(file: IO[bytes]) -> None:
    """Write into a file that this process holds who holds it; a worker signs for the command that started it."""
    parent = multiprocessing.parent_process()
    pid = parent.pid if parent else os.getpid()
    holder = {"pid": pid, "host": socket.gethostname(), "since": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")}
    with suppress(OSError):  # a full disk: the lock holds all the same
        file.truncate(0)
        file.write(json.dumps(holder).encode())
        file.flush()


def describe_holder(path: Path) -> str:
    """Describe the holder of the file `path` by its signature, as `process 42 since 2026-11-30 08:00 UTC`."""
    try:
        holder = json.loads(path.read_bytes())
        host = "" if holder["host"] == socket.gethostname() else f" on {holder['host']}"
        return f"process {holder['pid']}{host} since {holder['since']}"
    except (OSError, ValueError, LookupError, TypeError):
        return "another process"


@contextmanager
def hold_lock(path: Path, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the temporary lock file `path`; if another process holds it, call `on_wait` and wait.

    Raises:
        OSError: the file or its folder cannot be made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = _open_temporary(path, blocking=False)
    if not file:
        on_wait()
    while not file:
        file = _open_temporary(path, blocking=True)
    with _removed_at_exit(path, file):
        yield


@contextmanager
def try_lock(path: Path) -> Iterator[bool]:
    """Hold the temporary lock file `path` and yield True, or yield False where another process holds it.

    Raises:
        OSError: the file cannot be made.
    """
    file = _open_temporary(path, blocking=False)
    if not file:
        yield False
        return
    with _removed_at_exit(path, file):
        yield True


def _open_temporary(path: Path, *, blocking: bool) -> IO[bytes] | None:
    """Return the locked file; None where another process holds it, or held it and has removed it meanwhile."""
    with ExitStack() as stack:
        file = stack.enter_context(path.open("ab"))
        if lock_descriptor(file.fileno(), blocking=blocking) and _is_at(path, file):
            stack.pop_all()
            return file
    return None


def _is_at(path: Path, file: IO[bytes]) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


@contextmanager
def _removed_at_exit(path: Path, file: IO[bytes]) -> Iterator[None]:
    with file:
        try:
            yield
        finally:
            if _is_at(path, file):
                path.unlink(missing_ok=True)
