"""Texts of the contest's pages, and the choice of a reader's language. Independent of the web framework."""

from __future__ import annotations

import functools

from arena.base.texts import ENGLISH, Words, list_languages
from leaderboard.messages import TEXTS


@functools.cache
def page_words(language: str) -> Words:
    """Return the texts of the pages in one language: `words("rank")`."""
    return Words.read(TEXTS, language).section("page")


def choose_language(requested: str | None, stored: str | None, accepted: str) -> str:
    """Return the language of a reader: the requested one, else the stored one, else by Accept-Language, else English."""
    languages = list_languages(TEXTS)
    for code in (requested, stored):
        if code in languages:
            return str(code)
    ranked: list[tuple[float, int, str]] = []
    for position, part in enumerate(accepted[:200].split(",")):
        name, _, weight = part.strip().partition(";q=")
        primary = name.strip().casefold().split("-")[0]
        if primary in languages:
            ranked.append((-_weight(weight), position, primary))
    return min(ranked)[2] if ranked else ENGLISH


def _weight(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0
