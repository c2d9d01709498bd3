"""Rows of a CSV file that a person wrote, from bytes: UTF-8, numbered lines, stripped cells; faults are in every language.

Nothing is repaired: a file that can be read in two ways is refused in a line that says what it is and what to do.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from arena.base.errors import ArenaError
from arena.base.tables.file_kind import name_kind
from arena.base.texts import Message

TEXTS = Path(__file__).parent / "texts"
COMMA, ANY_SEPARATOR = ",", ",;\t|"
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars", ":": "colons", " ": "spaces"}
_ARCHIVES = ("zip", "gzip", "bzip2", "xz", "zstd", "seven_zip", "rar", "tar")
_SHEETS = ("xlsx", "xls", "ods", "numbers")
_DATA = ("npz", "torch", "parquet", "feather", "sqlite", "numpy", "hdf5", "pickle", "json", "notebook", "pdf", "rtf", "picture")
_MAX_BLANK = 100_000  # lines of a file; ten megabytes of them would take seconds to read
_MAX_CELL = 131_072  # characters, the limit of the csv module
_DECIMAL_COMMA = re.compile(r"[;\t|] ?-?\d+,\d+ ?(?:[;\t|]|$)", re.MULTILINE)
_SEP_LINE = re.compile(r'"?sep=(.)"?\r?\n?')  # Excel's own first line


class TableFault(ArenaError):
    """The reason why a file cannot be read further, and the line where there is one; `str` gives both in English."""

    def __init__(self, line: int | None, problem: Message) -> None:
        super().__init__(line, problem)
        self.line = line
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.problem}" if self.line is None else f"line {self.line}: {self.problem}"


def read_table(content: bytes, separators: str = COMMA) -> Iterator[tuple[int, list[str]]]:
    """Yield line number (from 1) and stripped cells of each row that holds something; nothing of an empty file.

    Args:
        separators: the characters that may separate columns; the first row decides which of them does.

    Raises:
        TableFault: the file is no CSV in UTF-8, or has columns that another character separates.
    """
    text = decode_table(content)
    separator, n_lines = _find_separator(text, separators)
    n_blank = 0
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=separator != "\t")
    try:
        for _ in range(n_lines):
            next(rows)
        for row in rows:
            line, n_lines = n_lines + 1, rows.line_num
            cells = [*map(str.strip, row)]
            if any(cells):
                yield line, cells
                continue
            n_blank += 1
            if n_blank > _MAX_BLANK:
                raise TableFault(line, _message("problem.many_blank", most=_MAX_BLANK))
    except csv.Error as error:
        raise TableFault(n_lines + 1, _describe_csv_error(error)) from error


def decode_table(content: bytes) -> str:
    """Return the text of a CSV file.

    Raises:
        TableFault: it is another kind of file, or not UTF-8.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or _has_wide_characters(content):
        raise TableFault(None, _message("problem.utf16"))
    kind = name_kind(content)
    if kind is not None:
        raise TableFault(None, _message("problem.other_kind", kind=_message(f"kind.{kind}"), remedy=_choose_remedy(kind)))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte = content[error.start : error.start + 1]
        char = byte.decode("cp1252", "ignore")
        reading = _message("problem.windows", char=char) if char.isprintable() and char else ""
        problem = _message("problem.not_utf8", byte=byte.hex(), reading=reading)
        raise TableFault(_find_line(content, error.start), problem) from error
    if (position := content.find(0)) >= 0:
        raise TableFault(_find_line(content, position), _message("problem.nul_byte"))
    return text


def _message(key: str, **values: object) -> Message:
    return Message(TEXTS, key, values)


def _has_wide_characters(content: bytes) -> bool:
    """Return True for UTF-16 without its mark: every other byte of Western text is zero."""
    start = content[:64]
    return len(start) > 3 and any(start) and (not any(start[1::2]) or not any(start[::2]))


def _choose_remedy(kind: str) -> Message:
    groups = {"archive": _ARCHIVES, "spreadsheet": _SHEETS, "data": _DATA, kind: ("lfs_pointer", "web_page")}
    return _message("remedy." + next((remedy for remedy, kinds in groups.items() if kind in kinds), "other"))


def _find_separator(text: str, separators: str) -> tuple[str, int]:
    """Return the separator of the columns, and how many lines stand before the header: one where the file says `sep=;`."""
    match = _SEP_LINE.match(text)
    header, _, rest = text[match.end() if match else 0 :].lstrip().partition("\n")
    n_by_separator = {mark: len(_split(header, mark)) for mark in (COMMA, *_SEPARATORS)}
    n_words = len(rest.partition("\n")[0].split())  # pandas may print the number of the row before its values
    if n_words not in (n_by_separator[" "], n_by_separator[" "] + 1) or n_words == 1:
        n_by_separator[" "] = 1  # a title, or a column of two words
    if match:
        separator = match[1]
    elif n_by_separator[COMMA] > 1:
        separator = COMMA
    else:
        separator = max(n_by_separator, key=lambda mark: n_by_separator[mark])  # the first of equals
    if separator not in separators and n_by_separator.get(separator, 0) > 1:
        key = "problem.decimal_commas" if _DECIMAL_COMMA.search(text) else "problem.not_commas"
        name = _message(f"separator.{_SEPARATORS[separator]}")
        raise TableFault(2 if match else 1, _message(key, separator=name))
    return separator if separator in separators else COMMA, 1 if match else 0


def _split(header: str, separator: str) -> list[str]:
    """Split a header outside its quotes; spaces count only between bare words."""
    if separator == " ":
        return header.split() if re.fullmatch(r"\s*\w+(\s+\w+)+\s*", header) else [header]
    try:
        return next(csv.reader([header], delimiter=separator), [])
    except csv.Error:
        return [header]


def _find_line(content: bytes, position: int) -> int:
    return len((content[:position] + b"x").splitlines())


def _describe_csv_error(error: csv.Error) -> Message:
    if "field larger" in str(error):
        return _message("problem.long_cell", most=_MAX_CELL)
    return _message("problem.not_csv", reason=str(error))
