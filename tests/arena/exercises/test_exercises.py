"""Exercises: an untouched one says what to do, each wrong answer gets its own line, and the host's notebook passes."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import arena.cli
from arena.base.texts import read_words
from arena.exercises.check import check_exercise
from arena.exercises.notebook import NAMES, TEXTS, build_exercise
from arena.exercises.runner import run_cells

QUICK = (
    ("N_TRAIN, BATCH_SIZE, EPOCHS, VAL_EVERY = 60_000, 32, 20, 600", "N_TRAIN, BATCH_SIZE, EPOCHS, VAL_EVERY = 960, 32, 3, 20"),
    ("N_HIDDEN, N_STARTS = 4, 20", "N_HIDDEN, N_STARTS = 3, 1"),
)
_SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?### END SOLUTION", re.MULTILINE | re.DOTALL)


def read_cells(name: str, language: str = "en", *, is_solved: bool) -> list[tuple[str, str]]:
    """Return the code cells by the ids of nbgrader, with fewer steps than a student's."""
    notebook = build_exercise(name, read_words(TEXTS, language), is_solved=is_solved)
    cells = [
        (cell["metadata"].get("nbgrader", {}).get("grade_id", ""), cell["source"])
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]
    for slow, quick in QUICK:
        cells = [(grade_id, text.replace(slow, quick)) for grade_id, text in cells]
    return cells


def run(cells: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return why cells failed, by their ids."""
    return {grade_id: cause for grade_id, cause in run_cells(cells, {"__name__": "exercise"}) if cause}


def answer(name: str, hole: str, text: str) -> str:
    """Return what the check of a hole says of an answer."""
    cells = dict(read_cells(name, is_solved=True))
    cells[hole] = _SOLUTION.sub(lambda match: "\n".join(match[1] + line for line in text.splitlines()), cells[hole])
    return run((key, cells[key]) for key in ("setup", hole, f"check-{hole}")).get(f"check-{hole}", "")


@pytest.fixture(autouse=True)
def _no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "Agg")
    import matplotlib.pyplot as plt

    plt.switch_backend("Agg")


@pytest.mark.parametrize(
    ("step", "every", "label"), [(1, 27 / 40, "Epocas"), (1, 27 / 40, "época"), (40, 27, "lotes (40 por época)")]
)
def test_an_axis_may_be_named_without_an_accent_or_count_batches_and_mention_epochs(
    step: float, every: float, label: str
) -> None:
    plot = (
        f"a = plt.figure().subplots(); a.plot(np.arange(1, 6) * {step}, train_loss, label='t')\n"
        f"a.plot(np.arange(1, 8) * {every}, val_loss, label='v'); a.set_xlabel({label!r}); a.legend(); return a"
    )
    assert answer("plot", "draw", plot) == ""


@pytest.mark.parametrize("name", NAMES)
def test_the_hosts_notebook_passes_and_an_untouched_one_says_what_to_write_where(name: str) -> None:
    assert run(read_cells(name, is_solved=True)) == {}
    causes = run(read_cells(name, "es", is_solved=False))
    assert set(causes) == {cell for cell in causes if cell.startswith("check-")} != set()
    assert all(
        "aún no está escrita: pon tu código en lugar de raise NotImplementedError()" in cause for cause in causes.values()
    )


WRONG = tomllib.loads(Path(__file__).with_name("wrong.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("name", "hole"), [(name, hole) for name, holes in WRONG.items() for hole in holes])
def test_each_wrong_answer_is_told_what_is_wrong(name: str, hole: str) -> None:
    answers = WRONG[name][hole]
    messages = {text: answer(name, hole, text) for text in answers}
    assert {text: message for text, message in messages.items() if not message.startswith(answers[text])} == {}


def invoke(*words: str) -> Any:
    return CliRunner().invoke(arena.cli.app, ["exercise", *words])


def test_check_runs_the_file_with_its_own_checks_and_says_whose_rights_it_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert invoke("backprop", "--lang", "es").output.endswith("backprop.ipynb\n")
    assert invoke("backprop", "--solution", "host.ipynb").exception is None
    host, student = (json.loads(Path(name).read_text(encoding="utf-8")) for name in ("host.ipynb", "backprop.ipynb"))
    solved = {cell["id"]: cell["source"] for cell in host["cells"] if "BEGIN SOLUTION" in "".join(cell["source"])}
    assert len(solved) == 3
    assert "BEGIN SOLUTION" not in json.dumps(student)
    for cell in student["cells"]:
        if cell["id"] == min(solved):
            cell["source"] = "%matplotlib inline\n" + solved[cell["id"]]
        elif cell["metadata"].get("nbgrader", {}).get("grade"):
            cell["source"] = "pass"  # a check that was emptied
    Path("backprop.ipynb").write_text(json.dumps(student), encoding="utf-8")
    Path("other.ipynb").write_text("{}")
    ended = invoke("check", "backprop.ipynb", "other.ipynb", "--json")
    assert str(ended.exception) == "3 of 4 answers are not right yet; change their cells, and check again"
    assert "this runs the code of the notebook with your rights" in ended.stderr
    verdicts = {line["question"]: line["message"] for line in json.loads(ended.stdout)}
    assert verdicts["check-dense"] == ""
    assert verdicts["check-relu"].startswith("ReLU.backward aún no está escrita")
    assert verdicts["notebook"] == "it is no exercise of Arena's; `arena exercise xor` writes one"


def test_cells_have_the_metadata_that_nbgrader_reads() -> None:
    cells = build_exercise("xor", read_words(TEXTS, "en"))["cells"]
    facts = [cell["metadata"]["nbgrader"] for cell in cells if cell["metadata"]]
    assert [(fact["grade_id"], fact["grade"], fact["solution"], fact["locked"]) for fact in facts] == [
        ("setup", False, False, True),
        *(
            (f"{kind}{hole}", bool(kind), not kind, bool(kind))
            for hole in ("perceptron", "lines", "net")
            for kind in ("", "check-")
        ),
    ]
    assert {fact["schema_version"] for fact in facts} == {3}
    assert [fact["points"] for fact in facts if fact["grade"]] == [2, 2, 2]
    hole = next(cell["source"] for cell in cells if cell["metadata"].get("nbgrader", {}).get("solution"))
    assert hole.endswith("\n    # YOUR CODE HERE\n    raise NotImplementedError()")


def test_a_cell_cannot_write_the_verdict_at_the_end_of_python_and_a_hostile_file_has_one_line(tmp_path: Path) -> None:
    notebook = build_exercise("backprop", read_words(TEXTS, "en"), is_solved=False)
    forged = "import atexit, json, os\nlines = json.dumps([[f'check-{n}', ''] for n in ('dense', 'relu', 'loss', 'softmax')])\n"
    cell = {"cell_type": "code", "metadata": {}, "source": forged + "atexit.register(os.write, 1, ('\\n' + lines).encode())"}
    path = tmp_path / "b.ipynb"
    path.write_text(json.dumps(notebook | {"cells": [cell, *notebook["cells"]]}))
    verdicts = check_exercise(path)
    assert verdicts
    assert not any(verdict.is_right for verdict in verdicts)
    cell["source"] = "import os\nos.write(1, b'[]\\n')\nos._exit(0)"
    path.write_text(json.dumps(notebook | {"cells": [cell, *notebook["cells"]]}))
    assert [verdict.message for verdict in check_exercise(path)] == [
        "its code ended Python before its checks; run it in Jupyter to see where"
    ]
    path.write_text("[" * 100_000)
    assert "no exercise of Arena's" in check_exercise(path)[0].message
