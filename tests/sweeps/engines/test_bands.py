"""Hyperband: W&B's bands, and who goes on at them."""

from __future__ import annotations

import json
import math
from typing import Any

import optuna
import pytest

from support.wandb_server.state import Run, Sweep, hyperband_stops
from sweeps.engines.bands import BandPruner, find_threshold
from sweeps.sweepfile.sweep import parse

SPACE = {"method": "random", "parameters": {"train.epochs": {"value": 9}}}


@pytest.mark.parametrize(
    ("early", "bands"),
    [
        ("min_iter: 3", [3, 9, 27, 81]),
        ("min_iter: 1, eta: 1.5", [1, 2, 3, 5, 7, 11, 17, 25, 38, 57, 86]),
        ("max_iter: 9, s: 2", [1, 3]),
        ("max_iter: 27, s: 2", [3, 9]),
        ("max_iter: 27, s: 9", [1, 3, 9]),
        ("max_iter: 10, s: 2, eta: 2", [2, 5]),
        ("max_iter: 20, s: 3, eta: 2.5", [1, 3, 8]),
    ],
)
def test_bands_are_those_of_wandbs_own_code(early: str, bands: list[int]) -> None:
    assert parse(write_sweep(early), "s.yaml").early_terminate.list_bands(100) == bands  # type: ignore[union-attr]


def write_sweep(early: str) -> str:
    top = "method: random\nmetric: {name: val_accuracy, goal: maximize}\n"
    return f"{top}early_terminate: {{type: hyperband, {early}}}\nparameters:\n  train.epochs: {{value: 99}}\n"


@pytest.mark.parametrize(
    ("early", "stopped"),
    [
        ({"max_iter": 5, "eta": 2, "s": 2}, ["b"]),
        ({"max_iter": 5, "eta": 2, "s": 2, "strict": False}, ["b"]),
        ({"min_iter": 2}, ["b", "c"]),
        ({"min_iter": 2, "strict": False}, ["b"]),
        ({"min_iter": 3}, ["c"]),  # an infinite loss is no point: the third of e is 6
    ],
)
def test_the_loopback_server_stops_the_runs_that_wandbs_published_code_stops(early: dict[str, Any], stopped: list[str]) -> None:
    """The answers are those of `hyperband_stop_runs` in the package `sweeps` 0.3.0."""
    curves = {"a": [10, 9], "b": [10, 10], "c": [5, 8, 8], "d": [10, 7, 7], "e": [10, 6, math.inf, 6]}
    metric = {"name": "loss", "goal": "minimize"}
    sweep = Sweep("tester", "p", "s", {"metric": metric, "early_terminate": {"type": "hyperband", **early}, **SPACE})
    for name, losses in curves.items():
        run = Run("tester", "p", name, state="finished" if name in "ae" else "running")
        run.lines["wandb-history.jsonl"] = {i: json.dumps({"loss": loss}) for i, loss in enumerate(losses)}
        sweep.runs.append(run)
    assert hyperband_stops(sweep) == stopped


def test_the_best_share_and_one_more_go_on() -> None:
    losses = [0.5, 0.2, 0.4, 0.1, 0.3, 0.6]
    assert [find_threshold(losses[:n], 3) for n in (1, 2, 3, 4, 5, 6)] == [0.5, 0.2, 0.4, 0.2, 0.2, 0.3]


@pytest.mark.parametrize(
    ("early", "ended"),
    [
        ("min_iter: 2, eta: 3", [2, 3]),  # 0.9 at the second epoch is the threshold, 0.8 the next
        ("min_iter: 2, eta: 3, strict: false", [3]),  # the third trial had 0.95 before
        ("max_iter: 6, s: 1, eta: 3", [2, 3]),
        ("min_iter: 4, eta: 3", []),
    ],
)
def test_a_trial_is_judged_by_its_value_at_the_band_unless_strict_is_false(early: str, ended: list[int]) -> None:
    rule = parse(write_sweep(early), "s.yaml").early_terminate
    assert rule is not None
    study = optuna.create_study(direction="maximize")
    for curve in ([0.1, 0.92], [0.2, 0.9, 0.1], [0.95, 0.8], [0.3, 0.2, 0.25], [0.99]):
        state, values = optuna.trial.TrialState.RUNNING, dict(enumerate(curve, 1))
        study.add_trial(optuna.trial.create_trial(state=state, intermediate_values=values))
    assert [trial.number for trial in study.get_trials() if BandPruner(rule).prune(study, trial)] == ended
