"""The two languages: no text is missing in one, none is unused, and a reader gets the one they read."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from leaderboard.messages import LANGUAGES
from leaderboard.web_texts import TEXTS, Words, chosen_language

PACKAGE = Path(__file__).parents[1] / "leaderboard"
SAME_IN_BOTH = {"api", "macro", "token", "minutes", "hours", "days", "mistake_n", "f1"}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", TEXTS)
def test_a_text_is_there_in_both_languages_with_the_same_places_to_fill(key: str) -> None:
    texts = TEXTS[key]
    assert len(texts) == len(LANGUAGES) == 2
    assert all(text.strip() == text and text for text in texts)
    assert placeholders(texts[0]) == placeholders(texts[1])
    assert key in SAME_IN_BOTH or texts[0] != texts[1], f"{key} is not translated"


def test_every_text_is_used_and_every_text_that_is_used_is_there() -> None:
    sources = [*(PACKAGE / "templates").iterdir(), *(path for path in PACKAGE.glob("*.py") if path.name != "web_texts.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    asked = set(re.findall(r"""(?<![\w.])(?:t|words|frame\.words)\(\s*["'](\w+)["']""", text))
    assert asked
    assert asked <= TEXTS.keys(), asked - TEXTS.keys()
    named = set(re.findall(r"""["'](\w+)["']""", text))
    made = {"left_0", "left_1", "unit_speakers", "unit_clips"}  # by a number, by a unit
    assert TEXTS.keys() - named == made


@pytest.mark.parametrize(
    ("asked", "kept", "accepted", "language"),
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
def test_a_reader_gets_the_language_asked_for_else_kept_else_accepted(
    asked: str | None, kept: str | None, accepted: str, language: str
) -> None:
    assert chosen_language(asked, kept, accepted) == language


def test_thousands_are_set_apart_as_each_language_does() -> None:
    assert (Words("en").number(12000), Words("es").number(12000)) == ("12,000", "12\u202f000")
