"""CSV that a spreadsheet opens: no cell of it is run as a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 the wide forms are run too


def table_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The rows as CSV; what a spreadsheet would take for a formula begins with an apostrophe (OWASP, "CSV Injection")."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows([_tamed(cell) for cell in row] for row in rows)
    return out.getvalue()


def _tamed(cell: object) -> object:
    if isinstance(cell, str) and (cell.startswith(_STARTS) or cell.lstrip().startswith(_STARTS)):
        return f"'{cell}"
    return cell
