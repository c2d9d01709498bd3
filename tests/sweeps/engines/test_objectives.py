"""Several objectives and constraints: values and constraints in Optuna's own study, the front, the best among the feasible."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from support.studies import World, call, claimed, finished, make_study, open_engine, work_off
from sweeps.engines.counts import open_counter
from sweeps.engines.protocol import Idle
from sweeps.errors import SweepFileError
from sweeps.results import read_outline
from sweeps.sweepfile.sweep import parse
from sweeps.training.trial import Step

TEXT = """
method: METHOD
metric: {name: val_macro_f1, goal: maximize}
parameters:
  train.learning_rate: {distribution: log_uniform_values, min: 0.001, max: 0.1}
  model.depth: {values: [2, 3, 4]}
arena: {ARENA}
"""
OBJECTIVES = "objectives: {multiply_adds: minimize, seconds: minimize}"
CONSTRAINTS = "constraints: {multiply_adds: 7e6}"


def write(arena: str, method: str = "bayes") -> str:
    return TEXT.replace("ARENA", arena).replace("METHOD", method)


def test_the_front_holds_the_trials_that_no_other_beats_in_all_objectives(world: World) -> None:
    folder = world.make(write(OBJECTIVES, "random"), budget=8)
    engine = world.engine()
    for value in (0.5, 0.5, 0.9, 0.1):
        claim = claimed(engine)
        assert engine.report(claim, 1, value) is Step.CONTINUE
        engine.finish(claim, finished(value))
    facts, spec = world.facts(), folder.read_spec()
    assert facts.best is not None
    assert (facts.objectives, facts.best.value) == (("multiply_adds", "seconds"), 0.9)
    costs = {trial.params["model.depth"]: trial.costs["multiply_adds"] for trial in facts.trials}
    assert len(set(costs.values())) == len(costs) >= 2
    points = {trial.number: (-(trial.value or 0), trial.costs["multiply_adds"]) for trial in facts.trials}
    front = {n for n, p in points.items() if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in points.values())}
    assert {trial.number for trial in facts.front} == front
    assert open_counter(folder, spec).read().front == tuple(sorted(front))


@pytest.mark.parametrize("method", ["bayes", "gp", "qmc"])
def test_plain_optuna_reads_values_constraints_and_front(tmp_path: Path, method: str) -> None:
    folder = make_study(tmp_path, write(f"{OBJECTIVES}, {CONSTRAINTS}", method), budget=6)
    assert work_off(open_engine(tmp_path)) is Idle.DONE
    facts = read_outline(tmp_path, "lenet5.raw")
    study = optuna.load_study(study_name="lenet5.raw", storage=JournalStorage(JournalFileBackend(str(folder.journal))))
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE", "MINIMIZE"]
    done = [trial for trial in facts.trials if trial.state == "finished"]
    assert [study.trials[trial.number].values for trial in done] == [
        [trial.value, trial.costs["multiply_adds"], trial.costs["seconds"]] for trial in done
    ]
    excess = [study.trials[trial.number].constraints["multiply_adds"] for trial in done]
    assert [value <= 0 for value in excess] == [trial.is_feasible for trial in done]
    assert {trial.number for trial in study.best_trials} >= {trial.number for trial in facts.front}
    assert all(trial.is_feasible for trial in facts.front)


def test_the_best_keeps_to_the_constraints_and_only_a_feasible_value_ends_a_study(world: World) -> None:
    folder = world.make(write(CONSTRAINTS, "random"), budget=12)
    engine = world.engine()
    while not isinstance(claim := engine.claim(), Idle):
        engine.finish(claim, finished(0.2 * int(str(claim.params["model.depth"]))))
    facts = world.facts()
    feasible = {trial.params["model.depth"] for trial in facts.trials if trial.is_feasible}
    assert feasible
    assert feasible < {2, 3, 4}
    assert facts.best is not None
    assert facts.best.value == max(trial.value or 0 for trial in facts.trials if trial.is_feasible)
    counts = open_counter(folder, folder.read_spec()).read()
    assert counts.best is not None
    assert (counts.best.number, counts.finished) == (facts.best.number, 12)


def test_best_prints_the_front_and_status_counts_it(tmp_path: Path) -> None:
    make_study(tmp_path, write(OBJECTIVES, "random"), budget=3)
    work_off(open_engine(tmp_path))
    out = call("best", "lenet5.raw", "--studies", str(tmp_path))
    assert "multiply_adds" in out
    assert '"front"' in call("best", "lenet5.raw", "--studies", str(tmp_path), "--json")
    assert '"front"' in call("status", "--studies", str(tmp_path), "--json")


@pytest.mark.parametrize(
    ("arena", "message"),
    [
        ("objectives: {multiply_ads: minimize}", "s.yaml line 7: arena.objectives: unknown key 'multiply_ads'; did you mean"),
        (
            "objectives: {parameters: maximize}",
            "s.yaml line 7: arena.objectives.parameters is a cost; write `parameters: minimize`",
        ),
        ("constraints: {seconds: 0}", "s.yaml line 7: arena.constraints.seconds is the most that is allowed, above 0, not 0"),
        ("constraints: {seconds: ten}", "s.yaml line 7: arena.constraints.seconds takes a number, not 'ten'"),
    ],
)
def test_what_is_no_objective_or_constraint_is_refused_with_its_line(arena: str, message: str) -> None:
    with pytest.raises(SweepFileError) as caught:
        parse(write(arena), "s.yaml")
    assert str(caught.value).startswith(message)


def test_early_stopping_is_refused_beside_several_objectives() -> None:
    with pytest.raises(
        SweepFileError, match=r"s\.yaml line 8: early_terminate ends no trial of a study with arena\.objectives"
    ):
        parse(f"{write(OBJECTIVES)}early_terminate: {{type: hyperband, min_iter: 2}}\n", "s.yaml")
