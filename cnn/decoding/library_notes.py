"""Notes that libmpg123 writes to the process's standard error from C, past Python: `Note: Trying to resync...`."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_NOTES = re.compile(rb"(?:\[[^\n]*libmpg123[^\n]*\]|Note: |Warning: )[^\n]*\n?")
_lock = threading.Lock()


def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)  # a thread that a fork did not copy may hold it


@contextmanager
def drop_library_notes() -> Iterator[None]:
    """Hold standard error back at the level of file descriptors, then write what is no library's note; threads take turns."""
    with _lock:
        with suppress(AttributeError, OSError, ValueError):  # none, or closed
            sys.stderr.flush()
        try:
            stderr = os.dup(2)
        except OSError:  # nobody reads it
            yield
            return
        with tempfile.TemporaryFile() as held:
            os.dup2(held.fileno(), 2)
            try:
                yield
            finally:
                os.dup2(stderr, 2)
                os.close(stderr)
                held.seek(0)
                if rest := _NOTES.sub(b"", held.read()):
                    os.write(2, rest)
