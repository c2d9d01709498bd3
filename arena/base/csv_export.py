"""CSV for people, which a spreadsheet opens without running a cell of it as a formula. Standard library only."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def format_csv(rows: Iterable[Sequence[object]], newline: str = "\n", separator: str = ",") -> str:
    """Return the rows as CSV, numbers with all their digits, texts that would run as formulas behind an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=newline, delimiter=separator)
    writer.writerows([escape_formula(cell) for cell in row] for row in rows)
    return text.getvalue()


def escape_formula(cell: object) -> object:
    """Return the cell, behind an apostrophe if it is a text that a spreadsheet would run (OWASP, "CSV Injection").

    Spreadsheets skip blanks and invisible characters before a formula and run full-width and small forms of its sign.
    """
    return f"'{cell}" if isinstance(cell, str) and _is_formula(cell) else cell


def _is_formula(text: str) -> bool:
    start = next((char for char in text if char in _STARTS or not _is_blank(char)), "")
    return unicodedata.normalize("NFKC", start).startswith(_STARTS)


def _is_blank(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in ("Cc", "Cf")
