"""A setting of a frozen dataclass: its default, what it may be and what it means, each said once. Standard library only."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from arena.base.suggest import did_you_mean
from cnn.errors import ConfigError


def number(default: float, low: float, high: float, meaning: str) -> Any:
    """A field between `low` and `high`, both allowed."""
    return dataclasses.field(default=default, metadata={"range": (low, high), "meaning": meaning})


def choice(default: object, allowed: Sequence[object], meaning: str) -> Any:
    """A field that is one of `allowed`."""
    return dataclasses.field(default=default, metadata={"allowed": allowed, "meaning": meaning})


def custom(default: object, values: str, meaning: str) -> Any:
    """A field whose owner checks it; `values` says in words what it may be."""
    return dataclasses.field(default=default, metadata={"values": values, "meaning": meaning})


def check_fields(settings: Any, section: str) -> None:
    """Refuse what no field may be.

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
    """Raises ConfigError, with the nearest choice."""
    if value not in allowed:
        names = [str(item) for item in allowed]
        raise ConfigError(f"{key} is one of {', '.join(names)}, not {value!r}{did_you_mean(str(value), names, '')}")


def check_range(key: str, value: float, low: float, high: float, why: str = "") -> None:
    """Raises ConfigError, for NaN too; `why` says where an end comes from that depends on another setting."""
    if not low <= value <= high:
        raise ConfigError(f"{key} lies between {low:g} and {high:g}{f' ({why})' if why else ''}, not {value:g}")


def describe_values(field: dataclasses.Field[Any]) -> str:
    """What a field may be, for people: `0 to 0.9`, or `adamw, adam, sgd`."""
    if "range" in field.metadata:
        low, high = field.metadata["range"]
        return f"{_plain(low)} to {_plain(high)}"
    if "allowed" in field.metadata:
        return ", ".join(map(str, field.metadata["allowed"]))
    return str(field.metadata["values"])


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:g}"
