"""Skeletons of names: two names that look alike have one skeleton (Unicode TS 39), whatever their scripts and cases.

A word of one letter keeps its case: teams I and L, or O and Q, stand side by side in many a class.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

from leaderboard.teams import name_key

_TABLE = Path(__file__).with_name("confusables.txt")


def look_alike(first: str, second: str) -> bool:
    """Return True if a reader could take one name for the other: one spelling in any case, or one skeleton."""
    return name_key(first) == name_key(second) or skeleton(first) == skeleton(second)


def reveals_name(pseudonym: str, name: str) -> bool:
    """Return True if a pseudonym reveals the name: it is the name or looks like it, or contains it word for word."""
    return any(f" {key(name)} " in f" {key(pseudonym)} " for key in (name_key, skeleton))


def skeleton(name: str) -> str:
    """Return the key that all names of one look share; nobody reads it."""
    words = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", name)).split()
    return " ".join(_trace(word) if len(word) == 1 else _trace(word).casefold() for word in words)


def _trace(word: str) -> str:
    table = _read_table()
    return unicodedata.normalize("NFD", "".join(table.get(character, character) for character in word))


@cache
def _read_table() -> dict[str, str]:
    """Read what each character looks like."""
    rows = [line.split(" ") for line in _TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("# ")]
    return {character: shape for shape, characters in rows for character in characters}
