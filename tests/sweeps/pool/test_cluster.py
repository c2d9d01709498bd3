"""Agents placed by submitit, and on machines that share a database or a folder: really started, on real trainings."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cnn.runs.folder import RunFolder, RunState
from cnn.tiles.tile_set import TileSet
from support.own_nets import format_net, write_net
from support.paths import ARENA
from support.warm_python import WarmPython
from sweeps.pool.agent_job import AgentExit, AgentJob
from sweeps.pool.cluster import AgentEnd, parse_place
from sweeps.pool.slurm_jobs import SlurmJobs
from sweeps.pool.slurm_states import JobStates
from sweeps.results import StudyFacts, read_outline

pytestmark = pytest.mark.timeout(600)  # many processes that each load torch
NAME = "lenet5.raw"
NET_LAYER = "self.last = nn.Linear(32 * 32, 10)"
SWEEP = """
method: random
metric: {name: val_macro_f1, goal: maximize}
parameters:
  train.learning_rate: {distribution: log_uniform_values, min: 0.001, max: 0.01}
"""


def arena(warm: WarmPython, folder: Path, *words: str, sweep: str = SWEEP) -> subprocess.CompletedProcess[str]:
    (folder / "s.yaml").write_text(sweep)
    return warm.run(ARENA, "sweep", *words, cwd=folder)


def run_words(tiles: TileSet, budget: int, *more: str) -> list[str]:
    where = ["--variant", "raw", "--tiles", str(tiles.folder), "--device", "cpu", "--wandb", "off"]
    return ["run", "s.yaml", *where, "--budget", str(budget), *more]


def check_all_trained(studies: Path, runs: Path, budget: int) -> StudyFacts:
    facts = read_outline(studies, NAME)
    assert [trial.state for trial in facts.trials] == ["finished"] * budget
    assert all(RunFolder(runs / trial.run).state() is RunState.FINISHED for trial in facts.trials)
    return facts


def test_submitit_places_two_agents_that_reach_the_budget_exactly(
    tmp_path: Path, tiles: TileSet, warm_python: WarmPython
) -> None:
    words = run_words(tiles, 3, "--on", "slurm", "--place", "cluster=local", "--agents", "2", "train.epochs=2")
    done = arena(warm_python, tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert "2 jobs are handed over (" in done.stderr
    facts = check_all_trained(tmp_path / "studies", tmp_path / "runs", 3)
    assert len({trial.agent for trial in facts.trials}) == 2


def test_a_job_whose_agent_is_ended_from_outside_goes_on(
    tmp_path: Path, tiles: TileSet, warm_python: WarmPython, monkeypatch: pytest.MonkeyPatch
) -> None:
    studies = tmp_path / "studies"
    assert (
        arena(warm_python, tmp_path, *run_words(tiles, 1, "--on", "slurm", "--agents", "1", "train.epochs=40")).returncode == 1
    )
    words = ["sweep", "agent", NAME, "--studies", str(studies), "--device", "cpu", "--wandb", "off"]
    for key, value in warm_python.environment.items():
        monkeypatch.setenv(key, value)
    jobs = SlurmJobs(tmp_path / "jobs", [words], {"cluster": "local"}, NAME)
    try:
        facts = until(studies, lambda facts: bool(facts.trials) and len(facts.trials[0].epochs) >= 2)
        first = last = facts.trials[0]
        # Slurm's notice to submitit, Slurm's SIGTERM to all processes of a job, and the kernel's for want of memory.
        for number in (signal.SIGUSR2, signal.SIGTERM, signal.SIGKILL):
            (task,) = Path(f"/proc/{jobs._jobs[0].job_id}/task/{jobs._jobs[0].job_id}/children").read_text().split()
            os.kill(int(task) if number == signal.SIGUSR2 else int(last.agent.rpartition("-")[2]), number)
            before, n_epochs = last.agent, len(last.epochs)
            last = until(
                studies,
                lambda facts, before=before, n=n_epochs: (
                    facts.trials[0].agent not in ("", before) and len(facts.trials[0].epochs) > n
                ),
            ).trials[0]
            assert last.state == "running"
        deadline = time.monotonic() + 250
        while (ends := jobs.read_ends()) == [None] and time.monotonic() < deadline:
            time.sleep(0.1)
        assert ends == [AgentEnd(name=f"job {jobs._jobs[0].job_id}")]
    finally:
        jobs.interrupt()
    facts = check_all_trained(studies, tmp_path / "runs", 1)
    assert (facts.trials[0].number, facts.trials[0].run) == (first.number, first.run)
    assert sorted(facts.trials[0].epochs) == list(range(1, 41))


def test_each_agent_of_a_cluster_tries_one_batch_first_and_the_cause_of_a_failure_ends_the_sweep(
    tmp_path: Path, tiles: TileSet, warm_python: WarmPython
) -> None:
    write_net(tmp_path, format_net("assert len(x) < 100, 'too many clips'\nreturn self.last(x.flatten(1))", NET_LAYER))
    sweep = "method: grid\nparameters:\n  model.name: {value: net.py:Net}\n  train.batch_size: {values: [16, 128]}\n"
    words = run_words(tiles, 2, "--on", "slurm", "--place", "cluster=local", "--agents", "2")
    done = arena(warm_python, tmp_path, *words, sweep=sweep)
    point = "model.name=net.py:Net train.batch_size=128"
    line = f"error: study Net.raw, one batch before the first trial, {point}: AssertionError: too many clips"
    assert done.returncode == 1
    assert line in done.stderr.splitlines()  # an agent that is ended while it starts may speak after it
    assert read_outline(tmp_path / "studies", "Net.raw").trials == ()


def test_states_of_jobs_are_squeues_then_saccts_and_stay_while_the_controller_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(squeue: str, sacct: str) -> dict[str, str]:
        for name, lines in (("squeue", squeue), ("sacct", sacct)):
            (tmp_path / name).write_text(f"#!/bin/sh\n{lines}\n")
            (tmp_path / name).chmod(0o755)
        return dict(states.read())

    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    states = JobStates(["12_0", "12_1"], itertools.count(step=60).__next__)
    no_accounting = "echo Slurm accounting storage is disabled >&2; exit 1"
    assert play("echo '12_0|RUNNING'; echo '12_1|PENDING'", "exit 1") == {"12_0": "RUNNING", "12_1": "PENDING"}
    away = play("echo 'slurm_load_jobs error: Unable to contact slurm controller (connect failure)' >&2; exit 1", "exit 1")
    assert away == {"12_0": "RUNNING", "12_1": "PENDING"}
    assert play("echo '12_0|CANCELLED'", no_accounting) == {"12_0": "CANCELLED", "12_1": "FORGOTTEN"}
    unknown = "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1"
    assert play(unknown, "echo '12_1|CANCELLED by 1000'") == {"12_0": "CANCELLED", "12_1": "CANCELLED"}


def until(studies: Path, holds: Callable[[StudyFacts], bool]) -> StudyFacts:
    deadline = time.monotonic() + 250
    while time.monotonic() < deadline:
        if holds(facts := read_outline(studies, NAME)):
            return facts
        time.sleep(0.05)
    raise AssertionError("nothing came of it in four minutes")


def test_two_machines_with_folders_of_their_own_reach_one_budget(
    tmp_path: Path, tiles: TileSet, postgres_url: str, warm_python: WarmPython
) -> None:
    first_machine, second_machine = tmp_path / "here", tmp_path / "there"
    first_machine.mkdir()
    second_machine.mkdir()
    words = run_words(tiles, 3, "--agents", "1", "--no-smoke", "--storage", postgres_url, "train.epochs=2")
    (first_machine / "s.yaml").write_text(SWEEP)
    first = warm_python.start(ARENA, "sweep", *words, cwd=first_machine, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 250
        while not (first_machine / "studies" / NAME / "study.json").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        join = ["agent", NAME, "--storage", postgres_url, "--tiles", str(tiles.folder), "--runs", "runs", "--device", "cpu"]
        second = arena(warm_python, second_machine, *join, "--wandb", "off")
        _, err = first.communicate(timeout=250)
    finally:
        first.kill()
        first.wait()
    assert (first.returncode, second.returncode) == (0, 0), err + second.stderr
    facts = read_outline(second_machine / "studies", NAME)
    assert facts.trials == read_outline(first_machine / "studies", NAME).trials
    assert [trial.state for trial in facts.trials] == ["finished"] * 3
    folders = [[root / "runs" / trial.run for root in (first_machine, second_machine)] for trial in facts.trials]
    assert all(sum(folder.exists() for folder in pair) == 1 for pair in folders)
    looked = arena(warm_python, tmp_path, "status", "--storage", postgres_url, "--json")
    assert '"name": "lenet5.raw"' in looked.stdout, looked.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--on", "slurm"], "--on slurm needs --agents"),
        (["--on", "ray", "--agents", "2", "--gpus", "0"], "--gpus is for --on local"),
    ],
)
def test_what_a_cluster_cannot_use_is_refused(
    tmp_path: Path, tiles: TileSet, warm_python: WarmPython, words: list[str], message: str
) -> None:
    done = arena(warm_python, tmp_path, *run_words(tiles, 1, *words))
    assert done.returncode == 2
    assert message in done.stderr


def test_settings_of_a_place_are_pairs() -> None:
    assert parse_place(["slurm_partition=gpu", "comment=a=b"]) == {"slurm_partition": "gpu", "comment": "a=b"}
    with pytest.raises(Exception, match="--place takes KEY=VALUE such as slurm_partition=gpu, not 'gpu'"):
        parse_place(["gpu"])


def test_a_job_tells_its_agents_exit_code_and_last_line() -> None:
    end = AgentJob(["sweep", "agent", "x", "--studies", "/nonexistent"])()
    assert end == AgentExit(code=1, last_line="error: no study 'x' in /nonexistent; `arena sweep run` makes one")
