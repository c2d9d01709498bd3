"""Rules for reading names, and the result of one path. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, kw_only=True, slots=True)
class Naming:
    """Facts from a recording's path; label is empty if the path names no digit."""

    label: str
    speaker: str = ""
    take: str = ""
    fault: str = ""  # the rest of a sentence that begins with the path


Namer = Callable[[PurePosixPath], Naming]


@dataclass(frozen=True, kw_only=True, slots=True)
class NameRules:
    """Ways to read names; at most one of `pattern` and `table`."""

    pattern: str = ""
    table: Mapping[PurePosixPath, Naming] | None = None
    words: str = ""  # ten words for 0 to 9, separated by commas
    speaker: str = ""  # speaker of files that name none
    folder: str = ""  # name of the folder that holds the paths, which may be a digit
    has_digit: bool = True  # False: a file holds several digits, which its name need not say
    is_corpus: bool = False  # names are ours, `{digit}_{speaker}_{take}` or class folders; speakers may be unknown
    speakers: tuple[str, ...] = ()  # speakers of the corpus that is imported into, whose spelling wins


@dataclass(frozen=True, kw_only=True, slots=True)
class NameReading:
    """Digit, speaker and take of one path; a path with a fault is left out."""

    path: PurePosixPath
    label: str = ""  # 0 to 9
    speaker: str = ""  # as it stands in file names: one spelling for each person
    spelling: str = ""  # the speaker as this path spells it
    take: str = ""  # empty if the path says none
    fault: str = ""  # the rest of a sentence that begins with the path
