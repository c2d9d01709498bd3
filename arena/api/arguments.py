"""Arguments that the functions share: folders of the project, and settings of trainings as keywords."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from arena.base.project import find_project
from cnn.errors import ConfigError
from cnn.keys import find_keys, keys, suggest_key

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
    allowed = [key for key in keys() if key.rpartition(".")[0] in sections]
    return [f"{_resolve(name, allowed)}={_format(value)}" for name, value in settings.items()]


def _resolve(name: str, allowed: Sequence[str]) -> str:
    matches = find_keys(name, allowed) or [key for key in allowed if key.replace(".", "_") == name]
    if not matches:
        raise ConfigError(f"unknown setting {name!r}{suggest_key(name, allowed)}")
    if len(matches) > 1:
        choices = " or ".join(f"{key.replace('.', '_')}=.." for key in matches)
        raise ConfigError(f"{name!r} could be {' or '.join(matches)}; write {choices}")
    return matches[0]


def _format(value: Setting) -> str:
    return str(value) if isinstance(value, str | int | float) else ",".join(map(str, value))
