"""A proposal, and the words that were typed before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from arena.base.project import find_project


@dataclass(frozen=True, slots=True)
class Proposal:
    """A text that may stand in place of the unfinished word."""

    value: str
    help: str = ""
    is_whole: bool = True  # a space follows; not after `train.epochs=` or a folder


@dataclass(frozen=True, kw_only=True, slots=True)
class TypedLine:
    """The words of a command line before the unfinished one."""

    path: tuple[str, ...] = ()  # the command, such as ("contest", "submit")
    options: Mapping[str, list[str]] = field(default_factory=dict)  # values by the option's first spelling
    arguments: tuple[str, ...] = ()

    def locate(self, folder: str) -> Path:
        """Return the folder of tiles, runs or studies that the line or the project names."""
        values = self.options.get(f"--{folder}", [])
        return Path(values[-1]).expanduser() if values else find_project().locate_folder(folder)


Completer = Callable[[TypedLine, str], Iterable[Proposal]]


def complete_words(*words: str) -> Completer:
    """Return the completer of a fixed list."""
    return lambda line, word: (Proposal(text) for text in words)
