"""Optuna's journal file, made safe: a kill leaves no lock behind, a full disk no half line, a damaged tail is set aside."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend, JournalFileBackend

from arena.base.locks import lock_descriptor
from sweeps.errors import StudyError
from sweeps.study.lease import utc_now

_BLOCK = 1 << 16


class Journal(BaseJournalBackend):
    """Backend of `optuna.storages.JournalStorage`. Its lock is the kernel's and ends with its process; Optuna's own
    lock files outlive a killed process and then block everybody for 30 seconds.
    """

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        self._path = path
        self._say = say
        with _open_alone(path) as descriptor:
            self._set_tail_aside(descriptor)
        self._reader = JournalFileBackend(str(path))
        self._end: tuple[int, tuple[int, int] | None] = 0, None  # number of operations read, and the file's state before

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """Yield the operations from `log_number_from` on, without a half line at the end, which is still being written."""
        state = _read_state(self._path)
        if state and (log_number_from, state) == self._end:
            return  # two of three reads: Optuna looks before and after every step
        number = log_number_from
        for log in _operations(self._reader, self._path, log_number_from):
            number += 1
            yield log
        self._end = number, state

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append operations atomically: all, or none."""
        data = b"".join(json.dumps(log, separators=(",", ":")).encode() + b"\n" for log in logs)
        with _open_alone(self._path) as descriptor:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                self._set_tail_aside(descriptor)
                size = os.fstat(descriptor).st_size
            try:
                written = 0
                while written < len(data):
                    written += os.write(descriptor, data[written:])
                if any("state" in log for log in logs):
                    # The end of a trial. Losing what came before it to a power cut loses nothing: the trial counts as
                    # running, its agent is gone, and the next one finds the epochs in the run folder.
                    os.fsync(descriptor)
            except OSError as error:
                with contextlib.suppress(OSError):
                    os.ftruncate(descriptor, size)
                raise _unwritable(self._path, error) from error

    def _set_tail_aside(self, descriptor: int) -> None:
        """Move the bytes after the last complete operation into a file of their own."""
        size = os.fstat(descriptor).st_size
        sound = _sound_size(descriptor, size)
        if sound == size:
            return
        aside = self._path.with_name(f"journal.damaged-{utc_now():%Y%m%dT%H%M%S%fZ}.log")
        with aside.open("ab") as file:
            file.write(os.pread(descriptor, size - sound, sound))
        os.ftruncate(descriptor, sound)
        self._say(f"{self._path}: a damaged tail of {size - sound} bytes (a kill or a full disk) is set aside in {aside.name}")


class ReadOnlyJournal(BaseJournalBackend):
    """Journal for readers: writes nothing, takes no lock, and skips a damaged tail."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader: JournalFileBackend | None = None

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        if self._reader is None:
            if not self._path.exists():
                return
            self._reader = JournalFileBackend(str(self._path))
        yield from _operations(self._reader, self._path, log_number_from)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        raise AssertionError("a reader of studies writes nothing")


def _operations(reader: JournalFileBackend, path: Path, log_number_from: int) -> Iterator[dict[str, Any]]:
    try:
        for log in reader.read_logs(log_number_from):
            if not isinstance(log, dict):
                raise ValueError("no operation")
            yield log
    except ValueError as error:
        line = _damaged_line(path)
        if line:
            fix = f"delete that line, or the folder {path.parent} to begin again"
            raise StudyError(f"{path} line {line} is damaged; {fix}") from error


def _damaged_line(path: Path) -> int:
    """Return the number of the first damaged line before a sound one; 0 for a damaged tail, which writers set aside."""
    first = 0
    with path.open("rb") as file:
        for number, text in enumerate(file, 1):
            if _is_operation(text):
                if first:
                    return first
            else:
                first = first or number
    return 0


@contextlib.contextmanager
def _open_alone(path: Path) -> Iterator[int]:
    """Open the file under an exclusive lock; yield its descriptor."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        lock_descriptor(descriptor)
        yield descriptor
    finally:
        os.close(descriptor)


def _read_state(path: Path) -> tuple[int, int] | None:
    """Return size and time of the file, None if it ends within a line. It is opened, else NFS may answer from its memory."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        stat = os.fstat(descriptor)
        is_sound = stat.st_size and os.pread(descriptor, 1, stat.st_size - 1) == b"\n"
        return (stat.st_size, stat.st_mtime_ns) if is_sound else None
    finally:
        os.close(descriptor)


def _sound_size(descriptor: int, size: int) -> int:
    """Return the number of bytes up to the end of the last complete operation."""
    end = size
    while end:
        start, text = _last_line(descriptor, end)
        if _is_operation(text):
            return end
        end = start
    return 0


def _last_line(descriptor: int, end: int) -> tuple[int, bytes]:
    """Return the start of the line that ends at `end`, and the line."""
    text = b""
    start = end
    while start:
        block = min(_BLOCK, start)
        start -= block
        text = os.pread(descriptor, block, start) + text
        newline = text[:-1].rfind(b"\n")
        if newline >= 0:
            return start + newline + 1, text[newline + 1 :]
    return 0, text


def _is_operation(text: bytes) -> bool:
    if not text.endswith(b"\n"):
        return False
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _unwritable(path: Path, error: OSError) -> StudyError:
    return StudyError(f"cannot write {path}: {error.strerror or error}; free some space and run the sweep again")
