"""Names of speakers: one spelling for each person, harmless in file names. Standard library only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from cnn.errors import CorpusError

_MOST_LETTERS = 40
_HARMLESS = re.compile(r"[^\w.-]+|_+")


def clean_speaker(name: str) -> str:
    """Return the name for use in file names: composed letters, digits, points and hyphens; empty if none is left."""
    cleaned = _HARMLESS.sub("-", unicodedata.normalize("NFC", name)).strip("-.")
    return cleaned[:_MOST_LETTERS].rstrip("-.")


def check_speakers(speakers: Mapping[str, str]) -> None:
    """Check that the cleaned names of different speakers, given by name, differ.

    Raises:
        CorpusError: two speakers would share files.
    """
    first: dict[str, str] = {}
    for name, cleaned in sorted(speakers.items()):
        earlier = first.setdefault(cleaned.casefold(), name)
        if unicodedata.normalize("NFC", earlier) != unicodedata.normalize("NFC", name):
            raise CorpusError(
                f"the speakers {earlier!r} and {name!r} would both be called {cleaned!r} in file names; "
                f"rename one if they are two people, or spell them alike"
            )
