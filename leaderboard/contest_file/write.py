"""A running contest written as a contest's file, which read back changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from leaderboard.contest_file.current import read_current
from leaderboard.contest_file.keys import KEYS, PAGES, FileValue, KeyKind
from leaderboard.errors import ContestError
from leaderboard.files.pack_files import format_pack_files
from leaderboard.store import Contest

_EXAMPLE = Path(__file__).parent / "templates" / "contest.yaml"
_WIDTH = 100
_DOWNLOADS = "downloads"  # folder


def read_example() -> str:
    """Return a commented file to start from."""
    return _EXAMPLE.read_text(encoding="utf-8")


def write_contest_file(values: Mapping[str, Any], *, has_files: bool = False) -> str:
    """Return the file; stored files, which it cannot hold, are named in comments unless they stand beside it."""
    return "".join(f"{line}\n" for line in _list_lines(values, has_files))


def write_contest_folder(contest: Contest, folder: Path) -> list[Path]:
    """Write the file and all that it names into a new folder, of which the same contest can be made, and return the files.

    Raises:
        ContestError: the folder exists, or cannot be written.
    """
    values = read_current(contest)
    named = {str(values[key].name): values[key] for key in ("solution", "metric") if isinstance(values[key], FileValue)}
    named |= {f"{_DOWNLOADS}/{file.name}": file for file in values["downloads"]}
    content = {name: contest.read_file(file.digest) for name, file in named.items()}
    rules = contest.rules()
    hidden = None if rules.hidden_digest is None else contest.read_file(rules.hidden_digest)
    content |= format_pack_files(hidden, rules.rate_hz)
    content["contest.yaml"] = write_contest_file(values, has_files=True).encode()
    try:
        folder.mkdir(parents=True)
        for name, value in content.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.touch(0o600)  # the solution is the host's alone
            path.write_bytes(value)
    except OSError as error:
        raise ContestError(f"{folder} cannot be made ({error.strerror}); choose a new folder") from error
    return [folder / name for name in content]


def _list_lines(values: Mapping[str, Any], has_files: bool) -> Iterator[str]:
    pages = {name.removeprefix(PAGES): value for name, value in values.items() if name.startswith(PAGES) and value}
    for name, value in values.items():
        if name.startswith(PAGES):
            if pages:
                yield _dump({"pages": pages})
                pages = {}
        elif isinstance(value, FileValue):
            yield _dump({name: value.name}) if has_files else f"# {name}: {value.name}  # SHA-256 {value.digest}"
        elif KEYS[name].kind is KeyKind.DOWNLOADS and has_files:
            if value:
                yield _dump({name: {f"{_DOWNLOADS}/{file.name}": file.description for file in value}})
        elif KEYS[name].kind is KeyKind.DOWNLOADS:
            for file in value:
                yield f"# {name}: {file.name}  # SHA-256 {file.digest}"
        elif value not in (None, ()):
            yield _dump({name: _to_plain(value)})


def _to_plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds" if value.second else "minutes")
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return list(value) if isinstance(value, tuple) else value


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as blocks."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)


def _dump(value: dict[str, Any]) -> str:
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_WIDTH).rstrip("\n")
