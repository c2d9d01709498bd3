"""Texts in several languages: all files of a folder say the same, and a further file is a further language."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from string import Formatter

import pytest

from arena.base.texts import ENGLISH, Localized, Words, list_languages, name_languages
from support.paths import ROOT

FOLDERS = {
    name: ROOT / path / "texts"
    for name, path in (
        ("leaderboard", "leaderboard"),
        ("reports", "reports/wording"),
        ("cnn", "cnn/corpus"),
        ("verdicts", "cnn/runs"),
        ("pictures", "cnn/tiles"),
        ("arena", "arena/starter"),
        ("exercises", "arena/exercises"),
        ("lessons", "arena/lessons"),
        ("tables", "arena/base/tables"),
    )
}
EQUAL_IN_SPANISH = {
    "leaderboard": [
        *("page.api", "page.days", "page.hours", "page.minutes", "page.kilobytes", "page.megabytes"),
        *("page.token", "page.f1", "page.alike_p"),
    ],
    "reports": [
        *("word.no", "word.error", "level.filter.on", "level.filter.off", "gist.sweeps", "group.corpus"),
        *("learning.value.rmsprop", "learning.value.adam", "learning.value.adamw", "reading.macro_f1", "auto.at"),
    ],
    "cnn": ["card.mono", "anomalies.error"],
    "verdicts": [],
    "pictures": [],
    "arena": [],
    "lessons": ["architectures.tsne_title"],
    "exercises": ["backprop.relu_title"],
    "tables": ["kind.json"],
}
FILES = [(name, language) for name, folder in FOLDERS.items() for language in list_languages(folder)]


def placeholders(form: str) -> list[tuple[str, str, str]]:
    """Names, formats and conversions, in alphabetical order."""
    fields = [field for field in Formatter().parse(form) if field[1] is not None]
    return sorted({(str(name), str(spec), str(conversion)) for _, name, spec, conversion in fields})


def test_every_folder_has_the_same_languages() -> None:
    names = [dict(name_languages(folder)) for folder in FOLDERS.values()]
    assert names[0].items() >= {"en": "English", "es": "Español"}.items()
    assert names == names[:1] * len(names)


@pytest.mark.parametrize("kind", ["", "pictures"])
@pytest.mark.parametrize(("name", "language"), FILES)
def test_a_language_has_the_keys_the_forms_and_the_placeholders_of_english(name: str, language: str, kind: str) -> None:
    english, words = (Words.read(FOLDERS[name], code, kind).table for code in (ENGLISH, language))
    assert words.keys() == english.keys()
    assert [key for key, forms in words.items() if len(forms) != len(english[key]) or len(forms) > 2] == []
    assert [key for key, forms in words.items() if not all(form.strip() for form in forms)] == []
    expected = {key: [placeholders(form) for form in forms] for key, forms in english.items()}
    assert {key: [placeholders(form) for form in forms] for key, forms in words.items()} == expected
    assert [key for key, forms in words.items() for form in forms for *_, sign in placeholders(form) if sign != "None"] == []


@pytest.mark.parametrize("name", FOLDERS)
def test_no_text_is_left_in_english(name: str) -> None:
    english, spanish = (Words.read(FOLDERS[name], code).table for code in ("en", "es"))
    assert [key for key, forms in english.items() if forms == spanish[key]] == EQUAL_IN_SPANISH[name]


@pytest.mark.parametrize("language", list_languages(FOLDERS["cnn"]))
def test_texts_of_the_card_hold_no_markup_because_they_are_not_escaped(language: str) -> None:
    table = Words.read(FOLDERS["cnn"], language).table
    assert [key for key, forms in table.items() if set('<>&"') & set("".join(forms))] == []


class Both(Localized):
    def translate(self, language: str) -> str:
        return f"{{n}} in {language}"


@pytest.fixture
def words(tmp_path: Path) -> Words:
    (tmp_path / "xx.toml").write_text(
        """
        [language]
        name = "Xish"
        thousands = "."
        [a]
        plain = "x"
        row = ["{n:,} row of {of}", "{n:,} rows of {of}"]
        share = "{share:.0%}"
        [a.b]
        row = ["{n} r", "{n} rs"]
        """
    )
    return Words.read(tmp_path, "xx")


def test_a_text_is_filled_in_its_language(words: Words) -> None:
    assert (words.language, words.name, words("a.plain"), words.number(1234567)) == ("xx", "Xish", "x", "1.234.567")
    assert words("a.row", n=1, of="{n}") == "1 row of {n}"
    assert words("a.row", n=12000, of=Both()) == "12.000 rows of {n} in xx"
    assert (words.n("a.b.row", 1), words.n("a.b.row", 12000)) == ("1 r", "12.000 rs")
    assert words("a.share", share=0.25) == "25%"


def test_a_section_is_read_by_its_own_keys(words: Words) -> None:
    section = words.section("a")
    assert (section("plain"), section("b.row", n=2), section.has("a.plain"), section.language) == ("x", "2 rs", False, "xx")


def test_an_unknown_key_and_a_missing_value_are_mistakes_of_the_program(words: Words) -> None:
    with pytest.raises(KeyError, match=r"a\.unknown"):
        words("a.unknown")
    with pytest.raises(KeyError, match="of"):
        words("a.row", n=1)


def write_third_language(folder: Path) -> None:
    """Write xx.toml: English between guillemets."""
    english = Words.read(folder, ENGLISH).table
    texts = [f"{key} = {json.dumps([f'«{form}»' for form in forms])}\n" for key, forms in english.items()]
    language = '[language]\nname = "Xish"\nthousands = "."\n'
    (folder / "xx.toml").write_text("".join([*texts, language]), encoding="utf-8")


PROGRAM = """
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import soundfile

from cnn.corpus.card import write_card
from cnn.corpus.scan import scan
from leaderboard.errors import SubmissionError
from leaderboard.actions.submit import submit
from leaderboard.pages.publish import publish
from leaderboard.files.solution import parse_solution
from leaderboard.store import create_contest
from leaderboard.pages.texts import choose_language

now = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
rows = "".join(f"clip_{n},{n % 10}\\n" for n in range(1200))
contest = create_contest("c.db", solution=parse_solution(f"id,label\\n{rows}".encode(), "s.csv"), name="Digits", now=now)
contest.add_team("Ann", now)
submit(contest, "Ann", f"id,label\\n{rows}".encode(), "p.csv", now)
try:
    submit(contest, "Ann", b"id,label\\nclip,1\\n", "q.csv", now)
except SubmissionError as error:
    language = choose_language(None, None, "xx-YY,en;q=0.5")
    Path("refusal.txt").write_text(error.translate(language), encoding="utf-8")
publish(contest, Path("board"), now)
for digit in range(10):
    soundfile.write(f"{digit}_ann_0.wav", np.random.default_rng(digit).uniform(-0.4, 0.4, 3000), 8000)
write_card(scan(Path()), Path("card.html"), language="xx")
"""


def test_a_third_language_is_a_file_for_each_folder_and_no_code(tmp_path: Path) -> None:
    tree, folder = tmp_path / "tree", tmp_path / "work"
    folder.mkdir()
    for package in ("arena", "cnn", "sweeps", "leaderboard", "reports"):
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    for texts in FOLDERS.values():
        write_third_language(tree / texts.relative_to(ROOT))

    def run(*words: str) -> None:
        environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONSAFEPATH": "1"}
        subprocess.run([sys.executable, *words], cwd=folder, env=environment, check=True, timeout=120)

    run("-c", PROGRAM)
    run("-m", "arena", "report", "build", "--contest", "c.db", "--lang", "xx", "--out", "report.html")

    board = (folder / "board" / "index.xx.html").read_text(encoding="utf-8")
    assert '<html lang="xx"' in board
    assert "«Ann is the only team with an attempt.»" in board
    assert 'hreflang="xx">Xish</a>' in (folder / "board" / "index.html").read_text(encoding="utf-8")
    assert "«id 'clip' is not one of the 1.200 ids of the contest" in (folder / "refusal.txt").read_text(encoding="utf-8")
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert '<html lang="xx">' in report
    assert "«Contest»" in report
    card = (folder / "card.html").read_text(encoding="utf-8")
    assert '<html lang="xx">' in card
    assert "«Corpus card»" in card
    assert "«Augmentation is called for: " in card
    assert "8.000 Hz" in card
