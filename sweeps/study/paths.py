"""Paths of tiles and runs in a study's folder: while pools and agents work with them, nobody changes them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from arena.base.locks import lock_descriptor, open_shared
from sweeps.errors import StudyError

PATHS = ("tiles", "runs")
_LOCK = ".paths"


@contextlib.contextmanager
def hold_paths(folders: Iterable[Path]) -> Iterator[None]:
    """Keep the paths of studies as they are, together with any number of other processes.

    Raises:
        StudyError: a folder cannot be written.
    """
    with contextlib.ExitStack() as stack:
        for folder in folders:
            try:
                stack.enter_context(open_shared(folder / _LOCK))
            except OSError as error:
                raise StudyError(f"cannot write {folder}: {error.strerror}; choose another folder with --studies") from error
        yield


@contextlib.contextmanager
def change_paths(folder: Path, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[None]:
    """Let nobody hold the paths while those of `old` become those of `new`; do nothing where they are equal.

    Raises:
        StudyError: a pool or an agent holds them.
    """
    changed = [key for key in PATHS if old and old.get(key) != new[key]]
    if not changed:
        yield
        return
    with (folder / _LOCK).open("ab") as file:
        if not lock_descriptor(file.fileno(), blocking=False):
            rule = f"agents of study {folder.name!r} are at work here with " + _spell(changed, old)
            raise StudyError(f"{rule}, not {_spell(changed, new)}; give the same, or end them first")
        yield


def _spell(keys: Iterable[str], content: Mapping[str, Any]) -> str:
    return " ".join(f"--{key} {content.get(key)}" for key in keys)
