"""A study in W&B's terms, and W&B's own commands on it: `wandb sweep`, `wandb agent`, `wandb sweep-scheduler`'s loading."""

from __future__ import annotations

import importlib.metadata
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml

from cnn.runs.folder import RunState, list_runs
from support.studies import make_study, open_engine
from support.wandb_server.bench import Bench, ended
from sweeps.engines.bands import BandPruner
from sweeps.engines.protocol import Claim, Idle
from sweeps.errors import StudyError
from sweeps.results import read_outline
from sweeps.study.folder import StudySpec
from sweeps.sweepfile.sweep import parse
from sweeps.training import configuration
from sweeps.training.trial import TrialResult, TrialState
from sweeps.wandb_sweeps import link as wandb_link
from sweeps.wandb_sweeps.command import split_arguments
from sweeps.wandb_sweeps.config import check_supported, make_sweep_config
from sweeps.wandb_sweeps.engine import Room, WandbEngine
from sweeps.wandb_sweeps.files import write_scheduled_sweep

ALL = """
method: bayes
metric: {name: val_loss, goal: minimize}
early_terminate: {type: hyperband, max_iter: 27, s: 2}
parameters:
  model.name: {value: lenet5}
  model.depth: {min: 2, max: 4}
  train.batch_size: {distribution: q_log_uniform_values, min: 16, max: 128, q: 16}
  train.learning_rate: {distribution: log_uniform_values, min: 0.001, max: 0.1}
  train.label_smoothing: {distribution: q_uniform, min: 0.0, max: 0.2, q: 0.05}
  train.weight_decay: {distribution: uniform, min: 0.0, max: 0.1}
  train.optimizer: {values: [adamw, sgd]}
"""


def make_spec(tmp_path: Path, text: str = ALL) -> StudySpec:
    return replace(make_study(tmp_path, text, budget=9).read_spec(), engine="wandb")


def test_every_distribution_is_named_and_nothing_is_lost(tmp_path: Path) -> None:
    config = make_sweep_config(make_spec(tmp_path), ["${env}", "arena"])
    assert config == {
        "name": "lenet5.raw",
        "method": "bayes",
        "metric": {"name": "val_loss", "goal": "minimize"},
        "parameters": {
            "model.name": {"value": "lenet5"},
            "model.depth": {"distribution": "int_uniform", "min": 2, "max": 4},
            "train.batch_size": {"distribution": "q_log_uniform_values", "min": 16, "max": 128, "q": 16},
            "train.learning_rate": {"distribution": "log_uniform_values", "min": 0.001, "max": 0.1},
            "train.label_smoothing": {"distribution": "q_uniform", "min": 0.0, "max": 0.2, "q": 0.05},
            "train.weight_decay": {"distribution": "uniform", "min": 0.0, "max": 0.1},
            "train.optimizer": {"distribution": "categorical", "values": ["adamw", "sgd"]},
        },
        "program": "arena",
        "command": ["${env}", "arena"],
        "early_terminate": {"type": "hyperband", "max_iter": 27, "s": 2, "eta": 3, "strict": True},
    }
    again = yaml.safe_dump({key: config[key] for key in ("method", "metric", "parameters", "early_terminate")}, sort_keys=False)
    assert parse(again, "w.yaml") == make_spec(tmp_path).sweep  # W&B's copy means the same search


def test_stacks_are_values_as_they_are_spelled(tmp_path: Path) -> None:
    stacks = ["[(conv-relu)*2-pool]*3-fc", "(conv7-relu-pool)*3-fc"]
    text = "method: random\nparameters:\n  model.name: {value: stack}\n  model.stack: {values: " + str(stacks) + "}\n"
    config = make_sweep_config(make_spec(tmp_path, text), ["${env}", "arena"])
    assert config["parameters"]["model.stack"] == {"distribution": "categorical", "values": stacks}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("method: bayes", "method: tpe", "method tpe is Optuna's, W&B has random, grid, bayes"),
        ("{type: hyperband, max_iter: 27, s: 2}", "{type: median}", "W&B stops by hyperband alone"),
    ],
)
def test_what_w_and_b_cannot_do_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        check_supported(make_spec(tmp_path, ALL.replace(old, new)))


def wandb_engine(studies: Path) -> WandbEngine:
    optuna_engine = open_engine(studies)
    return WandbEngine(
        optuna_engine._folder, "tester", lambda values: configuration.make_point(optuna_engine.spec.bases, values), print
    )


POINT = {
    "model.name": "lenet5",
    "model.depth": 2.0,
    "train.batch_size": "48",
    "train.learning_rate": "0.012345678901234567",
    "train.label_smoothing": 0.1,
    "train.weight_decay": 0,
    "train.optimizer": "sgd",
}


def test_points_from_w_and_b_are_claimed_once_answered_and_gone_on_with(tmp_path: Path) -> None:
    make_study(tmp_path, ALL, budget=2)
    engine = wandb_engine(tmp_path)
    claim = engine.adopt(POINT, "w")
    assert isinstance(claim, Claim)
    assert claim.params == {
        **POINT,
        "model.depth": 2,
        "train.batch_size": 48,
        "train.learning_rate": 0.012345678901234567,
        "train.weight_decay": 0.0,
    }
    engine.release(claim)
    again = engine.adopt(POINT, "w")  # W&B hands a preempted run out again
    assert again == claim
    engine.finish(claim, TrialResult(state=TrialState.FINISHED, epochs={1: 0.5}, seconds=1.0))
    assert engine.adopt(POINT, "w") == claim.run
    assert [trial.state for trial in read_outline(tmp_path, "lenet5.raw").trials] == ["finished", "duplicate"]


def test_points_from_w_and_b_are_claimed_within_the_budget_alone_unless_another_folder_counts_it(tmp_path: Path) -> None:
    folder = make_study(tmp_path, ALL, budget=1)
    engine, other = wandb_engine(tmp_path), {**POINT, "model.depth": 3}
    assert engine.find_room() is Room.NEW
    claim = engine.adopt(POINT, "w")
    assert isinstance(claim, Claim)
    assert (engine.find_room(), engine.adopt(other, "w")) == (Room.LATER, Idle.WAIT)
    engine.release(claim)
    assert (engine.find_room(), engine.claim()) == (Room.OLD, claim)
    engine.finish(claim, TrialResult(state=TrialState.FINISHED, epochs={1: 0.5}, seconds=1.0))
    assert (engine.find_room(), engine.adopt(other, "w")) == (Room.NONE, Idle.DONE)
    follower = WandbEngine(folder, "follower", engine._identify, print, follows=True)
    assert isinstance(follower.adopt(other, "w"), Claim)
    assert folder.read_spec().budget == 2


@pytest.mark.parametrize(
    ("key", "value"),
    [("train.learning_rate", 0.2), ("train.optimizer", "adam"), ("model.depth", "deep"), ("train.batch_size", 512)],
)
def test_a_point_outside_of_the_sweep_file_is_refused_by_name(tmp_path: Path, key: str, value: object) -> None:
    make_study(tmp_path, ALL)
    with pytest.raises(StudyError, match=f"W&B chose {key} {value!r}, which lies outside of the sweep file's space"):
        wandb_engine(tmp_path).adopt({**POINT, key: value}, "w")
    assert read_outline(tmp_path, "lenet5.raw").trials == ()


def test_arguments_of_w_and_b_and_settings_of_all_trials_are_told_apart() -> None:
    words = ["train.epochs=3", "--train.learning_rate=0.01", "--train.optimizer=sgd"]
    assert split_arguments(words) == (("train.epochs=3",), {"train.learning_rate": "0.01", "train.optimizer": "sgd"})
    with pytest.raises(StudyError, match=r"^`wandb agent` passes --key=value and settings are key=value, unlike '--fast'"):
        split_arguments(["--fast"])


def test_the_schedulers_own_loader_takes_the_written_source(tmp_path: Path) -> None:
    from wandb.sdk.sweeps.scheduler.client import load_optimizer_config, load_source_object

    text = f"project: digits\nentity: team{ALL}"
    written = write_scheduled_sweep(make_spec(tmp_path, text), tmp_path / "studies", tmp_path / "my-sweep.yaml")
    assert written.commands == (
        f"wandb sweep --entity team --project digits {written.files[0]}",
        "wandb sweep-scheduler team/digits/SWEEP",
        "wandb agent team/digits/SWEEP",
    )
    config = yaml.safe_load(written.files[0].read_text())
    assert (config["method"], "early_terminate" in config) == ("custom", False)
    scheduler: Any = config["scheduler"]
    source = str(tmp_path / scheduler["source"])
    study, terminator = load_optimizer_config(source, scheduler["optimizer"], optuna.Study, object())  # type: ignore[arg-type]
    assert (study.direction.name, terminator) == ("MINIMIZE", None)
    assert isinstance(study.pruner, BandPruner)
    point = load_source_object(source, scheduler["search_space"])(study.ask())
    assert sorted(point) == sorted(POINT)
    assert point["train.batch_size"] in range(16, 129, 16)


def test_the_package_of_the_same_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    wandb_link.refuse_namesake()
    distribution = importlib.metadata.distribution
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: object() if name == "sweeps" else distribution(name))
    with pytest.raises(StudyError, match=r"^the package `sweeps` \(of wandb\[sweeps\]\) is installed over Arena's own"):
        wandb_link.refuse_namesake()


def test_plain_wandb_agent_trains_on_a_machine_that_has_tiles_alone(wandb_bench: Bench) -> None:
    bench = wandb_bench
    (bench.folder / "s.yaml").write_text(ALL.replace("bayes", "random"))
    ended(bench.arena("wandb", "sweep-file", "s.yaml", "--tiles", bench.tiles.folder, "--budget", "1", "train.epochs=2"))
    ended(bench.wandb("sweep", "--project", "plain", "wandb-lenet5.raw.yaml"))
    (sweep,) = (item for item in bench.server.memory.sweeps.values() if item.project == "plain")
    ended(bench.wandb("agent", f"tester/plain/{sweep.name}"))
    study = read_outline(bench.folder / "studies", "lenet5.raw")
    assert ([trial.state for trial in study.trials], study.budget) == (["finished"], 1)
    assert sorted(folder.digest for folder in list_runs(bench.folder / "runs")) == sorted(trial.run for trial in study.trials)
    assert all(folder.state() is RunState.FINISHED for folder in list_runs(bench.folder / "runs"))
    assert [(run.state, len(run.history), run.sweep) for run in bench.server.runs("plain")] == [("finished", 2, sweep.name)]


def test_the_trial_command_alone_says_who_starts_it(wandb_bench: Bench) -> None:
    _, err = ended(wandb_bench.arena("wandb", "trial", "lenet5.raw", "--train.learning_rate=0.01"), 1)
    assert err == "error: `arena wandb trial` is what `wandb agent ENTITY/PROJECT/SWEEP` starts; start that\n"
