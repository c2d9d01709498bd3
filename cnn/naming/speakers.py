"""Names of speakers: one spelling for each person, harmless in file names. Standard library only."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

_MOST_LETTERS = 40
_SEPARATORS = re.compile(r"[\s_.-]+")


def clean_speaker(name: str) -> str:
    """Return the name for use in file names: composed letters, digits, points and hyphens; empty if none is left."""
    composed = unicodedata.normalize("NFC", name)
    harmless = "".join(c if c.isalnum() or c in ".-" or unicodedata.category(c)[0] == "M" else " " for c in composed)
    cleaned = "-".join(harmless.split()).strip("-.")
    return cleaned[:_MOST_LETTERS].rstrip("-.")


def compose_speaker(name: str) -> str:
    """Return the name in Unicode's form NFC, as a corpus has it, without spaces around it."""
    return unicodedata.normalize("NFC", name).strip()


def merge_spellings(names: Iterable[str], existing: Sequence[str], clean: Callable[[str], str]) -> dict[str, str]:
    """Return the clean name of the speaker for each spelling; spellings that differ in case or separators are one speaker.

    The spelling of `existing` speakers wins, else the most frequent one. Two speakers whose clean names would be alike, such
    as `ana!` and `ana?`, get none.
    """
    counts = Counter(names)
    groups: dict[str, list[str]] = defaultdict(list)
    for name in counts:
        groups[_fold(name)].append(name)
    spellings = {_fold(name): name for name in reversed(existing)}
    chosen = {key: clean(spellings.get(key) or min(group, key=lambda n: (-counts[n], n))) for key, group in groups.items()}
    n_keys = Counter(cleaned.casefold() for cleaned in chosen.values())
    unclear = {cleaned for cleaned, n in n_keys.items() if n > 1}
    return {name: "" if chosen[key].casefold() in unclear else chosen[key] for key, group in groups.items() for name in group}


def _fold(name: str) -> str:
    return _SEPARATORS.sub("-", unicodedata.normalize("NFC", name).casefold()).strip("-")
