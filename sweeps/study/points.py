"""Points that a study tries before it draws its own: the default recipe, those that a user names, the best of another study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

DEFAULT = "default recipe"


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownPoint:
    """Values of the tuned keys, and where they come from."""

    values: dict[str, Any]
    origin: str  # DEFAULT, `--try`, or `--from STUDY`


def join_points(old: Sequence[KnownPoint], new: Sequence[KnownPoint]) -> tuple[KnownPoint, ...]:
    """Return the points of a study that goes on: its own, and the new ones; its default recipe is that of its beginning."""
    values = [point.values for point in old]
    return (*old, *(point for point in new if point.origin != DEFAULT and point.values not in values))
