"""Sweeps on a Slurm of the tests' own: jobs that are preempted, requeued, killed and cancelled."""

from __future__ import annotations

import contextlib
import os
import random
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cnn.tiles.tile_set import TileSet
from support.cluster_sweeps import ClusterSweep, read_parent
from support.slurm import SlurmCluster, missing_slurm, running_cluster

_N_EPOCHS = 20
_PLACE = ["--on", "slurm", "--place", "cpus_per_task=1"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[SlurmCluster]:
    if missing := missing_slurm():
        pytest.skip(missing)
    pytest.importorskip("submitit")
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture
def sweep(cluster: SlurmCluster, tiles: TileSet, tmp_path: Path) -> Iterator[ClusterSweep]:
    sweep = ClusterSweep(folder=tmp_path, tiles=tiles, environment=cluster.environment)
    yield sweep
    sweep.close()
    cluster.end_jobs()


@pytest.mark.parametrize("event", ["requeued", "preempted", "preempted with notice", "terminated", "killed"])
def test_a_job_whose_agent_is_ended_from_outside_goes_on(event: str, cluster: SlurmCluster, sweep: ClusterSweep) -> None:
    partition = "grace" if event == "preempted with notice" else "low"
    words = [*_PLACE, "--agents", "1", "--place", f"slurm_partition={partition}", f"train.epochs={_N_EPOCHS}"]
    sweep.start(3, *words)
    first = sweep.wait_for_epochs(2).trials[0]
    assert len(first.epochs) < _N_EPOCHS
    if event == "requeued":
        cluster.call("scontrol", "requeue", *cluster.read_states("RUNNING"))
    elif event.startswith("preempted"):
        cluster.preempt()
    else:
        os.kill(int(first.agent.rpartition("-")[2]), signal.SIGTERM if event == "terminated" else signal.SIGKILL)
    code, messages = sweep.finish(cluster.start_requeued)
    assert code == 0, messages + sweep.describe()
    assert len(messages.splitlines()) == 1, messages
    facts = sweep.check_all_trained(3, _N_EPOCHS)
    assert (facts.trials[0].run, facts.trials[0].epochs[1]) == (first.run, first.epochs[1])
    assert len({trial.agent for trial in facts.trials} - {first.agent}) == 1


def test_a_job_whose_time_is_nearly_out_goes_on(cluster: SlurmCluster, sweep: ClusterSweep) -> None:
    times = ["--place", "timeout_min=2", "--place", "slurm_signal_delay_s=30"]  # Slurm sends it up to a minute earlier
    sweep.start(1, *_PLACE, *times, "--agents", "1", "train.epochs=9999")
    first = sweep.wait_for_epochs(1).trials[0]
    facts = sweep.wait_for(
        lambda facts: facts.trials[0].agent not in ("", first.agent) and len(facts.trials[0].epochs) > 9, cluster.start_requeued
    )
    assert (facts.trials[0].run, facts.trials[0].epochs[1]) == (first.run, first.epochs[1])
    sweep.call("stop", "lenet5.raw")
    assert sweep.finish()[0] == 1


def test_ctrl_c_leaves_the_jobs_which_a_stopped_study_ends(cluster: SlurmCluster, sweep: ClusterSweep) -> None:
    sweep.start(8, *_PLACE, "--agents", "2", f"train.epochs={_N_EPOCHS}")
    sweep.wait_for_epochs(1)
    assert sweep.process is not None
    sweep.process.send_signal(signal.SIGINT)
    code, messages = sweep.finish()
    line = "the jobs go on without this window; `arena sweep stop lenet5.raw` ends them after their epoch"
    assert (code, messages.splitlines()[1]) == (130, line)
    assert len(cluster.read_states("RUNNING")) == 2
    sweep.call("stop", "lenet5.raw")
    deadline = time.monotonic() + 120
    while cluster.read_states("RUNNING,COMPLETING") and time.monotonic() < deadline:
        time.sleep(0.2)
    facts = sweep.read()
    assert facts is not None
    assert cluster.read_states("RUNNING,COMPLETING") == {}
    assert {trial.state for trial in facts.trials} <= {"finished", "interrupted"}


def test_cancelled_jobs_end_the_watch_with_one_line(cluster: SlurmCluster, sweep: ClusterSweep) -> None:
    sweep.start(8, *_PLACE, "--agents", "3", f"train.epochs={_N_EPOCHS}")  # the third waits for a CPU
    sweep.wait_for_epochs(1)
    jobs = [job for job, state in cluster.read_states().items() if state in ("RUNNING", "PENDING")]
    assert len(jobs) == 3
    cluster.call("scancel", *jobs)
    code, messages = sweep.finish()
    lines = messages.splitlines()
    assert (code, lines[1]) == (1, f"job {', job '.join(sorted(jobs))}: cancelled")
    assert lines[2].endswith(" of 8 trials are done; the same command goes on with the rest")
    assert len(lines) == 3


def test_jobs_that_still_wait_are_taken_back_when_the_budget_is_reached(cluster: SlurmCluster, sweep: ClusterSweep) -> None:
    cluster.call("sbatch", "--partition=high", "--output=/dev/null", "--wrap=sleep 1000")  # leaves one CPU
    sweep.start(1, *_PLACE, "--agents", "2", "train.epochs=1")
    code, messages = sweep.finish()
    line = re.fullmatch(r"2 jobs are handed over \((\w+), (\w+)\), with logs in .*", messages)
    assert line is not None, messages
    assert (code, [cluster.read_states()[job] for job in line.groups()]) == (0, ["COMPLETED", "CANCELLED"])


@pytest.mark.parametrize("partition", ["low", "grace"])
def test_events_at_random_lose_no_trial_and_double_none(
    partition: str, seed: int, cluster: SlurmCluster, sweep: ClusterSweep, record_property: Callable[[str, object], None]
) -> None:
    budget, events = 12, _RandomEvents(cluster, sweep, seed)
    words = [*_PLACE, "--place", f"slurm_partition={partition}", "--agents", "2", f"train.epochs={_N_EPOCHS}"]
    codes = [1]
    while codes[-1]:
        sweep.start(budget, *words)
        code, messages = sweep.finish(events.act, 3600)
        codes.append(code)
        assert code in (0, 1), messages
        assert len(codes) < 30
    for name, n in sorted(events.counts.items()):
        record_property(name, n)
    record_property("watches", len(codes) - 1)
    record_property("trials", budget)
    sweep.check_all_trained(budget, _N_EPOCHS)


class _RandomEvents:
    """Events from outside, each some drawn number of epochs after the last."""

    def __init__(self, cluster: SlurmCluster, sweep: ClusterSweep, seed: int) -> None:
        self._cluster, self._sweep, self._dice = cluster, sweep, random.Random(seed)
        self._next_at = 3
        self.counts: Counter[str] = Counter()

    def act(self) -> None:
        self._cluster.start_requeued()
        facts = self._sweep.read()
        if facts is None or sum(len(trial.epochs) for trial in facts.trials) < self._next_at:
            return
        agents = [int(trial.agent.rpartition("-")[2]) for trial in facts.trials if trial.state == "running"]
        jobs = list(self._cluster.read_states("RUNNING"))
        if not (agents and jobs):
            return
        self._next_at = sum(len(trial.epochs) for trial in facts.trials) + self._dice.randint(3, 12)
        agent = self._dice.choice(agents)
        event = self._dice.choice(["requeued", "preempted", "terminated", "agents killed", "jobs killed", "controllers killed"])
        self.counts[event] += 1
        with contextlib.suppress(ProcessLookupError, AssertionError):  # it has ended meanwhile
            match event:
                case "requeued":
                    self._cluster.call("scontrol", "requeue", self._dice.choice(jobs))
                case "preempted":
                    self._cluster.preempt()
                case "controllers killed":
                    self._cluster.restart_controller()
                case "jobs killed":
                    os.kill(read_parent(agent), signal.SIGKILL)
                case _:
                    os.kill(agent, signal.SIGTERM if event == "terminated" else signal.SIGKILL)
