"""Texts of the pages: none is unused or missing, and a reader gets the language they read."""

from __future__ import annotations

import dataclasses
import re

import pytest

from leaderboard.pages.host_page import TEXTS
from leaderboard.pages.texts import choose_language, page_words
from leaderboard.rules import STRING_METRICS
from support.paths import ROOT

PACKAGE = ROOT / "leaderboard"
KEYS = page_words("en").table.keys()


def test_every_text_is_used_and_every_text_that_is_used_is_there() -> None:
    sources = [*PACKAGE.rglob("*.j2"), *PACKAGE.rglob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    used = set(re.findall(r"""(?<![\w.])(?:t|words|frame\.words)\(\s*["'](\w+)["']""", text))
    assert used
    assert used <= KEYS, used - KEYS
    named = set(re.findall(r"""["'](\w+)["']""", text))
    computed = {"left_0", "left_1", "unit_speakers", "unit_clips"}  # by a number, by a unit
    by_part = ("ranked_by_{}", "ranks_by_{}", "final_{}", "luck_{}", "{}_score")
    computed |= {name.format(part) for name in by_part for part in ("private", "hidden")}
    computed |= {f"{name.replace(' ', '_')}_what" for name in STRING_METRICS.values()}
    computed |= {key for texts in TEXTS.values() for key in dataclasses.astuple(texts) if key}
    assert KEYS - named == computed - named


@pytest.mark.parametrize(
    ("requested", "stored", "accepted", "language"),
    [
        (None, None, "", "en"),
        (None, None, "es-PE,es;q=0.9,en;q=0.8", "es"),
        (None, None, "de,fr;q=0.9", "en"),
        (None, None, "en;q=0.4, ES;q=0.5", "es"),
        (None, None, "es;q=nonsense,en", "en"),
        (None, "es", "en", "es"),
        ("en", "es", "es", "en"),
        ("<script>", None, "es", "es"),
    ],
)
def test_a_reader_gets_the_language_requested_else_stored_else_accepted(
    requested: str | None, stored: str | None, accepted: str, language: str
) -> None:
    assert choose_language(requested, stored, accepted) == language


def test_thousands_are_set_apart_as_each_language_does() -> None:
    assert (page_words("en").number(12000), page_words("es").number(12000)) == ("12,000", "12\u202f000")
