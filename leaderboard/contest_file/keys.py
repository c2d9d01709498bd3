"""Keys of a contest's file, the values they take, and what changes them while the contest runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from leaderboard.rules import DetailsFrom, RankBy, Ties

MAX_DOWNLOAD_BYTES = 200_000_000
N_ATTEMPTS_RULE = (
    "three attempts are the rule of every contest and no key changes it; "
    "`arena contest grant TEAM --reason TEXT` gives a team one more"
)


class KeyKind(StrEnum):
    """Kinds of values."""

    TEXT = "text"
    MOMENT = "moment"
    WORD = "word"
    FLAG = "flag"
    COUNT = "count"
    NUMBER = "number"
    FILE = "file"
    MARKDOWN = "markdown"  # written here, or the path of a file.md
    URL = "url"
    WEBHOOK = "webhook"
    DOWNLOADS = "downloads"
    TEAMS = "teams"


@dataclass(frozen=True, kw_only=True, slots=True)
class FileKey:
    """A key of the file."""

    kind: KeyKind
    column: str = ""  # its column in the table `contest`
    words: tuple[str, ...] = ()
    is_required: bool = False  # never empty
    is_fixed: bool = False  # from the first attempt on
    command: str = ""  # changes it in place of `apply`


KEYS: Mapping[str, FileKey] = {
    "name": FileKey(kind=KeyKind.TEXT, column="name", is_required=True),
    "solution": FileKey(kind=KeyKind.FILE, is_required=True, command="arena contest rescore FILE --reason TEXT"),
    "deadline": FileKey(kind=KeyKind.MOMENT, column="deadline"),
    "metric": FileKey(kind=KeyKind.FILE, is_fixed=True),
    "lower_is_better": FileKey(kind=KeyKind.FLAG, column="is_lower_better", is_required=True, is_fixed=True),
    "ties": FileKey(kind=KeyKind.WORD, column="ties", words=tuple(Ties), is_required=True, is_fixed=True),
    "ladder": FileKey(kind=KeyKind.FLAG, column="is_ladder", is_required=True, is_fixed=True),
    "refusals": FileKey(kind=KeyKind.COUNT, column="n_refusals_per_hour", is_required=True),
    "bonus": FileKey(kind=KeyKind.NUMBER, column="bonus", is_required=True),
    "details": FileKey(kind=KeyKind.WORD, column="details", words=tuple(DetailsFrom), is_required=True),
    "rank": FileKey(kind=KeyKind.WORD, column="rank_by", words=tuple(RankBy), is_required=True, is_fixed=True),
    "webhook": FileKey(kind=KeyKind.WEBHOOK, column="webhook"),
    "pages.task": FileKey(kind=KeyKind.MARKDOWN),
    "pages.rules": FileKey(kind=KeyKind.MARKDOWN),
    "pages.address": FileKey(kind=KeyKind.URL),
    "pages.licence": FileKey(kind=KeyKind.MARKDOWN),
    "pages.sources": FileKey(kind=KeyKind.MARKDOWN),
    "downloads": FileKey(kind=KeyKind.DOWNLOADS),
    "teams": FileKey(kind=KeyKind.TEAMS),
}
PAGES = "pages."


@dataclass(frozen=True, kw_only=True, slots=True)
class FileValue:
    """A file that a key names; equal to another one of the same content."""

    name: str = field(compare=False)
    digest: str  # SHA-256
    content: bytes = field(compare=False, repr=False, default=b"")  # empty for one that only the contest holds
    description: str = ""
    folder: Path | None = field(compare=False, default=None)  # where it was read; None for one of the contest

    @classmethod
    def read(cls, name: str, content: bytes, description: str = "", folder: Path | None = None) -> FileValue:
        digest = hashlib.sha256(content).hexdigest()
        return cls(name=name, digest=digest, content=content, description=description, folder=folder)

    def __str__(self) -> str:
        return f"{self.name} ({self.digest[:8]})"
