"""`arena report notebook`: cells that read and never state, run here, and edited ones left alone."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from arena.base.install import install_command
from cnn.runs import DataKind, RunFolder, list_runs
from reports.cli.documents import app
from reports.documents.notebook import build_story, cells_for
from reports.documents.notebook_file import NotebookCell, build_notebook, run_notebook
from reports.errors import NothingToReport, OutputError
from reports.reading.evaluations import read_evaluations
from reports.reading.gather import Sources, gather_facts
from support import sklearn_reference as reference
from support.evaluations import EvaluationPlan, write_evaluation
from support.paths import ROOT
from support.report_facts import LABELS, make_config, write_eight, write_run, write_tiles
from support.report_stores import make_contest

ALL = {"tiles", "weights", "tested", "factors", "inspected", "evaluated", "sweeps", "contest"}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_eight(tmp_path / "runs", n_takes=3)
    clips = sorted({row.id for row in list_runs(tmp_path / "runs")[0].predictions()})
    write_tiles(tmp_path / "tiles", make_config("lenet5", "raw"), clips)
    make_contest(tmp_path / "contest.db")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invoke(*words: str) -> Any:
    return CliRunner().invoke(app, ["notebook", *words])


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def code_of(notebook: dict[str, Any]) -> list[str]:
    return [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]


def printed(notebook: dict[str, Any]) -> str:
    outputs = [one for cell in notebook["cells"] for one in cell.get("outputs", [])]
    texts = [one.get("text", "") or one.get("data", {}).get("text/plain", "") for one in outputs]
    return "\n".join("".join(text) for text in texts)


def test_it_runs_here_and_says_what_scikit_learn_says(world: Path) -> None:
    pytest.importorskip("nbclient", reason="the extra `notebook` is not installed")
    (world / "cnn.py").write_text("raise SystemExit('a file of the reader's own')\n")
    result = invoke("--title", "Ours", "--with-code")
    assert result.exception is None, result.exception
    notebook = read(world / "story.ipynb")
    text = printed(notebook)
    sources = [cell for cell in notebook["cells"] if cell["metadata"].get("tags") == ["skip-execution"]]
    names = ("lenet5", "columns")
    assert ["".join(cell["source"]) for cell in sources] == [
        (ROOT / f"cnn/models/{name}.py").read_text().strip("\n") for name in names
    ]
    assert {(cell["execution_count"], len(cell["outputs"])) for cell in sources} == {(None, 0)}
    assert "error" not in {one["output_type"] for cell in notebook["cells"] for one in cell.get("outputs", [])}
    for run in list_runs(world / "runs"):
        rows = [row for row in run.predictions() if row.split == "test"]
        truth, label = [row.truth for row in rows], [row.label for row in rows]
        f1 = reference.f1_score(truth, label, labels=LABELS, average="macro", zero_division=0)
        assert re.search(rf"{run.digest}.* {f1:.3f}", text), run.digest
    assert "ann" in text
    assert sum("image/png" in one.get("data", {}) for cell in notebook["cells"] for one in cell.get("outputs", [])) >= 4
    assert [path.name for path in world.iterdir() if "kernel" in path.name] == []


def test_the_cell_of_folds_reads_the_facts_of_an_evaluation(tmp_path: Path) -> None:
    write_evaluation(tmp_path, EvaluationPlan(folds="becker", models=("lenet5",), variants=("raw",)))
    cell = next(cell.text for cell in cells_for({"evaluated"}, DataKind.SOUND) if "read_evaluations" in cell.text)
    tables: list[list[dict[str, Any]]] = []
    exec(cell, {"RUNS": tmp_path, "pd": SimpleNamespace(DataFrame=tables.append)})
    facts = read_evaluations(tmp_path).groups[0].evaluations[0]
    assert [(row["model"], row["mean"], row["low"]) for row in tables[0]] == [
        (facts.model, facts.scores.mean_macro_f1, facts.scores.interval.low)
    ]


def test_cells_hold_no_result(world: Path) -> None:
    assert invoke("--no-run").exception is None
    notebook = read(world / "story.ipynb")
    scores = [f"{score.macro_f1:.3f}" for run in list_runs(world / "runs") for score in run.result().scores.values()]
    assert [score for score in scores if score in json.dumps(notebook)] == []
    assert all(cell["outputs"] == [] for cell in notebook["cells"] if cell["cell_type"] == "code")
    assert notebook["cells"][0]["source"].startswith("# Spoken digits\n")
    assert any('CONTEST = "contest.db"' in code for code in code_of(notebook))


def test_a_databases_password_is_no_part_of_the_notebook(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "another")
    sources = Sources(runs=world / "runs", contest="postgresql+psycopg://host:s3%2Fcret@db/digits")
    facts = gather_facts(Sources(runs=world / "runs", contest=str(world / "contest.db")))
    text = "".join(cell.text for cell in build_story(facts, sources, world / "story.ipynb"))
    assert 'CONTEST = "postgresql+psycopg://host@db/digits"' in text
    assert "s3" not in text
    assert os.environ["PGPASSWORD"] == "s3/cret"


def test_cells_are_python_and_paths_are_seen_from_the_notebook(world: Path) -> None:
    for cell in (cell for kind in DataKind for cell in cells_for(ALL, kind)):
        if cell.kind == "code":
            ast.parse(cell.text.replace("{places}", ""))
    facts = gather_facts(Sources(runs=world / "runs"))
    setup = build_story(facts, Sources(runs=world / "runs", tiles=world / "none"), world / "deep" / "story.ipynb")[1].text
    assert 'RUNS = Path("../runs")' in setup
    assert "TILES = " not in setup


def test_what_is_not_there_has_no_cells() -> None:
    every_part, bare = ("\n".join(cell.text for cell in cells_for(parts, DataKind.SOUND)) for parts in (ALL, set()))
    for word in ("## Sweeps", "read_contest", "inspection.npz", "read_evaluations", "clips.csv", "import torch"):
        assert word in every_part
        assert word not in bare
    assert "## The trainings" in bare


def test_each_nets_code_and_commands_stand_above_its_results_and_a_file_of_two_nets_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = "from torch import nn\n\n\nclass MyLeNet(nn.Module): ...\n\n\nclass MyMobileNet(nn.Module): ...\n"
    digest = hashlib.sha256(source.encode()).hexdigest()[:16]
    for number, (net, variant) in enumerate([("MyLeNet", "raw"), ("MyLeNet", "raw+aug"), ("MyMobileNet", "raw")]):
        run = make_config(f"nets.py:{net}", variant, model__source=digest)
        (write_run(tmp_path / "runs", f"{number:016x}", run, n_takes=2).path / "model.py").write_text(source)
    assert invoke("--no-run", "--with-code").exception is None
    cells = [cell["source"] for cell in read(tmp_path / "story.ipynb")["cells"]]
    first = cells.index("### Model A: MyLeNet\n\nThe code of `MyLeNet`, not run here:")
    assert cells[first + 1] == source.strip("\n")
    assert cells[first + 2].count("this version of Arena would train another run") == 2  # made by hand
    assert 'if runs.model[name] == "MyLeNet"' in cells[first + 3]
    assert cells[first + 4] == "### Model B: MyMobileNet\n\nIts code is in the file of `MyLeNet`, above."
    assert cells[first + 5].startswith("Trained by\n\n```sh\n")
    assert cells[first + 7].startswith("## The trainings")


@pytest.mark.parametrize(("net", "path"), [("scratch", "cnn/scratch/net.py"), ("alexnet", "cnn/models/stack.py")])
def test_the_code_of_a_net_without_a_file_of_its_name_is_that_which_trained_it(
    net: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "runs", "a" * 16, make_config(net, "raw"), n_takes=2)
    assert invoke("--no-run", "--with-code").exception is None
    assert (ROOT / path).read_text().strip("\n") in code_of(read(tmp_path / "story.ipynb"))


def test_an_edited_notebook_is_left_alone_and_a_rerun_is_no_edit(world: Path) -> None:
    invoke("--no-run")
    notebook = read(world / "story.ipynb")
    notebook["cells"][3]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "run again"}]
    (world / "story.ipynb").write_text(json.dumps(notebook))
    assert invoke("--no-run").exception is None
    notebook = read(world / "story.ipynb")
    notebook["cells"][0]["source"] += "\nWritten by us."
    (world / "story.ipynb").write_text(json.dumps(notebook))
    error = invoke("--no-run").exception
    assert isinstance(error, OutputError)
    assert str(error).startswith("story.ipynb was edited")
    assert "Written by us." in (world / "story.ipynb").read_text()
    assert invoke("--no-run", "--force").exception is None
    assert "Written by us." not in (world / "story.ipynb").read_text()


def test_a_cell_that_fails_ends_the_run_with_its_cause(tmp_path: Path) -> None:
    pytest.importorskip("nbclient", reason="the extra `notebook` is not installed")
    cells = [
        NotebookCell(kind="code", text="print(6 * 7)"),
        NotebookCell(kind="code", text="1 / 0"),
        NotebookCell(kind="code", text="print('never')"),
    ]
    result, cause = run_notebook(build_notebook(cells), tmp_path, lambda: None)
    assert cause == "ZeroDivisionError: division by zero"
    assert [len(cell["outputs"]) for cell in result["cells"]] == [1, 1, 0]
    assert list(tmp_path.iterdir()) == []


def test_mistakes_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert isinstance(invoke("--no-run").exception, NothingToReport)
    folder: RunFolder = write_run(tmp_path / "runs", "a" * 16, make_config("columns", "raw"), n_takes=2)
    assert str(invoke("--no-run", "--out", "runs").exception).startswith("--out names a file and runs is a folder")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    error = str(invoke().exception)
    assert error.startswith(f"running a notebook needs nbformat, nbclient, ipykernel: {install_command('notebook')}, or")
    assert invoke("--no-run").exception is None
    assert folder.digest in code_of(read(tmp_path / "story.ipynb"))[0]


def test_the_name_of_a_folder_is_no_code(tmp_path: Path) -> None:
    name = 'tiles{models}"); raise SystemExit  # {places}'
    write_eight(tmp_path / "runs", n_takes=3)
    sources = Sources(runs=tmp_path / "runs", tiles=tmp_path / name)
    cells = build_story(gather_facts(sources), sources, tmp_path / "story.ipynb")
    setup = next(cell.text for cell in cells if "MODELS = " in cell.text)
    assert name in [node.value for node in ast.walk(ast.parse(setup)) if isinstance(node, ast.Constant)]
