"""Settings that remember what a net reads of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from cnn.keys import keys
from cnn.plugin import parse_path, shorten_name
from cnn.settings.model import OURS, ModelSettings

KEYS = tuple(f.name for f in fields(ModelSettings) if f.name not in ("name", *OURS) and f"model.{f.name}" in keys())


class WatchedSettings(ModelSettings):
    """Settings whose `reads` are the names of those that were read."""

    __slots__ = ("reads",)
    reads: set[str]

    def __getattribute__(self, name: str) -> Any:
        if name in KEYS:
            with contextlib.suppress(AttributeError):  # while it is made
                object.__getattribute__(self, "reads").add(name)
        return object.__getattribute__(self, name)


def watch(settings: ModelSettings) -> WatchedSettings:
    """Return a copy of `settings` of which nothing has been read."""
    watched = WatchedSettings(**{field.name: getattr(settings, field.name) for field in fields(settings)})
    object.__setattr__(watched, "reads", set())
    return watched


def explain_unread(name: str, keys: Iterable[str]) -> str:
    """Return the line that refuses `keys` of `model.` for the plug-in net `name`, which does not read them."""
    names = list(keys)
    read, setting = (" and ".join(f"{section}.{key}" for key in names) for section in ("settings", "model"))
    rule = f"{shorten_name(name)} does not read {read}, so {setting} would change nothing"
    return f"{parse_path(name)}: {rule}; leave that out, or use it in __init__"
