"""Tables that a learning platform or a spreadsheet wrote, with the place of each cell: one can be changed, all else stays.

Encodings: UTF-8 and UTF-16 by their byte order mark, UTF-8 without one, else Windows-1252. Separators: comma, semicolon, tab.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leaderboard.errors import ClassListError, Fault

SEPARATORS = (",", ";", "\t")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_WORKBOOKS = ((b"PK\x03\x04", "a workbook of Excel or LibreOffice"), (b"\xd0\xcf\x11\xe0", "an old Excel workbook"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """A cell: its text without quotes, and its place in the file."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    line: int  # its number in the file, from 1
    cells: tuple[Cell, ...]

    @property
    def is_blank(self) -> bool:
        return not any(cell.text.strip() for cell in self.cells)

    def text(self, column: int) -> str:
        """Return the stripped text of a cell; empty where the row ends before it."""
        return self.cells[column].text.strip() if column < len(self.cells) else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """A table as it stands in its file; `rows` are those that are not blank."""

    name: str
    content: str
    mark: bytes  # byte order mark; empty: none
    encoding: str
    separator: str
    rows: Sequence[Row]

    @property
    def is_guessed(self) -> bool:
        """Return True if the encoding is a guess: Windows-1252 has no mark."""
        return self.encoding == "cp1252"

    def replace(self, texts: Mapping[Cell, str]) -> bytes:
        """Return the file with these cells changed, and not another byte."""
        parts, end = [], 0
        for cell in sorted(texts, key=lambda cell: cell.start):
            quoted = self.content[cell.start : cell.end].startswith('"')
            parts += [self.content[end : cell.start], quote_cell(texts[cell], self.separator, is_quoted=quoted)]
            end = cell.end
        return self.mark + "".join([*parts, self.content[end:]]).encode(self.encoding)


def quote_cell(text: str, separator: str, *, is_quoted: bool = False) -> str:
    """Return a cell as CSV: in quotes where it has to be, or `is_quoted`."""
    needs = is_quoted or any(char in text for char in (separator, '"', "\n", "\r"))
    return '"' + text.replace('"', '""') + '"' if needs else text


def read_sheet(content: bytes, name: str) -> Sheet:
    """Return the table in a file.

    Raises:
        ClassListError: it is a workbook, empty, or ends within quotes.
    """
    for start, kind in _WORKBOOKS:
        if content.startswith(start):
            fault = f"a list or gradebook is a CSV file and this is {kind}; save it as CSV UTF-8 and give that file"
            raise ClassListError(name, Fault(None, fault))
    mark, encoding = next(((mark, encoding) for mark, encoding in _MARKS if content.startswith(mark)), (b"", _guess(content)))
    try:
        text = content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        fault = f"its bytes are no {encoding.upper()} ({error.reason}); save it as CSV UTF-8 and give that file"
        raise ClassListError(name, Fault(None, fault)) from error
    if not text.strip("\ufeff\r\n\t ,;\0"):
        raise ClassListError(name, Fault(None, "the file is empty; give one with a line for each student or team"))
    separator = _find_separator(text)
    rows = tuple(row for row in _split(text, separator, name) if not row.is_blank)
    return Sheet(name=name, content=text, mark=mark, encoding=encoding, separator=separator, rows=rows)


def _guess(content: bytes) -> str:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _find_separator(text: str) -> str:
    """Return the separator that stands most often in the first line, outside quotes; a comma where none does."""
    first = next(line for line in text.splitlines() if line.strip())
    bare = "".join(first.split('"')[::2])
    return max(SEPARATORS, key=bare.count)


def _split(text: str, separator: str, name: str) -> list[Row]:
    """Split into rows and cells: RFC 4180, and as spreadsheets read it where quotes stand within a cell."""
    rows, cells, at, line, first_line = [], list[Cell](), 0, 1, 1
    while at < len(text):
        start = at
        if text[at] == '"':
            at = _find_quote(text, at + 1)
            if at < 0:
                raise ClassListError(name, Fault(line, 'a quote " opens here and none closes it; close it and try again'))
        while at < len(text) and text[at] not in (separator, "\n", "\r"):
            at += 1
        cells.append(Cell(text=_unquote(text[start:at]), start=start, end=at))
        line += text.count("\n", start, at)
        if at < len(text) and text[at] == separator:
            at += 1
            if at < len(text) and text[at] not in "\r\n":
                continue
            cells.append(Cell(text="", start=at, end=at))
        rows.append(Row(line=first_line, cells=tuple(cells)))
        cells = []
        if text.startswith("\r\n", at):
            at += 1
        at += 1
        line += 1
        first_line = line
    return rows


def _find_quote(text: str, at: int) -> int:
    """Return the place behind the quote that closes a cell; -1 where none does."""
    while (at := text.find('"', at)) >= 0:
        if not text.startswith('""', at):
            return at + 1
        at += 2
    return -1


def _unquote(text: str) -> str:
    if not text.startswith('"'):
        return text
    inner, _, rest = text[1:].rpartition('"')
    return inner.replace('""', '"') + rest
