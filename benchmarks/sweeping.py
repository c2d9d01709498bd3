"""Benchmarks of sweeps: bookkeeping against Optuna on SQLite, two agents against one, first trial, status of a long study."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path

import optuna

from benchmarks.arms import Comparison, UnequalError
from cnn.config import TilesInfo, config_to_json, default_config
from cnn.settings.tiles import TileSettings
from sweeps.engines.counts import JournalCounter
from sweeps.engines.optuna_engine import OptunaEngine
from sweeps.engines.protocol import Claim
from sweeps.results import read_outline
from sweeps.study.folder import StudyFolder, StudySpec, create_or_continue
from sweeps.sweepfile.sweep import parse
from sweeps.training import configuration
from sweeps.training.trial import TrialResult, TrialState

ARENA = Path(__file__).parents[1] / "arena" / "__main__.py"
SWEEP = """
method: random
metric: {name: val_macro_f1, goal: maximize}
early_terminate: {type: median, min_iter: 5, startup_trials: 64}
parameters:
  train.learning_rate: {distribution: log_uniform_values, min: 0.0001, max: 0.1}
  train.batch_size: {values: [32, 64, 128, 256]}
"""
TRAINED = """
method: random
parameters:
  train.learning_rate: {distribution: log_uniform_values, min: 0.001, max: 0.01}
"""


def make_study(folder: Path, budget: int) -> StudyFolder:
    base = config_to_json(default_config(TilesInfo(corpus="none", settings=TileSettings(size=32)), "lenet5", "raw"))
    spec = StudySpec(
        name="bench",
        sweep=parse(SWEEP, "bench.yaml"),
        base=base,
        overrides=(),
        tiles=folder,
        runs=folder,
        budget=budget,
        seed=0,
    )
    return create_or_continue(folder, spec)[0]


def fake_value(number: int, epoch: int) -> float:
    return 0.5 + 0.001 * number + 0.01 * epoch


def run_arena_study(folder: Path, n_trials: int, n_reports: int) -> float:
    """Claim, report and finish trials without training; return the best value."""
    study = make_study(folder, n_trials)
    engine = OptunaEngine(study, "bench", partial(configuration.make_point, study.read_spec().bases), print)
    while isinstance(claim := engine.claim(), Claim):
        epochs = {epoch: fake_value(claim.number, epoch) for epoch in range(1, n_reports + 1)}
        for epoch, value in epochs.items():
            engine.report(claim, epoch, value)
        engine.finish(claim, TrialResult(state=TrialState.FINISHED, epochs=epochs))
    best = read_outline(folder, "bench").best
    assert best is not None
    return best.value or 0.0


def run_sqlite_study(folder: Path, n_trials: int, n_reports: int) -> float:
    """Do the same as in Optuna's tutorial on storages: SQLite, `optimize`, `report` and `should_prune` each epoch."""
    study = optuna.create_study(
        storage=f"sqlite:///{folder}/bench.db",
        direction="maximize",
        sampler=optuna.samplers.RandomSampler(seed=0),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=64, n_warmup_steps=5),
    )

    def objective(trial: optuna.Trial) -> float:
        trial.suggest_float("train.learning_rate", 0.0001, 0.1, log=True)
        trial.suggest_categorical("train.batch_size", [32, 64, 128, 256])
        for epoch in range(1, n_reports + 1):
            trial.report(fake_value(trial.number, epoch), epoch)
            if trial.should_prune():
                raise optuna.TrialPruned
        return fake_value(trial.number, n_reports)

    study.optimize(objective, n_trials=n_trials)
    return float(study.best_value)


def bookkeeping(scratch: Path, n_trials: int, n_reports: int) -> Comparison:
    fresh = (scratch / f"bookkeeping-{n}" for n in count())

    def rate(arm: Callable[[Path, int, int], float]) -> float:
        folder = next(fresh)
        folder.mkdir()
        started = time.perf_counter()
        arm(folder, n_trials, n_reports)
        return n_trials / (time.perf_counter() - started)

    def check() -> str:
        bests = []
        for arm in (run_arena_study, run_sqlite_study):
            folder = next(fresh)
            folder.mkdir()
            bests.append(arm(folder, 6, n_reports))
        if bests[0] != bests[1]:
            raise UnequalError(f"the best of the same trials is {bests[0]} and {bests[1]}")
        return f"both name {bests[0]:.3f} as the best of six trials"

    return Comparison(
        name=f"bookkeeping of {n_trials} trials x {n_reports} reports",
        against="study.optimize of Optuna on SQLite",
        unit="trials",
        floor=10.0,
        ours=lambda: rate(run_arena_study),
        theirs=lambda: rate(run_sqlite_study),
        check=check,
    )


def sweep(folder: Path, tiles: Path, n_agents: int, budget: int, n_epochs: int) -> float:
    """Run `arena sweep run` on `tiles`; return its start by the wall clock."""
    folder.mkdir()
    (folder / "s.yaml").write_text(TRAINED)
    began = time.time()
    words = ["sweep", "run", "s.yaml", "--variant", "raw", "--name", "bench", "--tiles", str(tiles), "--device", "cpu"]
    words += ["--agents", str(n_agents), "--budget", str(budget), f"train.epochs={n_epochs}", "model.width=1"]
    subprocess.run([sys.executable, str(ARENA), *words], cwd=folder, check=True, capture_output=True)
    return began


def find_span_s(folder: Path) -> tuple[float, float]:
    """Return the start of the first trial and the end of the last, by the wall clock."""
    logs = [json.loads(line) for line in (folder / "studies/bench/journal.log").read_text().splitlines()]
    begun = [log["datetime_start"] for log in logs if log.get("datetime_start")]
    ended = [log["datetime_complete"] for log in logs if log.get("datetime_complete")]
    first, last = (datetime.fromisoformat(text).timestamp() for text in (min(begun), max(ended)))
    return first, last


def two_agents(scratch: Path, tiles: Path, budget: int, n_epochs: int) -> Comparison:
    fresh = (scratch / f"agents-{n}" for n in count())

    def rate(n_agents: int) -> float:
        folder = next(fresh)
        sweep(folder, tiles, n_agents, budget, n_epochs)
        first, last = find_span_s(folder)
        return budget / (last - first)

    def check() -> str:
        values = []
        for n_agents in (2, 1):
            folder = next(fresh)
            sweep(folder, tiles, n_agents, 2, 1)
            trials = read_outline(folder / "studies", "bench").trials
            values.append({(trial.run, trial.value) for trial in trials})
        if values[0] != values[1]:
            raise UnequalError("two agents and one trained different trials")
        return "two agents and one train the same trials to the same values, of the first two"

    return Comparison(
        name=f"two agents, {budget} trials of {n_epochs} epochs",
        against="one agent",
        unit="trials",
        floor=1.8,
        ours=lambda: rate(2),
        theirs=lambda: rate(1),
        check=check,
    )


def first_trial(scratch: Path, tiles: Path) -> Comparison:
    fresh = (scratch / f"first-{n}" for n in count())

    def ours() -> float:
        folder = next(fresh)
        began = sweep(folder, tiles, 2, 2, 1)
        return 1 / (find_span_s(folder)[0] - began)

    return Comparison(
        name="first trial begins after the command, smoke trial included",
        against="2 s",
        unit="starts",
        floor=1.0,
        ours=ours,
        theirs=lambda: 1 / 2,
        check=lambda: "a limit, not another program",
    )


def write_long_study(folder: Path, n_trials: int) -> StudyFolder:
    """Write a study as agents leave it: a journal of `n_trials` finished trials of three epochs, and its counts."""
    study = make_study(folder, n_trials)
    held = {"agent": "a-1", "host": "a", "space": "s", "pid": 1, "started": "1", "renewed_at": "2026-11-01T00:00:00+00:00"}
    start = {"worker_id": "w", "datetime_start": "2026-11-01T00:00:00+00:00"}
    end = {"worker_id": "w", "op_code": 6, "state": 1, "datetime_complete": "2026-11-01T00:00:00+00:00"}
    counter = JournalCounter(study, study.read_spec())
    with study.journal.open("w") as file:
        file.write(json.dumps({"op_code": 0, "worker_id": "w", "study_name": "bench", "directions": [2]}) + "\n")
        for number in range(n_trials):
            common = {"worker_id": "w", "trial_id": number}
            attributes = ({"params": {"train.batch_size": 32}}, {"run": f"{number:016x}"}, {"lease": held})
            logs = [
                {**start, "op_code": 4, "study_id": 0},
                *({**common, "op_code": 8, "user_attr": a} for a in attributes),
            ]
            values = [fake_value(number % 97, epoch) for epoch in (1, 2, 3)]
            logs += [{**common, "op_code": 7, "step": n, "intermediate_value": value} for n, value in enumerate(values, 1)]
            logs.append({**end, "trial_id": number, "values": [values[-1]]})
            file.writelines(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
            if number % 1000 == 0:
                file.flush()
                counter.save()
    counter.save()
    return study


def long_status(scratch: Path, n_trials: int) -> Comparison:
    studies: list[StudyFolder] = []

    def read_status() -> str:
        if not studies:
            studies.append(write_long_study(scratch / "long", n_trials))
        words = ["sweep", "status", "bench", "--studies", str(scratch / "long"), "--json"]
        done = subprocess.run([sys.executable, str(ARENA), *words], check=True, capture_output=True, text=True)
        return done.stdout

    def ours() -> float:
        started = time.perf_counter()
        read_status()
        return 1 / (time.perf_counter() - started)

    def check() -> str:
        (study,) = json.loads(read_status())
        if (study["finished"], study["best"]["trial"]) != (n_trials, 96 if n_trials > 96 else n_trials - 1):
            raise UnequalError(f"status says {study['finished']} finished trials and {study['best']} the best")
        return f"{n_trials:,} trials are counted and the best of them is named"

    return Comparison(
        name=f"status of a study of {n_trials:,} trials",
        against="1 s",
        unit="looks",
        floor=1.0,
        ours=ours,
        theirs=lambda: 1.0,
        check=check,
    )


def comparisons(scratch: Path, tiles: Path, size: tuple[int, int, int]) -> list[Comparison]:
    """Return all comparisons; `size` holds trials stored, trials trained, and trials of the long study."""
    n_stored, n_trained, n_long = size
    return [
        bookkeeping(scratch, n_stored, 20),
        two_agents(scratch, tiles, n_trained, 4),
        first_trial(scratch, tiles),
        long_status(scratch, n_long),
    ]
