"""Values that YAML 1.1 reads as something else than they look: numbers of other bases, and words that become true or false.

Standard library only: a scalar comes as its tag and its text, as PyYAML's nodes have them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_PREFIX = "tag:yaml.org,2002:"
_OTHER_BASE = re.compile(r"[+-]?(0[bx]\w+|0[0-9_]+)", re.IGNORECASE)
_BASES = {"x": 16, "b": 2}
_MOST_DIGITS = 40
_TRUTHS = ("true", "false")


@dataclass(frozen=True, kw_only=True, slots=True)
class Misreading:
    """A value that is read as something else: the rule with what to do, and what to write where there is one answer."""

    message: str
    better: str = ""


def explain_misreading(tag: str, text: str, value: object) -> Misreading | None:
    """Return how `text`, of YAML's `tag`, is read as `value` although it looks like something else; None where it is not."""
    kind, bare = tag.removeprefix(_PREFIX), text.replace("_", "").lower()
    if kind == "int" and len(text) > _MOST_DIGITS:
        return Misreading(message=f"{text[:_MOST_DIGITS]}... has {len(text)} digits; write a number of a few")
    if kind in ("int", "float") and ":" in text:
        return Misreading(message=f"{text} is read as {value} (base 60); write {value}, or put it in quotes")
    if kind == "int" and _OTHER_BASE.fullmatch(text):
        base = _BASES.get(bare.lstrip("+-")[1], 8)
        better = str(int(bare) if base == 8 else value)
        return Misreading(message=f"{text} is read as {value} (base {base}); write {better}", better=better)
    if kind == "bool" and text.lower() not in _TRUTHS:
        truth = str(value).lower()
        return Misreading(message=f"{text} is read as {truth}; write {truth}, or put it in quotes if it is a word")
    return None
