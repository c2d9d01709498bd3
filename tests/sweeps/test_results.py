"""Studies as facts: what reports rely on."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest

from support.paths import ROOT
from support.studies import claimed, finished, make_study, open_engine
from sweeps.cli.tables import print_csv
from sweeps.errors import StudyError
from sweeps.importance import FEWEST_TRIALS
from sweeps.results import ParameterFacts, list_studies, read_outline, read_study
from sweeps.training.trial import TrialResult, TrialState

NAME = "lenet5.raw"
TEXT = """
method: random
metric: {name: val_macro_f1, goal: maximize}
parameters:
  model.name: {value: lenet5}
  train.learning_rate: {distribution: log_uniform_values, min: 0.001, max: 0.1}
  model.dropout: {min: 0.0, max: 0.5}
  train.batch_size: {distribution: q_uniform, min: 16, max: 64, q: 16}
  train.epochs: {min: 2, max: 9}
  train.optimizer: {values: [adamw, sgd]}
"""


def test_trials_as_csv_keep_numbers_in_full_and_set_a_cause_apart_that_is_a_formula(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_study(tmp_path, TEXT, budget=2)
    engine = open_engine(tmp_path)
    engine.finish(claimed(engine), finished(0.1 + 0.2))
    engine.finish(claimed(engine), TrialResult(state=TrialState.FAILED, cause="\uff1d1+1"))
    print_csv(read_outline(tmp_path, NAME))
    first, second = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (first["val_macro_f1"], first["seconds"], first["cause"]) == ("0.30000000000000004", "1.5", "")
    assert float(first["train.learning_rate"]) > 0
    assert (second["val_macro_f1"], second["state"], second["cause"]) == ("", "failed", "'\uff1d1+1")


def test_trials_of_several_trainings_count_these_and_name_the_runs_that_were_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_study(tmp_path, f"{TEXT}arena: {{seeds: 3}}\n", budget=3)
    engine = open_engine(tmp_path)
    engine.finish(claimed(engine), finished(0.3, 0.4, 0.5))
    engine.finish(claimed(engine), TrialResult(state=TrialState.PRUNED, epochs={1: 0.1}))
    claimed(engine)
    facts = read_outline(tmp_path, NAME)
    assert [len(trial.runs) for trial in facts.trials] == [3, 1, 1]
    print_csv(facts)
    assert [row["trainings"] for row in csv.DictReader(io.StringIO(capsys.readouterr().out))] == ["3", "1", "0"]


def test_every_fact_of_a_study_is_read(tmp_path: Path) -> None:
    folder = make_study(tmp_path, TEXT, budget=8)
    engine = open_engine(tmp_path)
    for n in range(6):
        claim = claimed(engine)
        engine.report(claim, 1, 0.1 * n)
        engine.finish(claim, finished(0.1 * n, float(claim.params["train.learning_rate"])))  # type: ignore[arg-type]
    failing = claimed(engine)
    engine.finish(failing, TrialResult(state=TrialState.FAILED, epochs={1: 0.99}, cause="the loss became nan"))
    running = claimed(engine)
    engine.report(running, 1, 0.99)
    facts = read_study(tmp_path, NAME)
    assert (facts.name, facts.model, facts.variant, facts.metric) == (NAME, "lenet5", "raw", "val_macro_f1")
    assert (facts.goal, facts.method, facts.budget) == ("maximize", "random", 8)
    kinds = [(p.name, p.kind, p.low, p.high, p.log, p.choices) for p in facts.parameters]
    assert kinds == [
        ("model.name", "constant", None, None, False, ("lenet5",)),
        ("train.learning_rate", "float", 0.001, 0.1, True, ()),
        ("model.dropout", "float", 0.0, 0.5, False, ()),
        ("train.batch_size", "int", 16.0, 64.0, False, ()),
        ("train.epochs", "int", 2.0, 9.0, False, ()),
        ("train.optimizer", "categorical", None, None, False, ("adamw", "sgd")),
    ]
    assert all(isinstance(p, ParameterFacts) for p in facts.parameters)
    assert [trial.state for trial in facts.trials] == ["finished"] * 6 + ["failed", "running"]
    assert facts.best is not None
    assert facts.best.value == max(trial.value for trial in facts.trials if trial.value is not None)
    assert facts.best.number == 5
    assert (facts.best.seconds, facts.best.agent, len(facts.best.run)) == (1.5, "tester", 16)
    assert (facts.trials[6].value, facts.trials[6].cause) == (None, "the loss became nan")
    assert (facts.trials[7].value, facts.trials[7].epochs, facts.trials[7].seconds) == (None, {1: 0.99}, None)
    best = facts.best.params
    tuned = [f"{key}={best[key]}" for key in best if key != "model.name"]
    place = f"--tiles {folder.path.parent / 'tiles'} --runs {folder.path.parent / 'runs'}"
    assert facts.command == f"arena train --model lenet5 --variant raw {place} {' '.join(tuned)}"


def test_importances_sum_to_one_and_name_what_decides_who_is_pruned(tmp_path: Path) -> None:
    make_study(tmp_path, TEXT, budget=24)
    engine, pruned = open_engine(tmp_path), TrialResult(state=TrialState.PRUNED, epochs={1: 0.6})
    for n in range(24):
        claim = claimed(engine)
        if n == FEWEST_TRIALS - 1:
            assert read_study(tmp_path, NAME).importances == {}
        engine.finish(claim, finished(0.5) if claim.params["train.optimizer"] == "adamw" else pruned)
    assert read_outline(tmp_path, NAME).importances == {}
    importances = read_study(tmp_path, NAME).importances
    assert sum(i.share for i in importances.values()) == pytest.approx(1)
    assert next(iter(importances)) == "train.optimizer"
    assert importances["train.optimizer"].share > 0.8
    assert importances == read_study(tmp_path, NAME).importances


def test_equal_values_give_no_importances(tmp_path: Path) -> None:
    make_study(tmp_path, TEXT, budget=5)
    engine = open_engine(tmp_path)
    for _ in range(5):
        engine.finish(claimed(engine), finished(0.5))
    assert read_study(tmp_path, NAME).importances == {}


def test_a_study_without_trials_is_read_and_not_touched(tmp_path: Path) -> None:
    folder = make_study(tmp_path)
    facts = read_study(tmp_path, NAME)
    assert (facts.trials, facts.best, facts.importances, facts.command) == ((), None, {}, "")
    assert sorted(path.name for path in folder.path.iterdir()) == [".lock", "study.json"]


def test_studies_are_listed_by_name(tmp_path: Path) -> None:
    assert list_studies(tmp_path / "nowhere") == []
    make_study(tmp_path, name="b")
    make_study(tmp_path, name="a")
    (tmp_path / "no study").mkdir()
    assert list_studies(tmp_path) == ["a", "b"]
    with pytest.raises(StudyError):
        read_study(tmp_path, "c")


def test_reading_a_study_module_loads_neither_torch_nor_optuna() -> None:
    names = "('torch', 'optuna', 'numpy')"
    code = f"import sys, sweeps.results, arena.cli; print([m for m in {names} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
