"""Sweeps on a Ray of the tests' own: actors that wait, are killed and are interrupted."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cnn.tiles.tile_set import TileSet
from support.cluster_sweeps import ClusterSweep, read_parent

pytest.importorskip("ray", reason='Ray is not installed: pip install -e ".[ray]", 400 MB')
_N_EPOCHS = 20
_PLACE = ["--on", "ray", f"train.epochs={_N_EPOCHS}"]


@pytest.fixture
def sweep(tiles: TileSet, tmp_path: Path) -> Iterator[ClusterSweep]:
    sweep = ClusterSweep(folder=tmp_path, tiles=tiles)
    yield sweep
    sweep.close()


@pytest.mark.parametrize("victim", ["agent", "actor"])
def test_a_killed_agent_or_actor_is_started_again(victim: str, sweep: ClusterSweep) -> None:
    sweep.start(3, *_PLACE, "--agents", "1")
    first = sweep.wait_for_epochs(2).trials[0]
    pid = int(first.agent.rpartition("-")[2])
    os.kill(pid if victim == "agent" else read_parent(pid), signal.SIGKILL)
    code, messages = sweep.finish()
    assert (code, messages) == (0, "1 actor is handed to Ray; those that find no place wait")
    facts = sweep.check_all_trained(3, _N_EPOCHS)
    assert (facts.trials[0].run, facts.trials[0].epochs[1]) == (first.run, first.epochs[1])
    assert first.agent not in {trial.agent for trial in facts.trials}


def test_an_agent_that_is_killed_again_and_again_fails(sweep: ClusterSweep) -> None:
    sweep.start(3, *_PLACE, "--agents", "1")
    agent = ""
    for _ in range(4):
        agent = sweep.wait_for_agent(besides=agent)
        os.kill(int(agent.rpartition("-")[2]), signal.SIGKILL)
    code, messages = sweep.finish()
    cause = "its agent was killed by signal 9, 4 times by now (9: often for want of memory)"
    assert (code, messages.splitlines()[1:]) == (1, [f"actor 1: {cause}", "error: no agent got to work"])


def test_ctrl_c_ends_actors_that_work_after_their_epoch_and_those_that_wait(sweep: ClusterSweep) -> None:
    sweep.start(6, *_PLACE, "--agents", "9")
    first = sweep.wait_for_epochs(2).trials[0]
    assert sweep.process is not None
    os.killpg(sweep.process.pid, signal.SIGINT)  # as a terminal does
    code, messages = sweep.finish()
    assert code == 130
    assert messages.splitlines()[1:] == [
        "stopping: every agent ends after its epoch; once more ends them at once",
        "0 of 6 trials are done; the same command goes on with the rest",
    ]
    facts = sweep.read()
    assert facts is not None
    assert {trial.state for trial in facts.trials} == {"interrupted"}
    assert not Path(f"/proc/{first.agent.rpartition('-')[2]}").exists()
    sweep.start(6, *_PLACE, "--agents", "9")
    code, messages = sweep.finish()
    assert code == 0, messages
    assert sweep.check_all_trained(6, _N_EPOCHS).trials[0].run == first.run


def test_kills_at_random_lose_no_trial_and_double_none(
    seed: int, sweep: ClusterSweep, record_property: Callable[[str, object], None]
) -> None:
    dice, budget, n_kills, next_at = random.Random(seed), 10, 0, 3

    def kill() -> None:
        nonlocal n_kills, next_at
        facts = sweep.read()
        n_epochs = sum(len(trial.epochs) for trial in facts.trials) if facts else 0
        if facts is None or n_epochs < next_at:
            return
        agents = [int(trial.agent.rpartition("-")[2]) for trial in facts.trials if trial.state == "running"]
        if agents:
            next_at = n_epochs + dice.randint(3, 12)
            agent = dice.choice(agents)
            try:
                os.kill(agent if dice.random() < 0.5 else read_parent(agent), signal.SIGKILL)
            except ProcessLookupError:
                return
            n_kills += 1

    code, n_watches = 1, 0
    while code:
        sweep.start(budget, *_PLACE, "--agents", "2")
        code, messages = sweep.finish(kill, 3600)
        n_watches += 1
        assert code in (0, 1), messages
        assert n_watches < 30
    for name, n in (("kills", n_kills), ("watches", n_watches), ("trials", budget)):
        record_property(name, n)
    sweep.check_all_trained(budget, _N_EPOCHS)
