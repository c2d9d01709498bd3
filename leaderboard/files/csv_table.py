"""CSV files, parsed from bytes into numbered rows of stripped cells; faults are collected line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from arena.base.tables.reader import TableFault, read_table
from leaderboard.errors import Fault, FileError
from leaderboard.messages import Translatable, message

MAX_BYTES = 10_000_000
_MAX_PROBLEMS = 1000  # reading ends there: a file of ten million wrong rows costs no more than one of a thousand
_MAX_SHOWN = 40
MAX_LISTED = 10


class Problems:
    """The faults of a file: the first ten are stored, the others are counted."""

    def __init__(self, file_name: str, error: type[FileError]) -> None:
        self.file_name = file_name
        self.n = 0
        self._error = error
        self._faults: list[Fault] = []

    def add(self, line: int | None, problem: Translatable) -> None:
        """Store or count a fault; raise at the thousandth."""
        if self.n < MAX_LISTED:
            self._faults.append(Fault(line, problem))
        self.n += 1
        if self.n == _MAX_PROBLEMS:
            raise self.build_error()

    def fail(self, line: int | None, problem: Translatable) -> NoReturn:
        """Raise now, because nothing after this fault can be read."""
        self.add(line, problem)
        raise self.build_error()

    def raise_any(self) -> None:
        """Raise the collected faults, if there are any."""
        if self.n:
            raise self.build_error()

    def build_error(self) -> FileError:
        """Return the collected faults, of which there is one at least, as an error."""
        return self._error(self.file_name, self._faults[0], self._faults[1:], self.n - 1)


def read_file(path: Path, error: type[FileError], max_bytes: int = MAX_BYTES) -> bytes:
    """Return the bytes of a file; never read more than `max_bytes` + 1.

    Raises:
        FileError: the file is missing, unreadable or larger; the class is `error`.
    """
    try:
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as cause:
        raise error(str(path), Fault(None, f"the file cannot be read ({cause.strerror}); check its path")) from cause
    check_size(content, Problems(path.name, error), max_bytes)
    return content


def check_size(content: bytes, problems: Problems, max_bytes: int = MAX_BYTES) -> None:
    """Fail when `content` is longer than `max_bytes`."""
    if len(content) > max_bytes:
        problems.fail(None, message("file_too_large", megabytes=f"{max_bytes / 1e6:g}"))


def read_rows(content: bytes, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """Yield line number (from 1) and stripped cells of each row that is not blank; fail on an empty file or no CSV."""
    is_empty = True
    try:
        for line, cells in read_table(content):
            is_empty = False
            yield line, cells
    except TableFault as fault:
        problems.fail(fault.line, fault.problem)
    if is_empty:
        problems.fail(None, message("file_empty"))


def check_header(line: int, cells: list[str], n_known: int, problems: Problems) -> None:
    """Fail on a header that repeats a column, or is far too wide.

    Args:
        n_known: how many columns such a file can have. A few more are let through: the caller names the first of them.
    """
    if len(cells) > 2 * n_known:
        problems.fail(line, message("too_many_columns", most=n_known, n=len(cells)))
    for name, n in Counter(cells).items():
        if n > 1:
            problems.fail(line, message("column_again", name=quote_short(name), n=n))


def check_width(line: int, cells: list[str], header: list[str], problems: Problems) -> bool:
    """Return True if the row has as many values as the header; add a problem otherwise."""
    if len(cells) == len(header):
        return True
    if len(cells) == 1 and cells[0].count(",") == len(header) - 1:
        problems.add(line, message("row_quoted"))
        return False
    columns, values = message("columns", n=len(header)), message("values", n=len(cells))
    problems.add(line, message("row_width", columns=columns, values=values))
    return False


def quote_short(text: str) -> str:
    """Return `text` in quotes on one line, shortened when it is long."""
    return repr(text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…")


def format_count(n: int, noun: str) -> str:
    """Return `1 row` or `2 rows`."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
