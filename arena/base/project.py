"""A team's project: `arena.toml`, found from the working folder upwards; the command line wins over it.

It is shared with the team's code, so it holds no token and no password.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arena.base.errors import ArenaError
from arena.base.suggest import did_you_mean

FILE_NAME = "arena.toml"
MODEL_KEYS = ("models.A", "models.B")
FOLDERS = ("tiles", "runs", "studies")  # beside arena.toml, unless its [folders] says otherwise
SETTINGS = "settings."
_TEXT, _TEXTS, _COUNT = "a text in quotes", "a list of texts", "a whole number of 1 or more"
KEYS = {  # kind of the value, meaning
    "corpus": (_TEXT, "folder of recordings"),
    "variants": (_TEXTS, "tiles that --all trains on"),
    "install": (_TEXT, "what a notebook elsewhere gives to pip"),
    "models.A": (_TEXT, "Model A"),
    "models.B": (_TEXT, "Model B"),
    "sweep.A": (_TEXT, "sweep file of Model A"),
    "sweep.B": (_TEXT, "sweep file of Model B"),
    "sweep.budget": (_COUNT, "trials of a study"),
    "contest.address": (_TEXT, "page of the contest, or its file"),
    "contest.team": (_TEXT, "name of the team"),
    "contest.clips": (_TEXT, "folder of the recordings that the contest asks for"),
    "wandb.project": (_TEXT, "project at W&B"),
    "wandb.entity": (_TEXT, "entity at W&B"),
    "folders.tiles": (_TEXT, "tiles"),
    "folders.runs": (_TEXT, "run folders"),
    "folders.studies": (_TEXT, "studies"),
}
_PATHS = ("corpus", "sweep.A", "sweep.B", "contest.clips", "folders.tiles", "folders.runs", "folders.studies")
_SECRETS = re.compile(r"token|password|passwd|secret|api_?key", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f]")
_PASSWORD_IN_URL = re.compile(r"://[^/@\s]*:[^/@\s]*@")
_LOGIN_IN_URL = re.compile(r"://[^/?#\s]*@")


class ProjectError(ArenaError):
    """An arena.toml that cannot be read or used; one line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """The content of an arena.toml; without one, an empty project in the working folder."""

    folder: Path
    values: Mapping[str, Any] = field(default_factory=dict)  # by dotted key, as the file has them

    @property
    def file(self) -> Path:
        return self.folder / FILE_NAME

    @property
    def exists(self) -> bool:
        return self.file.is_file()

    @property
    def models(self) -> tuple[str, ...]:
        """Model A and Model B, as `--model` takes them from the working folder; empty where the file names none."""
        nets = (str(self.values[key]) for key in MODEL_KEYS if key in self.values)
        return tuple(self._locate_net(net) for net in nets)

    @property
    def variants(self) -> tuple[str, ...]:
        return tuple(self.values.get("variants", ()))

    @property
    def settings(self) -> dict[str, Any]:
        """The keys of `arena train --keys` that the file sets."""
        return {key.removeprefix(SETTINGS): value for key, value in self.values.items() if key.startswith(SETTINGS)}

    @property
    def budget(self) -> int | None:
        return self.values.get("sweep.budget")

    @property
    def sweep_files(self) -> tuple[str, str]:
        """The sweep files of Model A and Model B; empty where the file names none."""
        return self.text("sweep.A"), self.text("sweep.B")

    @property
    def contest(self) -> str:
        """A contest on this machine or in a database; empty where the address is that of a page, or missing."""
        address = self.text("contest.address")
        return "" if _is_page(address) else address

    @property
    def page(self) -> str:
        """The address of the contest's page; empty where it is a file, or missing."""
        address = self.text("contest.address")
        return address if _is_page(address) else ""

    def text(self, key: str) -> str:
        """Return the value of `key`, paths as they are written from the working folder; empty where the file has none."""
        value = str(self.values.get(key, ""))
        is_path = key in _PATHS or (key == "contest.address" and "://" not in value)
        return str(self.locate(value)) if value and is_path else value

    def locate_folder(self, name: str) -> Path:
        """Return the path of the folder of tiles, runs or studies."""
        return self.locate(str(self.values.get(f"folders.{name}", name)))

    def locate(self, path: str) -> Path:
        """Return a path that is written from the project's folder as one from the working folder."""
        target = self.folder / Path(path).expanduser()
        if Path(path).expanduser().is_absolute() or self.folder == Path.cwd():
            return Path(path).expanduser()
        try:
            return Path(os.path.relpath(target))
        except ValueError:  # another drive of Windows
            return target

    def shorten(self, path: Path) -> Path:
        """Return a path from the working folder as one from the project's folder, if it lies there: a command to be read."""
        target = Path(os.path.abspath(path))
        return target.relative_to(self.folder) if target.is_relative_to(self.folder) else path

    def folder_option(self, name: str, path: Path) -> list[str]:
        """Return the option that names a folder of tiles, runs or studies in a command; none for the project's own."""
        is_default = Path(os.path.abspath(path)) == Path(os.path.abspath(self.locate_folder(name)))
        return [] if is_default else [f"--{name}", str(self.shorten(path))]

    def _locate_net(self, net: str) -> str:
        path, colon, class_name = net.rpartition(":")
        return f"{self.locate(path)}:{class_name}" if colon and path.endswith(".py") else net


def find_project(start: Path | None = None) -> Project:
    """Return the project of the nearest arena.toml, in `start` (or the working folder) or above; an empty one without.

    Raises:
        ProjectError: the file cannot be read, has an unknown key, a value of the wrong kind, or a secret.
    """
    start = (start or Path.cwd()).absolute()
    for folder in (start, *start.parents):
        with contextlib.suppress(PermissionError):  # another user's folder: `runuser -u arena` in /root
            if (folder / FILE_NAME).is_file():
                return read_project(folder / FILE_NAME)
    return Project(folder=start)


def read_project(file: Path) -> Project:
    """Read an arena.toml.

    Raises:
        ProjectError: as `find_project`.
    """
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProjectError(f"{file} cannot be read: {error.strerror}; look who owns it") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProjectError(f"{file} is not TOML: {error}; mend that line (texts stand in quotes)") from error
    values = dict(_flatten(content))
    for key, value in values.items():
        _check(file, key, value)
    missing = [key for key in MODEL_KEYS if key not in values]
    if len(missing) == 1:
        raise ProjectError(
            f"{file} names one model, and the comparison has two; add {missing[0].partition('.')[2]} to [models]"
        )
    return Project(folder=file.parent, values=values)


def quote(text: str) -> str:
    """Return a text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def format_project(corpus: str, models: tuple[str, str]) -> str:
    """Return the least arena.toml: recordings, Model A and Model B."""
    first, second = map(quote, models)
    return f"corpus = {quote(corpus)}\n\n[models]\nA = {first}\nB = {second}\n"


def _flatten(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _check(file: Path, key: str, value: object) -> None:
    if _SECRETS.search(key) or _PASSWORD_IN_URL.search(str(value)):
        raise ProjectError(
            f"{file}: {key} holds a secret, and the file is shared; delete it there and set ARENA_TOKEN, or the like"
        )
    texts = [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]
    if control := next((match for match in map(_CONTROL.search, texts) if match), None):
        raise ProjectError(f"{file}: {key} has the character {control[0]!r}, and its text is one line; delete it there")
    if isinstance(value, str) and value.startswith("~") and os.path.expanduser(value) == value and key != "contest.team":
        raise ProjectError(
            f"{file}: {key} begins with the home folder of a user who is not here, {value!r}; write ~/ or a path"
        )
    if key.startswith(SETTINGS):
        if isinstance(value, bool | str | int | float) or _is_texts(value):
            return
        raise ProjectError(f"{file}: {key} takes a number or a text, not {value!r}")
    if key not in KEYS:
        names = {**{name.rpartition(".")[2]: name for name in KEYS}, **{name: name for name in KEYS}}
        last = key.rpartition(".")[2]
        hint = did_you_mean(key, names, "", cutoff=0.75) or did_you_mean(last, names, f"known are {', '.join(KEYS)}")
        raise ProjectError(f"{file}: unknown key {key!r}{hint}")
    kind, _ = KEYS[key]
    is_right = {
        _TEXT: isinstance(value, str) and bool(value),
        _TEXTS: _is_texts(value) and bool(value),
        _COUNT: isinstance(value, int) and not isinstance(value, bool) and value > 0,
    }[kind]
    if not is_right:
        raise ProjectError(f"{file}: {key} is {kind}, not {value!r}")


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def check_address(address: str) -> None:
    """Refuse a value of `--address` that is no page's, or holds a login, which is not repeated; an empty one is none.

    Raises:
        ProjectError: its text names the option that takes files.
    """
    if _LOGIN_IN_URL.search(address):
        raise ProjectError("--address holds a name or a password before its @; give it without, and the token in ARENA_TOKEN")
    if address and not _is_page(address):
        raise ProjectError(
            f"--address is that of the contest's page, http:// or https://, not {address!r}; "
            "a file is named by --contest, of `arena new` and `arena contest submit`"
        )


def _is_page(address: str) -> bool:
    return address.startswith(("http://", "https://"))
