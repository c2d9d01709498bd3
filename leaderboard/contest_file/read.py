"""A contest's file, read and checked: typed values of the keys that it has, every fault with its line and key."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from arena.base.suggest import did_you_mean
from leaderboard.contest_file.keys import KEYS, MAX_DOWNLOAD_BYTES, FileKey, FileValue, KeyKind
from leaderboard.contest_file.yaml_file import YamlEntry, read_entries
from leaderboard.deadline import parse_deadline
from leaderboard.errors import ContestFileError, FileError, LeaderboardError
from leaderboard.files.csv_table import MAX_BYTES, Problems, read_file
from leaderboard.rules import STRING_METRICS
from leaderboard.teams import name_key, tidy_name
from leaderboard.webhook import parse_webhook

_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
_MAX_TEXT = 20_000  # characters of a text of the pages
_MAX_NAME = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class ContestFile:
    """The values of a file's keys; a key that the file leaves out is in no mapping, an empty one is None."""

    name: str
    folder: Path  # which its paths are relative to
    values: Mapping[str, Any]
    lines: Mapping[str, int] = field(repr=False)

    def fail(self, key: str, problem: str) -> ContestFileError:
        """Build the error for a key."""
        problems = Problems(self.name, ContestFileError)
        problems.add(self.lines.get(key), f"key {key!r} {problem}")
        return problems.build_error()  # type: ignore[return-value]


def read_contest_file(path: Path) -> ContestFile:
    """Read and check the file at `path`.

    Raises:
        ContestFileError: names the lines and the keys that are wrong.
    """
    problems = Problems(path.name, ContestFileError)
    try:
        text = read_file(path, ContestFileError).decode("utf-8-sig")
    except UnicodeDecodeError:
        problems.fail(None, "the file is not UTF-8; save it so")
    entries = read_entries(text, problems)
    values: dict[str, Any] = {}
    for name, entry in entries.items():
        try:
            values[name] = _read_value(name, KEYS[name], entry, path.parent)
        except (ValueError, LeaderboardError) as error:
            problems.add(entry.line, f"key {name!r} {error}")
    problems.raise_any()
    lines = {name: entry.line for name, entry in entries.items()}
    return ContestFile(name=path.name, folder=path.parent, values=values, lines=lines)


def check_downloads(file: ContestFile, solution_digests: Collection[str | None]) -> None:
    """Refuse to hand out a solution.

    Raises:
        ContestFileError: a file to download is a solution, whatever its name.
    """
    for item in file.values.get("downloads", ()):
        if item.digest in solution_digests:
            raise file.fail("downloads", f"would give everybody the solution, as {item.name}; take it out")


def _read_value(name: str, key: FileKey, entry: YamlEntry, folder: Path) -> Any:
    if entry.is_empty:
        if key.is_required:
            raise ValueError("is empty and always has a value; write one, or delete the line")
        return () if key.kind in (KeyKind.DOWNLOADS, KeyKind.TEAMS) else None
    if key.kind is KeyKind.DOWNLOADS:
        return _read_downloads(entry, folder)
    if key.kind is KeyKind.TEAMS:
        return _read_teams(entry, folder)
    text = entry.text
    if text is None:
        raise ValueError("takes one value, not a list or further keys; write it behind the colon")
    if name == "metric" and text.strip() in STRING_METRICS:
        return text.strip()
    readers: dict[KeyKind, Callable[[str], Any]] = {
        KeyKind.TEXT: _read_name,
        KeyKind.MOMENT: parse_deadline,
        KeyKind.WORD: partial(_read_word, key.words),
        KeyKind.FLAG: _read_flag,
        KeyKind.COUNT: _read_count,
        KeyKind.NUMBER: _read_number,
        KeyKind.FILE: partial(_read_file, folder),
        KeyKind.MARKDOWN: partial(_read_markdown, folder),
        KeyKind.URL: _read_url,
        KeyKind.WEBHOOK: _read_webhook,
    }
    return readers[key.kind](text.strip())


def _read_name(text: str) -> str:
    name = " ".join(text.split())
    if len(name) > _MAX_NAME or not name.isprintable():
        raise ValueError(f"has 1 to {_MAX_NAME} printable characters, not {len(name)}; write a shorter one")
    return name


def _read_word(words: tuple[str, ...], text: str) -> str:
    if text not in words:
        raise ValueError(f"is one of {', '.join(words)}, not {text[:40]!r}{did_you_mean(text, words, '')}")
    return text


def _read_flag(text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise ValueError(f"is true or false, not {text[:40]!r}")
    return _FLAGS[text.lower()]


def _read_count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:10]) <= 1_000_000):
        raise ValueError(f"is a whole number from 1 to 1000000, not {text[:40]!r}")
    return int(text)


def _read_number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1000:
        raise ValueError(f"is a number from 0 to 1000, not {text[:40]!r}; write a decimal with a point")
    return value


def _read_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or len(text) > 2000 or not text.isprintable():
        raise ValueError(f"is an address that begins with https:// or http://, not {text[:40]!r}")
    return text


def _read_webhook(text: str) -> str:
    parse_webhook(text)
    return text


def _read_file(folder: Path, text: str) -> FileValue:
    path = folder / text
    return FileValue.read(path.name, _read_bytes(path), folder=path.parent)


def _read_bytes(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    if path.is_file() and path.stat().st_size > max_bytes:
        rule = f"a file of this key has at most {max_bytes // 1_000_000} MB"
        raise ValueError(
            f"names {path}: {rule} and this one {path.stat().st_size / 1e6:.0f}; give an address on the pages instead"
        )
    try:
        return read_file(path, ContestFileError, max_bytes)
    except FileError as error:
        raise ValueError(f"names {path}: {error.problem}") from error


def _read_markdown(folder: Path, text: str) -> str:
    if "\n" not in text and text.endswith(".md"):
        try:
            text = _read_bytes(folder / text).decode("utf-8-sig").strip()
        except UnicodeDecodeError as error:
            raise ValueError(f"names {folder / text}, which is not UTF-8; save it so") from error
    if len(text) > _MAX_TEXT:
        raise ValueError(f"has at most {_MAX_TEXT} characters, not {len(text)}; offer a longer text below downloads")
    return text


def _read_downloads(entry: YamlEntry, folder: Path) -> tuple[FileValue, ...]:
    """Return the files of a list of paths, or of a mapping from paths to descriptions."""
    if isinstance(entry.node, yaml.MappingNode):
        pairs = [
            (_read_scalar(path), "" if text.tag.endswith(":null") else _read_scalar(text)) for path, text in entry.node.value
        ]
    elif isinstance(entry.node, yaml.SequenceNode):
        pairs = [(_read_scalar(item), "") for item in entry.node.value]
    else:
        raise ValueError("is a list of files, or lines of `file: description`")
    files = [
        FileValue.read(path.name, _read_bytes(path, MAX_DOWNLOAD_BYTES), " ".join(description.split()))
        for path, description in ((folder / name, description) for name, description in pairs)
    ]
    for name in [file.name for file in files]:
        if len(name) > _MAX_NAME or not name.isprintable() or [file.name for file in files].count(name) > 1:
            raise ValueError(f"offers each file by its own printable name and {name[:60]!r} is none or comes twice; rename one")
    return tuple(files)


def _read_scalar(node: yaml.Node) -> str:
    if not isinstance(node, yaml.ScalarNode):
        raise ValueError(f"has one text in each of its lines, not more in line {node.start_mark.line + 1}")
    return str(node.value).strip()


def _read_teams(entry: YamlEntry, folder: Path) -> tuple[str, ...] | Path:
    """Return the teams' names, or the path of a class list."""
    if entry.text is not None:
        path = folder / entry.text.strip()
        if not path.is_file():
            raise ValueError(f"is a list of names, or a class list in a file; {path} is none")
        return path
    if not isinstance(entry.node, yaml.SequenceNode):
        raise ValueError("is a list of names, or a class list in a file")
    names = [tidy_name(_read_scalar(node)) for node in entry.node.value]
    keys = [name_key(name) for name in names]
    for name, key in zip(names, keys, strict=True):
        if keys.count(key) > 1:
            raise ValueError(f"names {name!r} twice; keep one of them")
    return tuple(names)
