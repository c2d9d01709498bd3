"""Run folders among many: listed newest first, marked as a sweep's trials."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cnn.cli.runs import app
from cnn.errors import RunError
from cnn.runs.folder import RunFolder
from cnn.runs.index import RunLine, check_writable, list_newest_first
from cnn.runs.marks import TrialMark, label_run, lock_run, mark_trial, read_trial_mark
from support.run_folders import CORPUS, make_result, write_run


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Four runs: two finished, an unfinished trial, a damaged one."""
    shelf = tmp_path / "runs"
    write_run(shelf, "aa11", make_result(20))
    resnet = {"model__name": "resnet", "model__depth": 1, "split__kind": "becker", "split__fold": 0, "train__epochs": 12}
    write_run(shelf, "aa22", make_result(21), **resnet)
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
        corpus=CORPUS,
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
        corpus=CORPUS,
        model="lenet5",
        variant="raw+aug",
        split="speaker seed=4",
        epochs=5,
        changed_at="2001-09-09T01:46:40+00:00",
        trial=TrialMark(study="lenet5.raw", number=3),
    )
    assert lines[3].state == "damaged"
    assert "result.json cannot be read" in lines[3].cause


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
    label_run(RunFolder(runs / "aa11"), "first", ("wide", "old"))
    table = [line.split() for line in call(*where).splitlines() if line.strip()]
    assert [row[0] for row in table[2:]] == ["aa22", "aa11", "bb33", "cc44"]
    assert " ".join(table[2][:-2]) == "aa22 resnet.raw becker fold=0 finished 0.432 0.432"
    assert table[3][-3:] == ["first", "#wide", "#old"]
    assert table[4][4:6] == ["unfinished", "0/5"]
    assert table[4][-4:] == ["trial", "3", "of", "lenet5.raw"]


@pytest.mark.parametrize(
    ("words", "digests"),
    [
        ("--model lenet5", ["aa11", "bb33"]),
        ("--model lenet5 --model resnet --state finished", ["aa22", "aa11"]),
        ("--variant raw --variant raw+aug --limit 2", ["aa22", "aa11"]),
        ("--tag wide --tag old", ["aa11"]),
        ("--state damaged", ["cc44"]),
        ("--sort name", ["aa11", "aa22", "bb33", "cc44"]),
        ("--sort model", ["cc44", "aa11", "bb33", "aa22"]),
        ("--variant bilateral", []),
    ],
)
def test_runs_are_chosen_and_sorted(runs: Path, words: str, digests: list[str]) -> None:
    label_run(RunFolder(runs / "aa11"), "first", ("wide", "old"))
    lines = json.loads(call("--runs", str(runs), "--json", *words.split()))
    assert [line["digest"] for line in lines] == digests


def test_columns_in_which_all_runs_are_usual_are_left_out(runs: Path) -> None:
    heads = {
        words: call("--runs", str(runs), *words.split()).split("\n")[0].split() for words in ("", "--model lenet5 --limit 1")
    }
    assert heads[""] == ["run", "net", "and", "variant", "split", "state", "val", "F1", "test", "F1", "changed", "name"]
    assert heads["--model lenet5 --limit 1"] == ["run", "net", "and", "variant", "val", "F1", "test", "F1", "changed"]


def test_an_unfinished_run_that_somebody_trains_is_running(runs: Path) -> None:
    with lock_run(RunFolder(runs / "bb33")):
        states = {line.digest: line.state for line in list_newest_first(runs)}
    assert states == {"aa11": "finished", "aa22": "finished", "bb33": "running", "cc44": "damaged"}
    (runs / "bb33" / ".lock").unlink()
    (runs / "bb33" / ".lock").mkdir()  # it cannot be tested
    assert list_newest_first(runs)[2].state == "unfinished"


def test_what_is_not_there_is_said(runs: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["--runs", str(tmp_path / "none")])
    assert (result.stdout, result.stderr) == ("", f"no run in {tmp_path / 'none'}; `arena train` makes one\n")
    result = CliRunner().invoke(app, ["--runs", str(runs), "--model", "mlp"])
    assert result.stderr == f"no run in {runs} of these among 4\n"
    assert CliRunner().invoke(app, ["--state", "done"]).exit_code == 2
    assert CliRunner().invoke(app, ["--state", "failed", "rm"]).exit_code == 2  # not dropped in silence
