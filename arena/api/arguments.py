"""Arguments that the functions share: folders of the project, and settings of trainings as keywords."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from arena.base.project import find_project
from cnn.errors import ConfigError
from cnn.overrides import keys, suggest_key

Location = str | os.PathLike[str]
Setting = str | float | Sequence[str]  # the value of a key of `arena train --keys`


def choose_folder(name: str, folder: Location | None) -> Path:
    """Return the folder of tiles, runs or studies that was given, else the project's."""
    return find_project().locate_folder(name) if folder is None else Path(folder).expanduser()


def format_settings(settings: Mapping[str, Setting], sections: Sequence[str]) -> list[str]:
    """Return keywords such as `epochs=8` or `split_kind="loso"` as the command line has them, `train.epochs=8`.

    A keyword is the last part of a key where only one key of `sections` ends so, else section and last part.

    Raises:
        ConfigError: a keyword that is no key, or could be two.
    """
    names: dict[str, list[str]] = {}
    for key in keys():
        section, _, last = key.rpartition(".")
        if section in sections:
            for name in (last, f"{section}_{last}", key):
                names.setdefault(name, []).append(key)
    return [f"{_resolve(name, names)}={_format(value)}" for name, value in settings.items()]


def _resolve(name: str, names: Mapping[str, list[str]]) -> str:
    matches = names.get(name, [])
    if not matches:
        allowed = [key for candidates in names.values() for key in candidates]
        raise ConfigError(f"unknown setting {name!r}{suggest_key(name, allowed)}")
    if len(matches) > 1:
        choices = " or ".join(f"{key.replace('.', '_')}=.." for key in matches)
        raise ConfigError(f"{name!r} could be {' or '.join(matches)}; write {choices}")
    return matches[0]


def _format(value: Setting) -> str:
    return str(value) if isinstance(value, str | int | float) else ",".join(map(str, value))
