"""Reports, papers and verdicts on pictures: they speak of pictures and classes, and never of speech."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from arena.base.texts import Words
from cnn.cli.run_page import print_page, read_page
from cnn.runs import list_runs
from cnn.runs.verdict import TEXTS as VERDICTS
from cnn.settings.data import DataKind
from reports.documents.notebook import build_story, cells_for
from reports.documents.paper import compose_paper
from reports.page.render import render_report
from reports.reading.gather import Sources, gather_facts
from reports.wording.page_texts import TEXTS, texts
from support.picture_runs import OF_SPEECH, find_speech, write_picture_eight

LANGUAGES = ("en", "es")
OF_SPEAKERS = ("group.", "doubt.", "gender.", "inspection.by_speaker", "inspection.speaker_read", "inspection.alt_speaker")
OF_SPEAKERS += ("data.speakers", "data.heard", "trust.speakers", "trust.few_speakers", "trust.heard", "effect.speakers")
OF_SPEAKERS += ("answer.lead_heard", "answer.val_clips_heard", "answer.caption_heard", "trainings.scores_heard")
OF_SPEAKERS += ("data.named_corpora", "held.corpus")
OF_SPEAKERS += ("trainings.kept_last", "reading.val_test_heard", "held.title_loso", "mistakes.no_sound")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures") / "runs"
    write_picture_eight(folder)
    return folder


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_on_pictures_speak_of_speech_only_where_speakers_are_known(language: str) -> None:
    tables = [texts(language, DataKind.PICTURES).table, Words.read(VERDICTS, language, DataKind.PICTURES).table]
    words = {key: re.sub(r"{.*?}", "", " ".join(forms)) for table in tables for key, forms in table.items()}
    speech = [key for key, text in words.items() if OF_SPEECH.search(text)]
    assert [key for key in speech if not key.startswith(OF_SPEAKERS)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_report_and_a_paper_of_pictures_hold_no_word_of_speech(runs: Path, language: str) -> None:
    facts = gather_facts(Sources(runs=runs, lang=language))
    page, paper = render_report(facts).decode(), compose_paper(facts, "figures")
    assert [find_speech(text) for text in (page, paper.text, *paper.figures.values())] == [[]] * (2 + len(paper.figures))
    assert "fashion-mnist: " in facts.title
    assert "Ankle boot" in page
    assert "Ankle boot" in paper.text


def test_a_published_split_is_named_and_intervals_are_of_pictures(runs: Path) -> None:
    page = render_report(gather_facts(Sources(runs=runs))).decode()
    assert "split: as published" in page
    assert "bootstrap resamples of the test pictures" in page
    assert "300 test pictures" in page


def test_the_files_of_a_kind_change_texts_of_the_language_beside_them() -> None:
    for folder in (TEXTS, VERDICTS):
        for language in LANGUAGES:
            plain, special = (Words.read(folder, language, kind).table for kind in ("", DataKind.PICTURES))
            assert special.keys() == plain.keys()
            assert special != plain


def test_the_story_of_pictures_is_python_and_speaks_of_pictures(runs: Path) -> None:
    sources = Sources(runs=runs)
    cells = build_story(gather_facts(sources), sources, runs.parent / "story.ipynb")
    cells += cells_for({"tiles", "inspected", "evaluated", "sweeps", "contest"}, DataKind.PICTURES)
    names_of_files = r"clips\.csv|facts\.clips|\[\"clips\"\]|\.clip\("
    assert [find_speech(re.sub(names_of_files, "", cell.text)) for cell in cells] == [[]] * len(cells)
    assert not any("@" in cell.text for cell in cells)


@pytest.mark.parametrize(
    ("language", "heads"),
    [
        ("en", "Business understanding, Data understanding, Data preparation, Modelling, Evaluation, Deployment"),
        ("es", "Comprensión del negocio, Comprensión de los datos, Preparación de los datos, Modelado, Evaluación, Despliegue"),
    ],
)
def test_the_six_phases_of_crisp_dm_hold_what_an_article_does(runs: Path, language: str, heads: str) -> None:
    facts = gather_facts(Sources(runs=runs, lang=language))
    article, phases = (compose_paper(facts, "figures", outline).text for outline in ("article", "crisp-dm"))
    assert re.findall(r"^## (.*)", phases, flags=re.MULTILINE)[1:7] == heads.split(", ")
    rows = [
        [line for line in text.split("\n") if line.startswith(("| ", "- ", "![", "arena train "))] for text in (article, phases)
    ]
    without_numbers = [sorted(re.sub(r"\d+", "", line) for line in lines) for lines in rows]
    assert without_numbers[0] == without_numbers[1]
    assert phases.count("> **") == 5  # lines for the team
    assert "arena predict" in phases
    assert find_speech(phases) == []


def test_the_page_of_a_run_on_pictures_counts_pictures(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_page({**read_page(list_runs(runs)[0], Path("tiles")), "verdict": None})
    printed = capsys.readouterr().out
    assert " over 300 pictures), accuracy " in printed
    assert "accuracy 0.990, 1,500 pictures" in printed
    assert find_speech(printed) == []
