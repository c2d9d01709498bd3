"""Stamps of files that a team edits: a digest of their text, so that an edited file is never overwritten unasked."""

from __future__ import annotations

import hashlib
from pathlib import Path

from reports.errors import OutputError


def digest_of_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def check_unedited(out: Path, is_unedited: bool, *, force: bool) -> None:
    """Check that `out` may be written, before anything is.

    Raises:
        OutputError: `out` is a folder, or there and not as it was written.
    """
    if out.is_dir():
        raise OutputError(f"--out names a file and {out} is a folder; name a file in it")
    if out.exists() and not force and not is_unedited:
        raise OutputError(
            f"{out} was edited, or is not of this command; name another file with --out, or replace it with --force"
        )
