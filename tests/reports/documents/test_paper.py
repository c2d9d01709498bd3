"""`arena report paper`: numbers as scikit-learn has them, figures and references that are used, edited papers left alone."""

from __future__ import annotations

import re
import shutil
import xml.dom.minidom
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cnn.runs.folder import list_runs
from reports.cli.documents import app
from reports.documents.paper_pdf import paper_html
from reports.documents.paper_writer import references
from reports.errors import NothingToReport, OutputError
from support import sklearn_reference as reference
from support.report_facts import LABELS, write_eight
from support.report_stores import make_contest


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_eight(tmp_path / "runs", n_takes=4)
    make_contest(tmp_path / "contest.db")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(*words: str) -> Any:
    return CliRunner().invoke(app, ["paper", *words])


def test_the_table_of_scores_is_what_scikit_learn_says(world: Path) -> None:
    assert invoke().exception is None
    text = (world / "paper.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith(("| lenet5,", "| columns,")) and " to " in line]
    assert len(rows) == 8
    for run, line in zip(list_runs(world / "runs"), rows, strict=True):
        cells = [cell.strip() for cell in line.split("|")]
        for column, split in ((2, "val"), (3, "test")):
            answers = [row for row in run.predictions() if row.split == split]
            truth, label = [row.truth for row in answers], [row.label for row in answers]
            expected = reference.f1_score(truth, label, labels=LABELS, average="macro", zero_division=0)
            assert cells[column] == f"{expected:.3f}"


def test_figures_and_references_are_all_there_and_used(world: Path) -> None:
    invoke("--title", "Ours")
    text = (world / "paper.md").read_text()
    assert text.startswith("# Ours\n")
    named = re.findall(r"\]\((paper-figures/[a-z0-9-]+\.svg)\)", text)
    assert sorted(named) == sorted(path.relative_to(world).as_posix() for path in (world / "paper-figures").iterdir())
    for name in named:
        svg = (world / name).read_text()
        xml.dom.minidom.parseString(svg)
        assert "var(" not in svg
    assert re.findall(r"^\*Figure (\d+)\.", text, flags=re.MULTILINE) == [str(n + 1) for n in range(len(named))]
    body, _, lines = text.partition("## References")
    for work in references().values():
        assert (work["cite"] in body) == (work["line"] in lines), work["cite"]
    assert "Cireşan et al. 2012" in body
    assert "Selvaraju" not in text  # nothing was inspected
    assert body.count("arena train ") >= 8 or "no command gives this one again" in body


def test_spanish_papers_say_the_same_numbers(world: Path) -> None:
    invoke()
    invoke("--lang", "es", "--out", "papel.md")
    english, spanish = (sorted(re.findall(r"\d\.\d{3}", (world / name).read_text())) for name in ("paper.md", "papel.md"))
    assert english == spanish
    words = re.sub(r"```.*?```|`[^`]*`|## Referencias.*", "", (world / "papel.md").read_text(), flags=re.DOTALL)
    assert re.findall(r"\b(and|the|with|which|trainings|clips|speakers)\b", words) == []


def test_an_edited_paper_is_left_alone(world: Path) -> None:
    invoke()
    first = (world / "paper.md").read_text()
    assert invoke().exception is None  # unedited: written anew
    assert (world / "paper.md").read_text() == first
    (world / "paper.md").write_text(first.replace("To do.", "Done."))
    error = invoke().exception
    assert isinstance(error, OutputError)
    assert str(error) == (
        "paper.md was edited, or is not of this command; name another file with --out, or replace it with --force"
    )
    assert "Done." in (world / "paper.md").read_text()
    assert invoke("--force").exception is None
    assert (world / "paper.md").read_text() == first
    assert isinstance(invoke("--out", "runs").exception, OutputError)


@pytest.mark.skipif(not shutil.which("chromium"), reason="no Chromium is installed")
def test_an_edited_paper_is_printed_as_it_is(world: Path) -> None:
    invoke()
    edited = (world / "paper.md").read_text().replace("To do.", "Done.")
    (world / "paper.md").write_text(edited)
    result = invoke("--pdf")
    assert result.exception is None
    assert "it stays as it is; --force writes it anew" in result.output
    assert (world / "paper.md").read_text() == edited
    assert (world / "paper.pdf").read_bytes().startswith(b"%PDF")


def test_a_page_takes_pictures_of_its_folder_alone_and_no_html(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a b.svg").write_text("<svg/>")
    (tmp_path / "out.svg").write_text("<svg/>")
    text = '# A & B\n\n<script>x</script>\n\n![a](<a b.svg>) ![b](../out.svg) ![c](http://x/y.png)\n\n[arena-paper]: # "ab"\n'
    page = paper_html(text, tmp_path / "in", "en")
    assert "<title>A &amp; B</title>" in page
    assert "<script>" not in page
    assert re.findall(r'<img src="([^",]*)', page) == ["data:image/svg+xml;base64", "", ""]
    assert "arena-paper" not in page


def test_nothing_to_tell_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert isinstance(invoke().exception, NothingToReport)
    make_contest(tmp_path / "contest.db")
    assert str(invoke().exception).startswith("a paper tells of trainings and none is finished")
