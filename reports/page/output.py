"""Output of a report: the page on disk, written whole or not at all, and the facts as JSON."""

from __future__ import annotations

import math
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cnn.errors import RunError
from cnn.files import write_whole
from reports.errors import OutputError

if TYPE_CHECKING:
    from reports.facts.report import ReportFacts


def write_report(facts: ReportFacts, out: Path) -> int:
    """Write the page to `out` and return its size in bytes.

    Raises:
        OutputError: `out` is a folder, or cannot be written.
    """
    from reports.page.render import render_report

    check_out(out)
    return write_page(render_report(facts), out)


def check_out(out: Path) -> None:
    """Check that `out` names a file, before any work is done.

    Raises:
        OutputError: `out` is a folder.
    """
    if out.is_dir():
        raise OutputError(f"--out names a file and {out} is a folder; give {out / 'report.html'}")


def write_page(content: bytes, out: Path) -> int:
    """Write `content` to `out` and return its size in bytes.

    Raises:
        OutputError: `out` is a folder, or cannot be written.
    """
    check_out(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out, content)
    except OSError as error:
        raise OutputError(f"cannot write {out}: {error.strerror}; choose another place with --out") from error
    except RunError as error:
        raise OutputError(str(error)) from error
    return len(content)


def as_plain(value: object) -> object:
    """Return `value` of dicts, lists and scalars as JSON can hold it: times as ISO 8601, NaN and infinity as null."""
    if isinstance(value, dict):
        return {str(key): as_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return None if isinstance(value, float) and not math.isfinite(value) else value
