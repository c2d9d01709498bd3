"""`arena runs show`, `rm`, `name` and `tag`, on run folders that nothing trained."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cnn.cli.runs import app
from cnn.errors import RunError
from cnn.runs.folder import FitVerdict, RunFolder, RunState, list_runs
from cnn.runs.folds import EvaluationPlan
from cnn.runs.marks import TrialMark, label_run, lock_run, mark_trial
from support.evaluations import write_evaluation
from support.run_folders import make_result, write_run


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return Path("runs")


def call(*words: str) -> str:
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_run_is_told_on_one_page(runs: Path) -> None:
    plan = EvaluationPlan(folds="3", models=("lenet5",), variants=("raw+aug",), overrides=("train.epochs=12",))
    run = write_evaluation(runs, plan)[0]
    label_run(run, "first", ("wide",))
    page = json.loads(call("show", "first", "--json"))
    assert page["settings"] == ["split.kind=folds", "split.n_folds=3", "split.validation=takes", "train.epochs=12"]
    assert page["command"].startswith("arena train --model lenet5 --variant raw+aug split.kind=folds")
    assert [page[key] for key in ("name", "tags", "state", "best_epoch")] == ["first", ["wide"], "finished", 12]
    assert len(page["curves"]) == 12
    lines = call("show", "first").splitlines()
    assert lines[0] == f"run         {run.path}, finished 2026-11-21 09:00 UTC"
    assert lines[1] == "name        first #wide"
    assert next(line for line in lines if line.startswith("val F1")).split()[2][-1] in "▆▇█"
    assert lines[-2:] == ["train it again:", page["command"]]


def test_runs_of_tiles_of_another_format_are_told_apart(runs: Path) -> None:
    for digest, version in (("a" * 16, 3), ("b" * 16, 4), ("c" * 16, 3)):
        run = write_run(runs, digest, make_result(1))
        run.write_config({**run.config(), "tiles": {**run.config()["tiles"], "format": version}})
    result = CliRunner().invoke(app, [])
    difference = "format 3, not 4, which takes a constant offset out of the sound"
    assert result.stderr == f"note: aaaaaaaa, cccccccc saw tiles of {difference}; their scores are of other pictures\n"
    page = call("show", "a" * 16)
    assert f"tiles       {difference}: it" in page
    assert page.splitlines()[-2:] == ["train it again:", f"arena train --config runs/{'a' * 16}/config.json"]


def test_scores_have_the_interval_of_the_report(runs: Path) -> None:
    plan = EvaluationPlan(folds="3", models=("lenet5",), variants=("raw",))
    run = write_evaluation(runs, plan)[0]
    result = run.result()
    assert result is not None
    run.write_result(dataclasses.replace(result, scores=make_result(1).scores))
    score = json.loads(call("show", run.digest, "--json"))["scores"]["test"]
    assert (score["interval"]["unit"], score["interval"]["n_units"]) == ("clips", 80)
    assert 0.5 < score["interval"]["low"] < score["interval"]["high"] < 1
    assert "macro-F1 0.432 (" in call("show", run.digest)


def test_a_damaged_run_is_one_line(runs: Path) -> None:
    (write_run(runs, "aa11").path / "result.json").write_text("{")
    with pytest.raises(RunError, match=r"^runs/aa11 is damaged: runs/aa11/result\.json cannot be read"):
        call("show", "aa")


def test_failed_runs_go_after_a_question_and_names_with_them(runs: Path) -> None:
    failed = dataclasses.replace(make_result(20), state=RunState.FAILED, cause="too warm")
    label_run(write_run(runs, "aa11", failed), "first")
    write_run(runs, "bb22", make_result(21))
    with pytest.raises(RunError, match="this is no terminal to ask in; add --yes, or --dry-run"):
        call("rm", "--state", "failed")
    table = call("rm", "--state", "failed", "--dry-run").splitlines()
    assert table[2].split() == ["runs/aa11", "lenet5.raw", "failed", "0.0", "MB", "first"]
    assert len(list_runs(runs)) == 2
    call("rm", "--state", "failed", "--yes")
    assert [run.digest for run in list_runs(runs)] == ["bb22"]
    assert label_run(RunFolder(runs / "bb22"), "first").name == "first"
    assert CliRunner().invoke(app, ["rm"]).exit_code == 2
    assert CliRunner().invoke(app, ["rm", "bb22", "--state", "failed"]).exit_code == 2


def test_the_trial_of_a_study_stays_as_long_as_the_study(runs: Path) -> None:
    mark_trial(RunFolder(runs / "aa11"), TrialMark(study="lenet5.raw", number=3))
    write_run(runs, "aa11", make_result(20))
    study = Path("studies/lenet5.raw")
    study.mkdir(parents=True)
    with pytest.raises(
        RunError,
        match=r"^nothing is removed: runs/aa11 is trial 3 of the study studies/lenet5\.raw; it goes when that is deleted$",
    ):
        call("rm", "aa11", "--yes")
    assert "runs/aa11" not in call("rm", "--state", "finished", "--yes")
    study.rmdir()
    call("rm", "aa11", "--yes")
    assert list_runs(runs) == []


def test_the_list_names_a_trials_study_where_net_and_variant_do_not(runs: Path) -> None:
    for digest, study in (("aa11", "lenet5.raw"), ("bb22", "wide")):
        mark_trial(RunFolder(runs / digest), TrialMark(study=study, number=3))
        write_run(runs, digest, make_result(20))
    names = {line.split()[0]: line.split("trial")[-1] for line in CliRunner().invoke(app, []).output.splitlines()[2:4]}
    assert {digest: name.strip() for digest, name in names.items()} == {"aa11": "3", "bb22": "3 of wide"}


def test_a_run_that_trains_stays(runs: Path) -> None:
    run = write_run(runs, "aa11")
    with lock_run(run), pytest.raises(RunError, match=r"^nothing is removed: runs/aa11 is in use by process \d+ since 20"):
        call("rm", "aa11", "--yes")
    assert list_runs(runs) == [run]


def test_folds_of_an_unfinished_evaluation_stay_unless_all_go(runs: Path) -> None:
    plan = EvaluationPlan(folds="3", models=("lenet5",), variants=("raw",))
    folds = write_evaluation(runs, plan, without=1)
    rule = r"a fold of an unfinished evaluation; finish it with `arena eval --folds 3 --model lenet5 --variant raw`"
    with pytest.raises(RunError, match=rule):
        call("rm", folds[0].digest, "--yes")
    call("rm", *(fold.digest for fold in folds), "--yes")
    assert list_runs(runs) == []
    finished = write_evaluation(runs, plan)
    call("rm", finished[0].digest, "--yes")
    assert len(list_runs(runs)) == 2


def test_names_and_tags_are_given_and_taken(runs: Path) -> None:
    write_run(runs, "aa11")
    assert call("name", "aa", "first") == "runs/aa11: first\n"
    assert call("tag", "first", "wide", "old") == "runs/aa11: wide, old\n"
    assert call("tag", "first", "old", "--remove") == "runs/aa11: wide\n"
    assert call("name", "first", "--remove") == "runs/aa11: no longer first\n"
    assert call("name", "aa11", "--remove") == "runs/aa11 has no name\n"
    assert CliRunner().invoke(app, ["name", "aa11"]).exit_code == 2


def test_what_is_no_run_and_a_link_to_one_elsewhere_are_not_deleted(runs: Path) -> None:
    model = runs / "language-model"
    model.mkdir(parents=True)
    (model / "config.json").write_text('{"architectures": []}')
    damaged = write_run(runs, "0123456789abcdef")
    (damaged.path / "config.json").write_text("{")
    link = runs / "fedcba9876543210"
    link.symlink_to(write_run(runs.parent / "elsewhere", "aa11", make_result(20)).path.resolve())
    with pytest.raises(RunError, match=r"^nothing is removed: runs/language-model is no run, by its config\.json and its name"):
        call("rm", "runs/language-model", "--yes")
    with pytest.raises(RunError, match=r"^nothing is removed: runs/fedcba9876543210 is a link to a folder elsewhere"):
        call("rm", "fedc", "--yes")
    call("rm", "--state", "damaged", "--yes")
    assert [run.digest for run in list_runs(runs)] == ["fedcba9876543210", "language-model"]


def test_a_terminal_obeys_no_name_in_a_run_folder(runs: Path) -> None:
    run = write_run(runs, "aa11", dataclasses.replace(make_result(20), verdict=FitVerdict(state="good", reason="\x1b[2J")))
    assert "\\x1b[2J" in call("show", run.digest)
    assert "\x1b" not in call("show", run.digest)
