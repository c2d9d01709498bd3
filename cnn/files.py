"""Whole files: written beside and renamed, read as JSON."""

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
    """Write a file beside its place, then rename: a reader sees all of the old or all of the new, also after a kill.

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
    """The object in a JSON file.

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
