"""The lock of a run folder, which one process holds while it trains or changes the run."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from arena.base.locks import describe_holder, open_locked, sign_lock
from arena.base.terminal import say
from cnn.errors import RunError
from cnn.runs.folder import RunFolder

_locks = threading.local()  # run folders that this thread holds


@contextlib.contextmanager
def lock_run(folder: RunFolder, on_wait: Callable[[str], None] = say) -> Iterator[None]:
    """Lock the run folder; reentrant within a thread. The lock ends with its process.

    Args:
        on_wait: called with one line on the process that is waited for.

    Raises:
        RunError: the folder cannot be made or written.
    """
    path = folder.path.absolute()
    held: set[Path] = _locks.__dict__.setdefault("held", set())
    if path in held:
        yield
        return
    file = RunFolder(path).lock_file
    try:
        lock = open_locked(file, lambda: on_wait(f"{folder.path} is in use by {describe_holder(file)}; waiting until it ends"))
    except OSError as error:
        raise RunError(f"cannot write the run folder {folder.path}: {error.strerror}; choose another with --runs") from error
    with lock:
        sign_lock(lock)
        held.add(path)
        try:
            yield
        finally:
            held.remove(path)
