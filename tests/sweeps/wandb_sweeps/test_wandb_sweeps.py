"""`arena sweep run --engine wandb`: the real client's sweeps and function agents against the loopback server, with faults."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from cnn.runs.folder import RunFolder, RunState
from cnn.runs.marks import TrialMark, read_trial_mark
from cnn.runs.wandb_record import read_copy
from support.studies import agent_pid, hold_trial
from support.wandb_server.bench import Bench, ended
from support.wandb_server.http import DROP, Fault
from support.wandb_server.state import Run, Sweep
from sweeps.results import StudyFacts, TrialFacts, read_outline

GRID = """
method: grid
metric: {name: val_macro_f1, goal: maximize}
parameters:
  train.learning_rate: {values: [0.001, 0.003]}
  train.batch_size: {values: [32, 64]}
"""
HYPERBAND = """
method: random
metric: {name: val_macro_f1, goal: maximize}
early_terminate: {type: hyperband, min_iter: 2, eta: 2}
parameters:
  train.learning_rate: {distribution: log_uniform_values, min: 0.0001, max: 0.001}
"""
NAME = "lenet5.raw"


def sweep(bench: Bench, text: str, project: str, *words: str) -> Any:
    (bench.folder / "s.yaml").write_text(text)
    where = ("--variant", "raw", "--tiles", bench.tiles.folder, "--device", "cpu", "--no-smoke", "--project", project)
    small = ("model.width=0.25", "train.side_views=0")
    return bench.arena("sweep", "run", "s.yaml", "--engine", "wandb", *where, *small, *words)


def facts(bench: Bench) -> StudyFacts:
    return read_outline(bench.folder / "studies", NAME)


def only_sweep(bench: Bench, project: str) -> Sweep | None:
    return next(iter(sweeps_at(bench, project)), None)


def sweeps_at(bench: Bench, project: str) -> list[Sweep]:
    return [sweep for sweep in bench.server.memory.sweeps.values() if sweep.project == project]


def epochs_at(run: Run) -> list[int]:
    return [row["epoch"] for row in run.history if "epoch" in row]


def running(bench: Bench, n_epochs: int) -> TrialFacts | None:
    if not (bench.folder / "studies" / NAME / "study.json").exists():
        return None
    trials = [trial for trial in facts(bench).trials if trial.state == "running" and len(trial.epochs) >= n_epochs]
    return trials[0] if trials else None


def stopped(bench: Bench) -> TrialFacts:
    """A trial after two epochs, its agent stopped in the middle of it."""

    def early() -> TrialFacts | None:
        trial = running(bench, 0)
        return trial if trial and len(trial.epochs) <= 9 else None

    stopped_trial: TrialFacts = bench.until(lambda: hold_trial(early, 2), "running trial")
    return stopped_trial


def test_two_agents_reach_the_budget_through_faults_a_killed_agent_and_a_restarted_server(wandb_bench: Bench) -> None:
    bench, server = wandb_bench, wandb_bench.server
    server.faults += [
        Fault("upsertSweep", 500, 1),
        Fault("upsertBucket", 500, 1),
        Fault("upsertBucket", 409, 1),
        Fault("agentHeartbeat", DROP, 1),
        Fault("agentHeartbeat", 500, 1),
        Fault("file_stream", 429, 1),
        Fault("file_stream", DROP, 1),
        Fault("createArtifact", 500, 1),
    ]
    process = sweep(bench, GRID, "faults", "--agents", "2", "train.epochs=12")
    victim = stopped(bench)
    os.kill(agent_pid(victim), signal.SIGKILL)
    server.stop()
    server.start()
    out, err = ended(process)
    wandb_sweep = only_sweep(bench, "faults")
    assert wandb_sweep is not None
    assert f"study {NAME} at W&B: {server.url}/tester/faults/sweeps/{wandb_sweep.name}" in err
    assert sum(fault.times for fault in server.faults) == 0
    study = facts(bench)
    assert [trial.state for trial in study.trials] == ["finished"] * 4
    assert len({tuple(trial.params.values()) for trial in study.trials}) == 4
    assert study.trials[victim.number].agent != victim.agent
    runs = {run.name: run for run in server.runs("faults")}
    assert sorted(run.state for run in runs.values()) == ["finished"] * 4
    for trial in study.trials:
        folder = RunFolder(bench.folder / "runs" / trial.run)
        assert read_trial_mark(folder) == TrialMark(study=NAME, number=trial.number)
        copy = read_copy(folder)
        assert copy is not None
        run = runs[copy.id]
        assert (copy.sent, copy.group, run.sweep) == (True, NAME, wandb_sweep.name)
        assert epochs_at(run) == list(range(1, 13))
        assert run.values("val_macro_f1") == [row.val_macro_f1 for row in folder.epochs()]
        assert run.config["train.learning_rate"]["value"] == trial.params["train.learning_rate"]
        assert "kept/val_macro_f1" in run.summary
        assert not [key for key in run.summary if "test" in key]  # no test score of a trial
    assert f"{study.best.value:.4f}" in out if study.best else False
    again, _ = ended(sweep(bench, GRID, "faults", "--agents", "1", "train.epochs=12"))
    assert len(server.runs("faults")) == 4
    assert again.splitlines()[3:] == out.splitlines()[3:]


RANDOM = HYPERBAND.replace("early_terminate: {type: hyperband, min_iter: 2, eta: 2}\n", "")


def test_a_larger_budget_goes_on_in_the_same_sweep_and_in_a_new_one_where_an_older_arena_sent_a_cap(wandb_bench: Bench) -> None:
    bench, server = wandb_bench, wandb_bench.server
    for budget in ("1", "2"):
        ended(sweep(bench, RANDOM, "larger", "--agents", "1", "--budget", budget, "train.epochs=1"))
    (first,) = sweeps_at(bench, "larger")
    assert ("run_cap" in first.config, first.state, len(first.runs)) == (False, "FINISHED", 2)
    first.config["run_cap"] = 2
    _, err = ended(sweep(bench, RANDOM, "larger", "--agents", "2", "--budget", "4", "train.epochs=1"))
    _, second = sweeps_at(bench, "larger")
    note = f"(its sweep {first.name} is capped at 2 runs; this one takes over its 2 ended runs)"
    assert f"study {NAME} at W&B: {server.url}/tester/larger/sweeps/{second.name} {note}\n" in err
    assert (second.prior_runs, "run_cap" in second.config, second.state) == (first.runs, False, "FINISHED")
    states = [trial.state for trial in facts(bench).trials]  # the new sweep draws the points of the first one again
    assert (states.count("finished"), states.count("duplicate"), len(second.runs)) == (4, 2, 4)
    assert {run.state for run in server.runs("larger")} == {"finished"}
    del server.memory.sweeps[second.name]
    _, err = ended(sweep(bench, RANDOM, "larger", "--agents", "1", "--budget", "5", "train.epochs=1"))
    assert f"(its sweep {second.name} is not at W&B any more; this one takes over its 0 ended runs)" in err
    assert facts(bench).n_completed == 5


def test_hyperband_at_w_and_b_prunes_between_epochs(wandb_bench: Bench) -> None:
    bench, server = wandb_bench, wandb_bench.server
    process = sweep(bench, HYPERBAND, "hyperband", "--agents", "1", "--budget", "1", "train.epochs=10000")
    wandb_sweep = bench.until(lambda: only_sweep(bench, "hyperband"), "sweep")
    bench.server.add_strong_runs(wandb_sweep)
    ended(process)
    study = facts(bench)
    assert [trial.state for trial in study.trials] == ["pruned"]
    for trial in study.trials:
        folder = RunFolder(bench.folder / "runs" / trial.run)
        assert folder.state() is RunState.PRUNED
        assert 2 <= len(trial.epochs) < 10_000
    runs = [run for run in server.runs("hyperband") if not run.name.startswith("strong")]
    assert [(run.state, run.tags[-1]) for run in runs] == [("killed", "pruned")]
    assert all(run.summary["state"] == "pruned" for run in runs)


def test_ctrl_c_pauses_and_the_same_command_goes_on_in_the_same_run_at_w_and_b(wandb_bench: Bench) -> None:
    bench, server = wandb_bench, wandb_bench.server
    words = ("--agents", "1", "--budget", "1", "train.epochs=150")  # some seconds, of which the signal needs a fraction
    process = sweep(bench, HYPERBAND, "paused", *words)
    bench.until(lambda: running(bench, 2), "running trial")
    process.send_signal(signal.SIGINT)
    _, err = ended(process, 130)
    assert "stopping: every agent ends after its epoch; once more ends them at once" in err
    (paused,) = facts(bench).trials
    (run,) = server.runs("paused")
    assert (paused.state, run.state) == ("interrupted", "preempted")
    ended(sweep(bench, HYPERBAND, "paused", *words))
    (trial,) = facts(bench).trials
    assert (trial.number, trial.run, trial.state) == (paused.number, paused.run, "finished")
    assert [run.state for run in server.runs("paused")] == ["finished"]
    assert epochs_at(run) == list(range(1, 151))


@pytest.mark.parametrize(
    ("words", "environment", "message"),
    [
        (("--project", "a/b"), {}, "the sweep is not made: W&B says 'invalid project name: cannot contain characters"),
        (("--entity", "nobody"), {}, "the sweep is not made: W&B says \"permission denied: no entity 'nobody'\""),
        ((), {"WANDB_API_KEY": ""}, "--engine wandb needs a W&B account: run `wandb login`, or set WANDB_API_KEY"),
    ],
)
def test_what_w_and_b_refuses_is_one_line(
    wandb_bench: Bench, words: tuple[str, ...], environment: dict[str, str], message: str
) -> None:
    (wandb_bench.folder / "s.yaml").write_text(GRID)
    where = ("--variant", "raw", "--tiles", wandb_bench.tiles.folder, "--engine", "wandb")
    _, err = ended(wandb_bench.arena("sweep", "run", "s.yaml", *where, *words, **environment), 1)
    (line,) = err.splitlines()
    assert line.startswith(f"error: {message}")
    assert not Path(wandb_bench.folder / "runs").exists() or not list((wandb_bench.folder / "runs").iterdir())
