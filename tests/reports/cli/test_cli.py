"""`arena report build`: what is printed, what is written, what is refused."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from reports.cli.report import app
from reports.errors import NothingToReport, OutputError, ReportError, SourceError
from support.paths import ROOT
from support.report_facts import OWN, make_config, write_eight, write_run
from support.report_stores import make_contest


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_eight(tmp_path / "runs")
    make_contest(tmp_path / "contest.db")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_report_is_built_and_summarised(world: Path) -> None:
    result = CliRunner().invoke(app, ["build", "--title", "Ours"], catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "report.html"
    assert sum(line.strip().startswith(("lenet5", "columns")) for line in result.stdout.splitlines()) == 8
    assert "good fit, the choice" in result.stdout
    page = (world / "report.html").read_text()
    assert "<title>Ours</title>" in page
    assert "ann is first" in page
    assert "1 team has not submitted." in page
    assert sorted(path.name for path in world.iterdir()) == ["contest.db", "report.html", "runs"]


def test_json_holds_the_facts_and_nothing_else(world: Path) -> None:
    result = CliRunner().invoke(app, ["build", "--json"], catch_exceptions=False)
    facts = json.loads(result.stdout)
    assert len(facts["cells"]) == 8
    assert facts["contest"]["standings"][0]["team"] == "ann"
    assert facts["cells"][0]["run"]["splits"]["test"]["n"] == 300


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (["--runs", "none", "--contest", "none.db"], SourceError, "none.db does not exist"),
        (["--out", "runs"], OutputError, "--out names a file and runs is a folder; give runs/report.html"),
        (["--out", "contest.db/x.html"], OutputError, "cannot write contest.db/x.html"),
        (["nothing"], SourceError, "no run 'nothing' in runs; `arena runs` lists them"),
        (["runs"], SourceError, "runs is no run folder"),
    ],
)
def test_mistakes_are_one_line(world: Path, arguments: list[str], kind: type[ReportError], message: str) -> None:
    result = CliRunner().invoke(app, ["build", *arguments])
    assert isinstance(result.exception, kind)
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)
    assert not (world / "report.html").exists()


def test_an_empty_place_has_nothing_to_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["build"])
    assert isinstance(result.exception, NothingToReport)
    assert str(result.exception) == "nothing to report: no finished run in runs; train with `arena train --all`"
    assert list(tmp_path.iterdir()) == []


def test_the_table_of_runs_is_printed_for_machines(world: Path) -> None:
    result = CliRunner().invoke(app, ["table", "--json"], catch_exceptions=False)
    rows = json.loads(result.stdout)
    assert [row["model.name"] for row in rows] == ["columns"] * 4 + ["lenet5"] * 4
    assert {row["state"] for row in rows} == {"finished"}
    assert not (world / "runs.csv").exists()


def test_a_build_says_how_far_it_is(world: Path) -> None:
    progress_text = CliRunner().invoke(app, ["build"], catch_exceptions=False).stderr
    assert "reading and drawing: 2 of 2 done in " in progress_text


def test_help_needs_no_heavy_library() -> None:
    heavy = ["matplotlib", "numpy", "pandas", "sqlalchemy", "jinja2"]
    code = f"import sys, reports.cli.report; print([name for name in {heavy} if name in sys.modules])"
    root = ROOT
    result = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_a_report_needs_no_torch_wandb_or_scikit_learn(world: Path) -> None:
    code = (
        "import sys; from reports.cli.report import app; app(['build'], standalone_mode=False);"
        "print([n for n in ('torch', 'wandb', 'sklearn', 'optuna') if n in sys.modules])"
    )
    root = ROOT
    result = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(root), "HOME": str(world)}, capture_output=True, text=True
    )
    assert result.stdout.splitlines()[-1:] == ["[]"], result.stderr


def test_a_project_names_model_a_and_model_b_and_the_variants_that_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text("class MyLeNet: ...\nclass MyMobileNet: ...\n")
    (tmp_path / "arena.toml").write_text(
        'variants = ["raw", "raw+aug"]\n[models]\nA = "nets.py:MyMobileNet"\nB = "nets.py:MyLeNet"\n'
    )
    for number, (model, variant) in enumerate([(OWN[0], "raw"), (OWN[1], "raw"), (OWN[1], "raw+aug"), (OWN[1], "bilateral")]):
        write_run(tmp_path / "runs", f"{number}" * 16, make_config(model, variant), seed=number)
    result = CliRunner().invoke(app, ["build"], catch_exceptions=False)
    assert re.findall(r"^(My\w+) ", result.stdout, flags=re.MULTILINE) == ["MyMobileNet"] * 3 + ["MyLeNet"] * 2
    assert "1 training of 4 is missing: MyLeNet on raw + aug. Train with `arena train --all`." in result.stderr
    page = (tmp_path / "report.html").read_text()
    assert "Model A: MyMobileNet" in page
    assert "Model B: MyLeNet" in page
