"""Run folders among many: found by how their names begin, listed newest first, marked as a sweep's trials."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cnn.cli.runs import app
from cnn.config import RunConfig, config_to_dict
from cnn.errors import RunError
from cnn.overrides import apply_values
from cnn.runs.folder import RunFolder, RunResult, RunState, Score
from cnn.runs.index import RunLine, TrialMark, check_writable, find_run, list_newest_first, mark_trial, read_trial_mark

SCORE = Score(n=2, loss=0.1, accuracy=0.5, macro_f1=0.4321, confusion=[[1, 0], [1, 0]])


def write_run(runs: Path, name: str, result: RunResult | None = None, **values: Any) -> RunFolder:
    folder = RunFolder(runs / name)
    folder.path.mkdir(parents=True, exist_ok=True)
    keys = {key.replace("__", "."): value for key, value in values.items()}
    folder.write_config(config_to_dict(apply_values(RunConfig(corpus="x"), keys)))
    if result:
        folder.write_result(result)
    return folder


def finished(day: str, **more: Any) -> RunResult:
    scores = {"val": SCORE, "test": SCORE}
    return RunResult(state=RunState.FINISHED, n_epochs=12, scores=scores, finished_at=f"2026-11-{day}T08:00:00+00:00", **more)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Four runs: two finished, an unfinished trial, a damaged one."""
    shelf = tmp_path / "runs"
    write_run(shelf, "aa11", finished("20"))
    resnet = {"model__name": "resnet", "model__depth": 1, "split__kind": "becker", "split__fold": 0, "train__epochs": 12}
    write_run(shelf, "aa22", finished("21"), **resnet)
    mark_trial(RunFolder(shelf / "bb33"), TrialMark(study="lenet5.raw", number=3))
    write_run(shelf, "bb33", variant="raw+aug", split__seed=4, train__epochs=5)
    damaged = write_run(shelf, "cc44")
    (damaged.path / "result.json").write_text("{")
    for name, seconds in (("bb33", 1_000_000_000), ("cc44", 900_000_000)):
        os.utime(shelf / name / "config.json", (seconds, seconds))
    return shelf


def test_runs_are_listed_newest_first_and_a_damaged_one_is_a_line_too(runs: Path) -> None:
    lines = list_newest_first(runs)
    assert [line.digest for line in lines] == ["aa22", "aa11", "bb33", "cc44"]
    assert lines[0] == RunLine(
        digest="aa22",
        state="finished",
        model="resnet",
        variant="raw",
        split="becker fold=0",
        n_epochs=12,
        epochs=12,
        val_macro_f1=0.4321,
        test_macro_f1=0.4321,
        changed_at="2026-11-21T08:00:00+00:00",
    )
    assert lines[2] == RunLine(
        digest="bb33",
        state="unfinished",
        model="lenet5",
        variant="raw+aug",
        split="speaker seed=4",
        epochs=5,
        changed_at="2001-09-09T01:46:40+00:00",
        trial=TrialMark(study="lenet5.raw", number=3),
    )
    assert lines[3].state == "damaged"
    assert "result.json cannot be read" in lines[3].cause


def test_a_run_is_found_by_its_path_or_by_how_its_name_begins(runs: Path) -> None:
    assert find_run("bb", runs).digest == "bb33"
    assert find_run("aa22", runs).digest == "aa22"
    assert find_run(str(runs / "aa11"), Path("elsewhere")).digest == "aa11"


@pytest.mark.parametrize(("name", "reason"), [("aa", "2 runs begin so"), ("dd", "there is none"), ("", "there is none")])
def test_a_beginning_that_names_no_single_run_is_refused(runs: Path, name: str, reason: str) -> None:
    with pytest.raises(RunError) as caught:
        find_run(name, runs)
    assert str(caught.value) == f"no single run {name!r} in {runs}: {reason}; `arena runs` lists them"


def test_a_run_stays_what_made_it(runs: Path) -> None:
    mark = TrialMark(study="late", number=0)
    for name in ("aa11", "bb33"):
        mark_trial(RunFolder(runs / name), mark)
    assert read_trial_mark(RunFolder(runs / "aa11")) is None  # it was trained before the sweep came
    assert read_trial_mark(RunFolder(runs / "bb33")) == TrialMark(study="lenet5.raw", number=3)
    mark_trial(RunFolder(runs / "new"), mark)
    assert read_trial_mark(RunFolder(runs / "new")) == mark


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "runs")
    assert list((tmp_path / "new" / "runs").iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError) as caught:
        check_writable(tmp_path / "file")
    rule = f"cannot write run folders in {tmp_path / 'file'}: File exists; choose another with --runs"
    assert str(caught.value) == rule


def call(*words: str) -> str:
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_command_prints_what_was_asked_for(runs: Path) -> None:
    where = ("--runs", str(runs))
    table = [line.split() for line in call(*where).splitlines() if line.strip()]
    assert [row[0] for row in table[2:]] == ["aa22", "aa11", "bb33", "cc44"]
    assert " ".join(table[2]) == "aa22 resnet raw becker fold=0 12 of 12 finished 0.432 0.432 2026-11-21 08:00"
    assert table[4][-4:] == ["trial", "3", "of", "lenet5.raw"]
    assert [line["digest"] for line in json.loads(call(*where, "--json", "--model", "lenet5"))] == ["aa11", "bb33"]
    assert [line["digest"] for line in json.loads(call(*where, "--json", "--state", "damaged"))] == ["cc44"]
    assert json.loads(call(*where, "--json", "--variant", "bilateral")) == []


def test_what_is_not_there_is_said(runs: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["--runs", str(tmp_path / "none")])
    assert (result.stdout, result.stderr) == ("", f"no run in {tmp_path / 'none'}; `arena train` makes one\n")
    result = CliRunner().invoke(app, ["--runs", str(runs), "--model", "mlp"])
    assert result.stderr == f"no run in {runs} of these among 4\n"
    assert CliRunner().invoke(app, ["--state", "done"]).exit_code == 2
