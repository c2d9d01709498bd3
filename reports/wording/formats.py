"""Formats of numbers and names for readers: nothing else in the report rounds."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from arena.base.terminal import duration

NONE = "\u2013"
MINUS = "\u2212"
THIN_SPACE = "\u202f"
TIE = 0.001  # two scores less than this apart, the last digit of `score`, are a tie


def variant_name(variant: str) -> str:
    """Return `bilateral + aug` for bilateral+aug, so that a line may break at the plus."""
    return variant.replace("+", " + ")


def score(value: float | None) -> str:
    """Return three decimals: `0.953`."""
    return NONE if value is None or not math.isfinite(value) else f"{value:.3f}".replace("-", MINUS)


def signed(value: float | None) -> str:
    """Return three decimals with a sign: `+0.012`; no sign where all three are zero."""
    if value is None or not math.isfinite(value):
        return NONE
    return "0.000" if abs(value) < 0.0005 else f"{value:+.3f}".replace("-", MINUS)


def percent(value: float | None) -> str:
    """Return one decimal: `95.3 %`."""
    return NONE if value is None or not math.isfinite(value) else f"{100 * value:.1f}{THIN_SPACE}%"


def whole_percent(value: float) -> str:
    """Return `38 %`."""
    return f"{100 * value:.0f}{THIN_SPACE}%"


def magnitude(value: int | None) -> str:
    """Return three digits and a unit: `61.7 k`, `4.18 M`."""
    if value is None:
        return NONE
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{THIN_SPACE}{unit}"
    return str(value)


def seconds(value: float | None) -> str:
    """Return `8.2 s`, `4 min 05 s`, `2 h 10 min`."""
    return NONE if value is None else duration(value)


def setting(value: object) -> str:
    """Format a configuration value: floats with four digits, lists with commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(setting(item) for item in value) or NONE
    return NONE if value is None or value == "" else str(value)


def leaf(key: str) -> str:
    """Return the last word of a dotted key, spaced: `learning rate` of `train.learning_rate`."""
    return key.rpartition(".")[2].replace("_", " ")


def moment(value: datetime | str | None) -> str:
    """Return UTC to the minute: `2026-11-21 08:03 UTC`; a text that is no time stays as it is."""
    if not value:
        return NONE
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if value.tzinfo else f"{value:%Y-%m-%d %H:%M}"
    try:
        return moment(datetime.fromisoformat(value))
    except ValueError:
        return value
