"""The Optuna engine: an exact budget, takeovers, late results, duplicates, pruning."""

from __future__ import annotations

import json
import random
import subprocess
import time
from pathlib import Path

import pytest

from support.paths import ROOT
from support.studies import BAYES, World, claim_and_die, claimed, finished, make_study, open_engine, states, work_off
from support.warm_python import WarmPython
from sweeps.engines.protocol import Idle
from sweeps.errors import StudyError
from sweeps.results import read_study
from sweeps.training.trial import Step, TrialResult, TrialState

NAME = "lenet5.raw"
SMALL = """
method: METHOD
metric: {name: val_macro_f1, goal: maximize}
parameters:
  train.batch_size: {values: [16, 32, 64]}
  model.depth: {min: 2, max: 3}
"""


on_the_journal = pytest.mark.parametrize("world", ["journal"], indirect=True)  # what no storage can change


def test_the_budget_is_exact_and_a_restart_adds_nothing(world: World) -> None:
    world.make(budget=5)
    assert work_off(world.engine(), 3) is None
    assert work_off(world.engine()) is Idle.DONE
    assert work_off(world.engine()) is Idle.DONE
    assert states(world.facts()) == ["finished"] * 5


def test_trials_in_work_count_so_that_no_agent_claims_beyond_the_budget(world: World) -> None:
    world.make(budget=3)
    engines = [world.engine() for _ in range(4)]
    claims = [claimed(engine) for engine in engines[:3]]
    assert engines[3].claim() is Idle.WAIT
    assert len({claim.run for claim in claims}) == 3
    for engine, claim in zip(engines, claims, strict=False):
        engine.finish(claim, finished(0.5))
    assert engines[3].claim() is Idle.DONE


def test_failed_trials_give_their_place_to_others(world: World) -> None:
    world.make(budget=2)
    engine = world.engine()
    failed = TrialResult(state=TrialState.FAILED, cause="out of memory", tail=("line one", "line two"))
    assert engine.finish(claimed(engine), failed)
    assert work_off(engine) is Idle.DONE
    facts = world.facts()
    assert states(facts) == ["failed", "finished", "finished"]
    assert (facts.trials[0].cause, facts.trials[0].value) == ("out of memory", None)


def test_a_budget_may_grow(world: World) -> None:
    world.make(budget=2)
    assert work_off(world.engine()) is Idle.DONE
    world.make(budget=3)
    assert work_off(world.engine()) is Idle.DONE
    assert states(world.facts()) == ["finished"] * 3


def test_a_dead_agents_trial_is_taken_over_with_its_number_and_its_epochs(world: World) -> None:
    world.make(budget=2)
    dead = world.claim_and_die(epochs=2)
    engine = world.engine()
    claim = claimed(engine)
    assert (claim.number, claim.params, claim.run) == (dead["number"], dead["params"], dead["run"])
    engine.report(claim, 3, 0.3)
    engine.finish(claim, finished(0.1, 0.2, 0.3))
    assert work_off(engine) is Idle.DONE
    facts = world.facts()
    assert states(facts) == ["finished", "finished"]
    assert facts.trials[0].epochs == {1: 0.1, 2: 0.2, 3: 0.3}
    assert facts.trials[0].agent == "tester"


def test_a_released_trial_is_taken_over_at_once(world: World) -> None:
    world.make(budget=1)
    engine = world.engine()
    claim = claimed(engine)
    engine.release(claim)
    assert claimed(world.engine()) == claim


def test_a_trial_whose_agent_died_while_asking_is_completed(tmp_path: Path, warm_python: WarmPython) -> None:
    folder = make_study(tmp_path, budget=2)
    claim_and_die(tmp_path, warm_python)
    lines = folder.journal.read_bytes().splitlines(keepends=True)
    for n_kept in range(1, len(lines)):  # the agent dies after every single operation of its claim
        folder.journal.write_bytes(b"".join(lines[:n_kept]))
        assert work_off(open_engine(tmp_path)) is Idle.DONE
        facts = read_study(tmp_path, NAME)
        assert states(facts) == ["finished", "finished"]
        assert [sorted(trial.params) for trial in facts.trials] == [["train.batch_size", "train.learning_rate"]] * 2


def test_a_late_result_is_dropped(world: World) -> None:
    world.make(budget=1)
    slow = world.engine()
    claim = claimed(slow)
    successor = world.claim_and_die(epochs=1, elsewhere=True)  # for that host our lease had expired
    assert successor["number"] == claim.number
    assert slow.report(claim, 2, 0.9) is Step.PAUSE
    assert not slow.finish(claim, finished(0.9, 0.9))
    facts = world.facts()
    assert states(facts) == ["running"]
    assert (facts.trials[0].epochs, facts.trials[0].agent) == ({1: 0.1}, "the dead")


def test_a_result_is_told_once(world: World) -> None:
    world.make(budget=2)
    engine = world.engine()
    claim = claimed(engine)
    assert engine.finish(claim, finished(0.4))
    assert not engine.finish(claim, finished(0.9))
    assert world.facts().trials[0].value == 0.4


@pytest.mark.parametrize("method", ["random", "bayes", "tpe"])
@on_the_journal
def test_a_budget_as_large_as_the_space_visits_every_point_once(world: World, method: str) -> None:
    world.make(SMALL.replace("METHOD", method), budget=6)
    assert work_off(world.engine()) is Idle.DONE
    facts = world.facts()
    trained = [trial for trial in facts.trials if trial.state == "finished"]
    repeated = [trial for trial in facts.trials if trial.state == "duplicate"]
    assert len(trained) == len({trial.run for trial in trained}) == 6
    assert len(trained) + len(repeated) == len(facts.trials)
    values = {trial.run: trial.value for trial in trained}
    assert all(trial.value == values[trial.run] for trial in repeated)
    assert facts.n_completed == 6


@on_the_journal
def test_a_duplicate_of_a_running_trial_is_not_trained_beside_it(world: World) -> None:
    world.make(SMALL.replace("METHOD", "random"), budget=6)
    claims = [claimed(world.engine()) for _ in range(6)]
    assert len({claim.run for claim in claims}) == 6
    assert {trial.value for trial in world.facts().trials if trial.state == "duplicate"} <= {None}


def test_a_grid_visits_its_points_in_order_without_duplicates(world: World) -> None:
    world.make(SMALL.replace("METHOD", "grid"), budget=6)
    first = world.claim_and_die()
    assert first["params"] == {"train.batch_size": 16, "model.depth": 2}
    assert work_off(world.engine()) is Idle.DONE
    facts = world.facts()
    assert states(facts) == ["finished"] * 6
    points = [tuple(trial.params.values()) for trial in facts.trials]
    assert points == [(size, depth) for size in (16, 32, 64) for depth in (2, 3)]


@on_the_journal
def test_a_space_whose_points_fail_twice_each_is_exhausted(world: World) -> None:
    world.make(SMALL.replace("METHOD", "grid"), budget=6)
    engine = world.engine()
    for _ in range(12):
        engine.finish(claimed(engine), TrialResult(state=TrialState.FAILED, cause="loss became nan"))
    assert engine.claim() is Idle.EXHAUSTED
    assert states(world.facts()) == ["failed"] * 12


@on_the_journal
def test_values_that_do_not_go_together_are_told_in_one_line(world: World) -> None:
    text = SMALL.replace("METHOD", "grid").replace(
        "train.batch_size: {values: [16, 32, 64]}", "split.kind: {value: becker}\n  split.fold: {value: 7}"
    )
    world.make(text, budget=2)
    with pytest.raises(StudyError) as caught:
        world.engine().claim()
    point = "{'split.kind': 'becker', 'split.fold': 7, 'model.depth': 2}"
    assert str(caught.value) == f"point {point} cannot be trained: split.fold lies between 0 and 4, not 7"


@pytest.mark.parametrize("early", ["{type: hyperband, min_iter: 2, eta: 3}", "{type: median, min_iter: 2, startup_trials: 1}"])
def test_weak_trials_are_pruned_and_count(world: World, early: str) -> None:
    world.make(f"{BAYES}early_terminate: {early}\n", budget=3)
    engine = world.engine()
    strong = claimed(engine)
    for epoch in (1, 2, 3, 4):
        assert engine.report(strong, epoch, 0.8) is Step.CONTINUE
    engine.finish(strong, finished(0.8, 0.8, 0.8, 0.8))
    weak = claimed(engine)
    assert engine.report(weak, 1, 0.3) is Step.CONTINUE
    assert engine.report(weak, 2, 0.2) is Step.PRUNE
    engine.finish(weak, TrialResult(state=TrialState.PRUNED, epochs={1: 0.3, 2: 0.2}, seconds=0.5))
    assert work_off(engine) is Idle.DONE
    facts = world.facts()
    assert states(facts) == ["finished", "pruned", "finished"]
    assert (facts.trials[1].value, facts.trials[1].seconds) == (0.3, 0.5)
    assert facts.best == facts.trials[0]


@on_the_journal
def test_a_loss_is_minimized(world: World) -> None:
    world.make(BAYES.replace("val_macro_f1, goal: maximize", "val_loss"), budget=2)
    engine = world.engine()
    engine.finish(claimed(engine), finished(0.9, 0.4, 0.5))
    engine.finish(claimed(engine), finished(0.6, 0.7))
    facts = world.facts()
    assert [trial.value for trial in facts.trials] == [0.4, 0.6]
    assert facts.best == facts.trials[0]


def test_one_agent_draws_the_same_points_again_from_the_same_seed(tmp_path: Path) -> None:
    for folder, seed in (("a", 3), ("b", 3), ("c", 4)):
        make_study(tmp_path / folder, budget=8, seed=seed)
        work_off(open_engine(tmp_path / folder))
    a, b, c = ([trial.params for trial in read_study(tmp_path / folder, NAME).trials] for folder in "abc")
    assert a == b
    assert a != c


# Works trials off in milliseconds, as `arena sweep agent` does in minutes.
_WORKER = """
import sys, time
sys.path[:0] = [sys.argv[2], sys.argv[2] + "/tests"]
from pathlib import Path
from support.studies import open_engine
from sweeps.engines.protocol import Claim, Idle
from sweeps.training.trial import TrialResult, TrialState
engine = open_engine(Path(sys.argv[1]))
while (claim := engine.claim()) is not Idle.DONE:
    if isinstance(claim, Claim):
        for epoch in (1, 2, 3):
            engine.report(claim, epoch, 0.1 * epoch)
            time.sleep(0.01)
        engine.finish(claim, TrialResult(state=TrialState.FINISHED, epochs={1: 0.1, 2: 0.2, 3: 0.3}))
    else:
        time.sleep(0.02)
"""


@on_the_journal
def test_kills_at_any_moment_lose_no_trial_and_add_none(world: World) -> None:
    world.make(budget=40)
    rng = random.Random(5)

    def start() -> subprocess.Popen[str]:
        return world.warm.start("-c", _WORKER, str(world.studies), str(ROOT))

    workers = [start() for _ in range(3)]
    for _ in range(8):
        time.sleep(rng.uniform(0.1, 0.5))
        victim = rng.randrange(3)
        workers[victim].kill()
        workers[victim].wait()
        workers[victim] = start()
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    facts = world.facts()
    assert states(facts) == ["finished"] * 40
    assert len({trial.run for trial in facts.trials}) == 40
    assert all(trial.epochs == {1: 0.1, 2: 0.2, 3: pytest.approx(0.3)} for trial in facts.trials)


def test_the_lease_says_who_works(tmp_path: Path) -> None:
    folder = make_study(tmp_path, budget=1)
    engine = open_engine(tmp_path, agent="me")
    claimed(engine)
    logs = [json.loads(line) for line in folder.journal.read_text().splitlines()]
    leases = [log["user_attr"]["lease"] for log in logs if "lease" in log.get("user_attr", {})]
    assert [sorted(lease) for lease in leases] == [["agent", "host", "pid", "renewed_at", "space", "started"]]
    assert engine.share() == 1.0
