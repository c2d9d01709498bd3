"""Trials of several trainings in W&B's sweeps: the real client against the loopback server."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from statistics import fmean

import pytest

from cnn.runs.folder import RunFolder, RunState, list_runs
from support.studies import agent_pid, hold_trial
from support.wandb_server.bench import Bench, ended
from support.wandb_server.state import Run
from sweeps.results import StudyFacts, TrialFacts, read_outline

METRIC = "val_macro_f1"
RANDOM = """
method: random
metric: {name: val_macro_f1, goal: maximize}
arena: {folds: 2}
parameters:
  train.learning_rate: {distribution: log_uniform_values, min: 0.0001, max: 0.001}
"""
DRAWN = "{distribution: log_uniform_values, min: 0.0001, max: 0.001}"
NAME = "lenet5.raw"
SMALL = ("model.width=0.25", "train.side_views=0")


def read_facts(bench: Bench) -> StudyFacts:
    return read_outline(bench.folder / "studies", NAME)


def check_rows(run: Run, values: dict[int, float]) -> None:
    """Check that a run at W&B has a row for each training, and the mean of all under the metric's own name in the end alone."""
    rows = [{key: value for key, value in row.items() if not key.startswith("_")} for row in run.history]
    scores = list(values.values())
    means = [fmean(scores[:n]) for n in range(1, len(scores) + 1)]
    expected = [
        {"training": number, f"training/{METRIC}": score, f"mean/{METRIC}": mean}
        for (number, score), mean in zip(values.items(), means, strict=True)
    ]
    expected[-1][METRIC] = means[-1]
    assert rows == [pytest.approx(row) for row in expected]
    assert [row["_step"] for row in run.history] == list(values)
    assert run.summary[METRIC] == pytest.approx(means[-1])
    assert {n: run.summary[f"training_{n}/{METRIC}"] for n in values} == pytest.approx(values)
    assert (run.state, run.summary["state"]) == ("finished", "finished")


def test_a_trial_on_folds_is_one_run_that_goes_on_after_a_kill(wandb_bench: Bench) -> None:
    bench, server = wandb_bench, wandb_bench.server
    (bench.folder / "s.yaml").write_text(RANDOM)
    where = ("--variant", "raw", "--tiles", bench.tiles.folder, "--device", "cpu", "--no-smoke", "--project", "folds")
    words = ("sweep", "run", "s.yaml", "--engine", "wandb", *where, "--agents", "1", "--budget", "1", *SMALL, "train.epochs=8")
    process = bench.arena(*words)

    def find_second_fold() -> TrialFacts | None:
        folder = bench.folder / "studies" / NAME / "study.json"
        trials = read_facts(bench).trials if folder.exists() else ()
        started = [trial for trial in trials if trial.epochs and RunFolder(bench.folder / "runs" / trial.runs[1]).epochs()]
        return started[0] if started else None

    victim = bench.until(lambda: hold_trial(find_second_fold, 1), "second fold")
    os.kill(agent_pid(victim), signal.SIGKILL)
    ended(process, 1)
    ended(bench.arena(*words))
    (trial,) = read_facts(bench).trials
    folders = [RunFolder(bench.folder / "runs" / digest) for digest in trial.runs]
    assert (trial.state, trial.agent == victim.agent, len(folders)) == ("finished", False, 2)
    assert [[row.epoch for row in folder.epochs()] for folder in folders] == [list(range(1, 9))] * 2
    (run,) = server.runs("folds")
    check_rows(run, trial.epochs)
    assert trial.value == pytest.approx(run.summary[METRIC])
    assert run.display_name.startswith(f"{NAME}.0 learning_rate=")
    (sweep,) = (item for item in server.memory.sweeps.values() if item.project == "folds")
    assert "arena" not in sweep.config
    assert sweep.config["command"][-7:] == ["--folds", "2", *SMALL, "train.epochs=8", "--", "${args}"]


def test_plain_wandb_agent_trains_each_fold_and_seed_and_answers_a_repeated_point(wandb_bench: Bench) -> None:
    bench = wandb_bench
    text = RANDOM.replace("arena: {folds: 2}\n", "")
    (bench.folder / "s.yaml").write_text(text.replace(DRAWN, "{values: [0.0005, 0.001]}"))  # the server draws one twice
    words = ("--tiles", bench.tiles.folder, "--budget", "2", "--folds", "2", "--seeds", "2", *SMALL, "train.epochs=1")
    ended(bench.arena("wandb", "sweep-file", "s.yaml", *words))
    ended(bench.wandb("sweep", "--project", "seeds", f"wandb-{NAME}.yaml"))
    (sweep,) = (item for item in bench.server.memory.sweeps.values() if item.project == "seeds")
    ended(bench.wandb("agent", f"tester/seeds/{sweep.name}"))
    study = read_facts(bench)
    assert ([trial.state for trial in study.trials], study.folds, study.seeds) == (["finished", "duplicate"], 2, 2)
    runs = list_runs(Path(bench.folder / "runs"))
    assert sorted(run.digest for run in runs) == sorted(study.trials[0].runs)
    assert {run.state() for run in runs} == {RunState.FINISHED}
    assert len(sweep.runs) == 2
    for run in sweep.runs:
        check_rows(run, study.trials[0].epochs)
