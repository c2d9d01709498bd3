"""Hints for misspelt names, and tables of other words for a name. Standard library only."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

_LEAST_LETTERS = 5  # a shorter word with one slip is another word: adam is not nadam


def nearest(name: str, choices: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the most similar of the `choices`; None where none is similar enough."""
    return next(iter(difflib.get_close_matches(name, list(choices), n=1, cutoff=cutoff)), None)


def is_respelling(word: str, name: str, least: int = _LEAST_LETTERS) -> bool:
    """Return whether `word` is surely `name`: in other case or number, with other separators, or with one slip of the pen."""
    short, long = sorted((_fold(word), _fold(name)), key=len)
    if short == long or len(short) < least or re.findall(r"\d", short) != re.findall(r"\d", long):
        return short == long
    n = next((i for i, pair in enumerate(zip(short, long, strict=False)) if pair[0] != pair[1]), len(short))
    if len(short) < len(long):
        return short[n:] == long[n + 1 :]
    return short[n + 1 :] == long[n + 1 :] or short[n : n + 2] + short[n + 2 :] == long[n : n + 2][::-1] + long[n + 2 :]


def _fold(word: str) -> str:
    return re.sub(r"[^\w]|_", "", word).lower().removesuffix("s")


def did_you_mean(name: str, choices: Iterable[str], otherwise: str | None = None, cutoff: float = 0.6) -> str:
    """Return the end of an error message: `; did you mean 'lenet5'?`, or another hint where no name is similar.

    Args:
        choices: names, or a mapping from the names to compare with to their spelling in the message.
        otherwise: the hint where no name is similar; None lists all names.
    """
    texts = choices if isinstance(choices, Mapping) else {str(text): repr(str(text)) for text in choices}
    match = nearest(name, texts, cutoff)
    if match is not None:
        return f"; did you mean {texts[match]}?"
    hint = f"known are {', '.join(texts)}" if otherwise is None else otherwise
    return f"; {hint}" if hint else ""


def index_words(table: Mapping[str, str]) -> dict[str, str]:
    """Return the name of each word in a table of names with their words, `{"models": "nets, net"}`."""
    return {word: name for name, words in table.items() for word in words.split(", ")}
