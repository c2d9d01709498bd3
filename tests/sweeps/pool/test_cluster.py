"""Agents placed by submitit and Ray, and on machines that share a database or a folder: really started, on real trainings."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cnn.runs.folder import RunFolder, RunState
from cnn.tiles.tile_set import TileSet
from support.paths import ARENA
from support.warm_python import WarmPython
from sweeps.pool.agent_job import AgentJob
from sweeps.pool.cluster import parse_settings
from sweeps.pool.slurm_jobs import SlurmJobs
from sweeps.results import StudyFacts, read_outline

pytestmark = pytest.mark.timeout(600)  # many processes that each load torch, and Ray gives its own the lowest priority
NAME = "lenet5.raw"
SWEEP = """
method: random
metric: {name: val_macro_f1, goal: maximize}
parameters:
  train.learning_rate: {distribution: log_uniform_values, min: 0.001, max: 0.01}
"""


def arena(warm: WarmPython, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    (folder / "s.yaml").write_text(SWEEP)
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


def test_a_preempted_job_gives_its_trial_up_and_goes_on_when_it_is_requeued(
    tmp_path: Path, tiles: TileSet, warm_python: WarmPython, monkeypatch: pytest.MonkeyPatch
) -> None:
    studies = tmp_path / "studies"
    assert (
        arena(warm_python, tmp_path, *run_words(tiles, 1, "--on", "slurm", "--agents", "1", "train.epochs=25")).returncode == 1
    )
    words = ["sweep", "agent", NAME, "--studies", str(studies), "--device", "cpu", "--wandb", "off"]
    for key, value in warm_python.environment.items():
        monkeypatch.setenv(key, value)
    jobs = SlurmJobs(tmp_path / "jobs", [words], {"cluster": "local"}, NAME)
    try:
        facts = until(studies, lambda facts: bool(facts.trials) and len(facts.trials[0].epochs) >= 2)
        first = facts.trials[0]
        assert len(first.epochs) < 25
        (task,) = Path(f"/proc/{jobs._jobs[0].job_id}/task/{jobs._jobs[0].job_id}/children").read_text().split()
        os.kill(int(task), signal.SIGUSR2)  # as Slurm does ahead of preempting a job
        until(studies, lambda facts: facts.trials[0].agent not in ("", first.agent))
        deadline = time.monotonic() + 250
        while (failures := jobs.read_failures()) == [None] and time.monotonic() < deadline:
            time.sleep(0.1)
        assert failures == [""]
    finally:
        jobs.interrupt()
    facts = check_all_trained(studies, tmp_path / "runs", 1)
    assert (facts.trials[0].number, facts.trials[0].run) == (first.number, first.run)
    assert sorted(facts.trials[0].epochs) == list(range(1, 26))


def until(studies: Path, holds: Callable[[StudyFacts], bool]) -> StudyFacts:
    deadline = time.monotonic() + 250
    while time.monotonic() < deadline:
        if holds(facts := read_outline(studies, NAME)):
            return facts
        time.sleep(0.05)
    raise AssertionError("nothing came of it in four minutes")


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed: 400 MB, an extra of its own")
def test_ray_places_two_agents_that_reach_the_budget_exactly(tmp_path: Path, tiles: TileSet, warm_python: WarmPython) -> None:
    words = run_words(tiles, 3, "--on", "ray", "--place", "num_cpus=0.5", "--agents", "2", "train.epochs=2")
    done = arena(warm_python, tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert "2 actors are handed to Ray" in done.stderr
    check_all_trained(tmp_path / "studies", tmp_path / "runs", 3)


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


def test_parse_settings_a_cluster_are_pairs() -> None:
    assert parse_settings(["slurm_partition=gpu", "comment=a=b"]) == {"slurm_partition": "gpu", "comment": "a=b"}
    with pytest.raises(Exception, match="--place takes KEY=VALUE such as slurm_partition=gpu, not 'gpu'"):
        parse_settings(["gpu"])


def test_a_job_tells_its_agents_exit_code() -> None:
    assert AgentJob(["sweep", "agent", "x", "--studies", "/nonexistent"])() == 1
