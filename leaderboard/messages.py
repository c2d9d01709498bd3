"""What is wrong with a file, a name or a request, as a message in every language. Knows nothing of the web.

A message is a key of the table [message] in `texts/` and what fills its placeholders; its text is made when somebody reads
it. The command line reads English.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from arena.base.texts import ENGLISH, Localized, Words

TEXTS = Path(__file__).parent / "texts"


@functools.cache
def _words(language: str) -> Words:
    return Words.read(TEXTS, language).section("message")


@dataclass(frozen=True, slots=True)
class Message(Localized):
    """A message and what fills its placeholders; as `str` it is English."""

    key: str
    values: Mapping[str, object]

    def translate(self, language: str) -> str:
        return _words(language)(self.key, **self.values)

    def __str__(self) -> str:
        return self.translate(ENGLISH)


Translatable = Message | str  # a bare text has one language: what a host's files and programs are told, in English


def message(key: str, /, **values: object) -> Message:
    """Return the message of that key; one with two forms is chosen from by `n`."""
    return Message(key, values)


def translate(text: Translatable, language: str) -> str:
    """Return the text in that language; a bare one as it is."""
    return text if isinstance(text, str) else text.translate(language)
