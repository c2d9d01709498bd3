"""Messages in every language about errors in a file, a name or a request, independent of the web.

A message is a key of the table [message] in `texts/` and the values of its placeholders; it is translated only when it is
read. The command line reads English.
"""

from __future__ import annotations

from pathlib import Path

from arena.base.texts import Message

TEXTS = Path(__file__).parent / "texts"


Translatable = Message | str  # a bare text has one language, English: messages for hosts


def message(key: str, /, **values: object) -> Message:
    """Return the message of that key; `n` chooses between its two forms, if it has two."""
    return Message(TEXTS, f"message.{key}", values)


def translate(text: Translatable, language: str) -> str:
    """Return the text in that language; a bare one as it is."""
    return text if isinstance(text, str) else text.translate(language)
