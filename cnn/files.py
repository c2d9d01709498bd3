"""Files that are written whole or not at all, and checks before a table is written. Standard library only."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnn.errors import RunError

_ADVICE = {errno.ENOSPC: "free some space or choose another folder", errno.EISDIR: "name a file in it"}


def write_whole(path: Path, content: bytes) -> None:
    """Write a file atomically: a reader sees all of the old content or all of the new, also after a kill.

    Raises:
        RunError: the folder is not writable or the disk is full; nothing is left behind.
    """
    temporary = ""
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        advice = _ADVICE.get(error.errno or 0, "choose another folder")
        raise RunError(f"cannot write {path}: {error.strerror}; {advice}") from error


def write_json(path: Path, content: object) -> None:
    """Write `content` as indented JSON, whole; a list of numbers stays on one line."""
    write_whole(path, (_json_text(content, "\n") + "\n").encode())


def _json_text(content: object, newline: str) -> str:
    deeper = newline + " "
    if isinstance(content, dict) and content:
        items = (f"{json.dumps(str(key), ensure_ascii=False)}: {_json_text(value, deeper)}" for key, value in content.items())
        return "{" + deeper + f",{deeper}".join(items) + newline + "}"
    if isinstance(content, list | tuple) and any(isinstance(item, dict | list | tuple | str) for item in content):
        return "[" + deeper + f",{deeper}".join(_json_text(item, deeper) for item in content) + newline + "]"
    return json.dumps(content, ensure_ascii=False, allow_nan=False)  # NaN is no JSON


def write_csv(path: Path, header: Sequence[str], rows: Any) -> None:
    """Write a table, whole."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_whole(path, text.getvalue().encode())


def read_json(path: Path) -> dict[str, Any]:
    """Read the object in a JSON file.

    Raises:
        RunError: the file is missing or damaged.
    """
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise RunError(f"{path} does not exist; is {path.parent} the folder you mean?") from None
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}; delete its folder and make it again") from error
    if not isinstance(content, dict):
        raise RunError(f"{path} holds no object; delete its folder and make it again")
    return content


def check_output(out: Path, header: Sequence[str]) -> bool:
    """Check, before the work that fills it, that a table may be written to `out`; return True if it replaces one with `header`.

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
