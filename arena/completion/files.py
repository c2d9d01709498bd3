"""Proposals of files by the end of their name, and of folders."""

from __future__ import annotations

import os
from collections.abc import Iterator

from arena.completion.proposal import Completer, Proposal, TypedLine

_MOST = 1000


def complete_files(*endings: str) -> Completer:
    """Return the completer of files with one of `endings`, in any case, and of the folders on the way to them."""
    return lambda line, word: _list_paths(word, endings)


def complete_folders(line: TypedLine, word: str) -> Iterator[Proposal]:
    return (path for path in _list_paths(word, ("",)) if not path.is_whole)


def _list_paths(word: str, endings: tuple[str, ...]) -> Iterator[Proposal]:
    folder, beginning = os.path.split(word)
    with os.scandir(os.path.expanduser(folder) or ".") as entries:
        names = sorted((entry.name, entry.is_dir()) for entry in entries)
    for name, is_folder in names[:_MOST]:
        if name.startswith(beginning) and (beginning or not name.startswith(".")) and name.isprintable():
            path = os.path.join(folder, name)
            if is_folder:
                yield Proposal(f"{path}/", is_whole=False)
            elif name.lower().endswith(endings):
                yield Proposal(path)
