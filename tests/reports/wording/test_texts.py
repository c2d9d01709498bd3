"""Texts of the report: nothing unused, and a page in one language alone."""

from __future__ import annotations

import dataclasses
import re

import pytest

from reports.facts.report import ReportFacts
from reports.page.render import render_report
from reports.reading.gather import Sources, gather_facts
from reports.wording.page_texts import texts
from support.paths import ROOT
from support.report_facts import eight_sweeps, make_contest_facts, write_eight

ROOM = ROOT / "reports"
KEYS = texts("en").table.keys()


def test_every_text_is_used_and_every_used_text_is_there() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (*ROOM.rglob("*.py"), *ROOM.rglob("*.j2")))
    named = set(re.findall(r"""["']([a-z]+(?:-out)?\.[a-z_0-9]+(?:\.[a-z]+)?)["']""", code))
    beginnings = set(re.findall(r"""["'](?:\{[^}]*\})?([a-z]+\.[a-z_]*)(?:\{|["'] ~)""", code))
    unused = [key for key in KEYS if key not in named and not any(key.startswith(start) for start in beginnings)]
    assert unused == []
    named_keys = set(re.findall(r"""\bt(?:\.n)?\(\s*["']([a-z-]+\.[a-z_0-9.]+)["'](?!\s*~)""", code))
    assert len(named_keys) > 200
    assert named_keys - KEYS == set()


def test_numbers_and_lists_stand_as_the_language_writes_them() -> None:
    en, es = texts("en"), texts("es")
    assert (en.count(61706), es.count(61706)) == ("61,706", "61\u202f706")
    assert (en.listed(["a", "b", "c"]), es.listed(["a", "b"]), en.listed(["a"]), en.listed([])) == (
        "a, b and c",
        "a y b",
        "a",
        "",
    )
    assert (en.n("unit.clips", 1), es.n("unit.clips", 1200)) == ("1 clip", "1\u202f200 audios")
    assert es.signed_span(-0.012, 0.003) == "\u22120.012 a +0.003"
    assert (en.metric("val_macro_f1"), es.metric("val_macro_f1"), en.metric("loss")) == (
        "validation macro-F1",
        "macro-F1 de validación",
        "loss",
    )
    assert (en.setting(True), es.setting(True), es.setting(0.12345678)) == ("yes", "sí", "0.1235")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    runs = tmp_path_factory.mktemp("texts") / "runs"
    write_eight(runs)

    def page(lang: str) -> str:
        facts: ReportFacts = gather_facts(Sources(runs=runs, lang=lang))
        return render_report(dataclasses.replace(facts, sweeps=eight_sweeps(12)[:2], contest=make_contest_facts())).decode()

    return page("en"), page("es")


def words_of(page: str) -> str:
    body = page[page.index("<main>") : page.index("<script>")]
    return re.sub(r"\s+", " ", re.sub(r"<svg.*?</svg>|<code>.*?</code>|<[^>]*>", " ", body, flags=re.DOTALL))


def test_the_spanish_page_has_no_english_in_it(both: tuple[str, str]) -> None:
    _, spanish = both
    assert '<html lang="es">' in spanish
    english_words = (
        r"(?<!\.)\b(the|with|training|trainings|clips|speakers|which|best|trial|test|loss|interval)\b"  # train.loss is a key
    )
    words = re.findall(english_words, words_of(spanish))
    assert words == []


def test_both_pages_say_the_same_numbers(both: tuple[str, str]) -> None:
    english, spanish = (sorted(re.findall(r"\d\.\d{3}", words_of(page))) for page in both)
    assert english == spanish
    assert len(english) > 100
