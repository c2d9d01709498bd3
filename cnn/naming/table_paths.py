"""Paths of a table, looked up among the files of an import. Standard library only."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from cnn.errors import CorpusError


def locate_files(
    names: Sequence[str], table: Path, folder: Path, paths: Sequence[PurePosixPath]
) -> Sequence[PurePosixPath | None]:
    """Return the file of each name, of `paths` below `folder`; None for a name without one.

    Names are relative to the table's folder, to `folder`, or to the working folder: whichever makes all of them files.

    Raises:
        CorpusError: no name is a file, or names would be other files from another of these folders.
    """
    find = _index_files(paths)
    bases = {os.path.realpath(base): str(base) for base in (table.parent, folder, Path())} | {os.getcwd(): "the working folder"}
    results = {label: tuple(find(_relate(name, base, folder)) for name in names) for base, label in bases.items()}
    candidates = {base: files for base, files in results.items() if all(files)}
    candidates = candidates or {base: files for base, files in results.items() if any(files)}
    if not candidates:
        rule = f"none of {len(names)} paths of the table lies below {folder}, the first is {names[0]}"
        raise CorpusError(f"{rule}; they are relative to one of: {', '.join(results)}")
    if len(set(candidates.values())) > 1:
        counts = ", ".join(f"{len(files) - files.count(None)} are files from {base}" for base, files in candidates.items())
        raise CorpusError(f"paths of the table mean different files, the first is {names[0]}: {counts}; write whole paths")
    return next(iter(candidates.values()))


def _relate(name: str, base: str, folder: Path) -> str:
    """Return a name of a table relative to `folder`."""
    full_path = os.path.normpath(os.path.join(base, name.replace("\\", "/")))
    roots = (os.path.realpath(folder), os.path.abspath(folder))
    return next((full_path.removeprefix(f"{root}/") for root in roots if full_path.startswith(f"{root}/")), "")


def _index_files(paths: Sequence[PurePosixPath]) -> Callable[[str], PurePosixPath | None]:
    """Return a function that finds a file by its path, where that is unique also in other case or without suffix."""
    levels: list[dict[str, set[PurePosixPath]]] = [{}, {}, {}]
    for path in paths:
        for files, key in zip(levels, (str(path), _fold(str(path)), _fold(str(path.with_suffix("")))), strict=True):
            files.setdefault(key, set()).add(path)

    def find(name: str) -> PurePosixPath | None:
        matches = (files.get(key, set()) for files, key in zip(levels, (name, _fold(name), _fold(name)), strict=True))
        return next((next(iter(match)) for match in matches if len(match) == 1), None)

    return find


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
