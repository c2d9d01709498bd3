"""Settings of frozen dataclasses: default, allowed values and meaning, declared once. Standard library only."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from arena.base.suggest import did_you_mean
from cnn.errors import ConfigError


def number(default: float, low: float, high: float, meaning: str, *, later: bool = False) -> Any:
    """Declare a number between `low` and `high`, both allowed; `later`: see `drop_later_defaults`."""
    return dataclasses.field(default=default, metadata={"range": (low, high), "meaning": meaning, "later": later})


def choice(default: object, allowed: Sequence[object], meaning: str, *, later: bool = False) -> Any:
    """Declare a field that takes one of `allowed`; `later`: see `drop_later_defaults`."""
    return dataclasses.field(default=default, metadata={"allowed": allowed, "meaning": meaning, "later": later})


def custom(default: object, values: str, meaning: str, *, later: bool = False, text: bool = False) -> Any:
    """Declare a field that its own class checks; `values` describes the allowed values in words.

    `text`: commas and brackets are part of a value, not several values at once.
    """
    return dataclasses.field(default=default, metadata={"values": values, "meaning": meaning, "later": later, "text": text})


def drop_later_defaults(settings: Any) -> dict[str, Any]:
    """Return the fields by name, without those declared `later` that have their default, nested settings likewise.

    A digest of it stays what it was when a new field comes: every field that was not there when users' first runs
    were named is declared `later`.
    """
    content = {}
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if not (field.metadata.get("later") and value == field.default):
            content[field.name] = drop_later_defaults(value) if dataclasses.is_dataclass(value) else value
    return content


def later_defaults(section: type) -> dict[str, Any]:
    """Return the defaults of the fields declared `later`, as JSON holds them."""
    fields = [field for field in dataclasses.fields(section) if field.metadata.get("later")]
    return {field.name: list(field.default) if isinstance(field.default, tuple) else field.default for field in fields}


def check_fields(settings: Any, section: str) -> None:
    """Check every field against its range or choices.

    Raises:
        ConfigError: names the key, its range or its choices, and what came.
    """
    for field in dataclasses.fields(settings):
        key = f"{section}.{field.name}".lstrip(".")
        value = getattr(settings, field.name)
        if "range" in field.metadata:
            check_range(key, value, *field.metadata["range"])
        elif "allowed" in field.metadata:
            check_choice(key, value, field.metadata["allowed"])


def check_choice(key: str, value: object, allowed: Sequence[object]) -> None:
    """Check that `value` is one of `allowed`; the ConfigError names the nearest."""
    if value not in allowed:
        names = [str(item) for item in allowed]
        raise ConfigError(f"{key} is one of {', '.join(names)}, not {value!r}{did_you_mean(str(value).lower(), names, '')}")


def check_range(key: str, value: float, low: float, high: float, reason: str = "") -> None:
    """Check the range, which NaN fails too; `reason` names the setting that an end depends on. Raises ConfigError."""
    if not low <= value <= high:
        raise ConfigError(f"{key} lies between {low:g} and {high:g}{f' ({reason})' if reason else ''}, not {value:g}")


def describe_values(field: dataclasses.Field[Any]) -> str:
    """Return the allowed values in words: `0 to 0.9`, or `adamw, adam, sgd`."""
    if "range" in field.metadata:
        low, high = field.metadata["range"]
        return f"{_plain(low)} to {_plain(high)}"
    if "allowed" in field.metadata:
        return ", ".join(map(str, field.metadata["allowed"]))
    return str(field.metadata["values"])


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"
