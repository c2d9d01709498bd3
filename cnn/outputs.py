"""Whether a table may be written where a user wants it, asked before the work that fills it. Standard library only."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from cnn.errors import RunError


def is_replaced(out: Path, header: Sequence[str]) -> bool:
    """Whether a table with `header` lies at `out`, which writing will replace.

    Raises:
        RunError: `out` cannot be written, or another kind of file lies there.
    """
    folder = out.parent
    if not folder.is_dir():
        raise RunError(f"cannot write {out}: {folder} is no folder; make it, or name another place with --out")
    if out.is_dir():
        raise RunError(f"cannot write {out}: it is a folder; name a file in it with --out")
    if not os.access(folder, os.W_OK):
        raise RunError(f"cannot write {out}: {folder} may not be written; name another place with --out")
    if not out.exists():
        return False
    line = ",".join(header)
    if not out.is_file() or _first_line(out, len(line)) != line:
        raise RunError(f"{out} is there and no table as this command writes it; move it, or name another file with --out")
    return True


def _first_line(path: Path, n_chars: int) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.readline(n_chars + 1).rstrip("\n")
    except OSError as error:
        raise RunError(
            f"cannot read {path}, which would be replaced: {error.strerror}; name another file with --out"
        ) from error
