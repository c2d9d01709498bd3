"""Known points before the first draw, and draws of a study's own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from support.studies import BAYES, World, claimed, finished, make_study, open_engine, states, work_off
from sweeps.engines.protocol import Idle
from sweeps.results import read_outline
from sweeps.study.folder import StudyFolder, create_or_continue
from sweeps.study.points import DEFAULT, KnownPoint
from sweeps.training.trial import TrialResult, TrialState

RECIPE = KnownPoint(values={"train.learning_rate": 0.002, "train.batch_size": 64}, origin=DEFAULT)
TRY = KnownPoint(values={"train.learning_rate": 0.05, "train.batch_size": 16}, origin="--try")


def set_points(folder: StudyFolder, *points: KnownPoint, budget: int = 4) -> None:
    create_or_continue(folder.path.parent, replace(folder.read_spec(), points=points, budget=budget))


def read_points(studies: Path) -> list[tuple[str, object, object]]:
    trials = read_outline(studies, "lenet5.raw").trials
    return [(trial.origin, trial.params["train.learning_rate"], trial.params["train.batch_size"]) for trial in trials]


def test_known_points_come_first_each_once_whoever_asks_and_dies(world: World) -> None:
    folder = world.make(budget=4)
    with folder.lock():
        folder.write(replace(folder.read_spec(), points=(RECIPE, TRY)))
    dead = world.claim_and_die()
    assert dead["params"] == RECIPE.values
    first, second = claimed(world.engine()), claimed(world.engine())
    assert (first.number, first.params, second.params) == (0, RECIPE.values, TRY.values)
    for claim in (first, second):
        world.engine().finish(claim, finished(0.5))
    assert work_off(world.engine()) is Idle.DONE
    facts = world.facts()
    assert [trial.origin for trial in facts.trials] == [DEFAULT, "--try", "", ""]
    assert facts.n_completed == 4


def test_a_known_point_that_fails_is_not_tried_again_and_costs_nothing(tmp_path: Path) -> None:
    folder = make_study(tmp_path, budget=2)
    set_points(folder, TRY, budget=2)
    engine = open_engine(tmp_path)
    engine.finish(claimed(engine), TrialResult(state=TrialState.FAILED, cause="out of memory"))
    assert work_off(engine) is Idle.DONE
    assert states(read_outline(tmp_path, "lenet5.raw")) == ["failed", "finished", "finished"]


def test_a_study_that_goes_on_takes_new_points_but_no_default_recipe(tmp_path: Path) -> None:
    folder = make_study(tmp_path, budget=1)
    work_off(open_engine(tmp_path))
    for _ in range(2):
        set_points(folder, RECIPE, TRY, budget=3)
        work_off(open_engine(tmp_path))
    assert [origin for origin, _, _ in read_points(tmp_path)] == ["", "--try", ""]


def test_points_of_a_grid_that_are_tried_first_leave_the_others(tmp_path: Path) -> None:
    text = BAYES.replace("bayes", "grid").replace(
        "{distribution: log_uniform_values, min: 0.001, max: 0.1}", "{values: [0.01, 0.05]}"
    )
    folder = make_study(tmp_path, text, budget=6)
    set_points(folder, TRY, budget=6)
    assert work_off(open_engine(tmp_path)) is Idle.DONE
    points = read_points(tmp_path)
    assert points[0] == ("--try", 0.05, 16)
    assert [point[1:] for point in points[1:]] == [(0.01, 16), (0.01, 32), (0.01, 64), (0.05, 32), (0.05, 64)]


@pytest.mark.parametrize("method", ["random", "bayes", "qmc"])
def test_studies_of_one_seed_draw_points_of_their_own_unless_they_are_paired(tmp_path: Path, method: str) -> None:
    points: dict[str, list[object]] = {}
    for arena in ("", "arena: {paired: true}\n"):
        for name in ("lenet5.raw", "lenet5.bilateral"):
            studies = tmp_path / f"{name}{len(arena)}"
            make_study(studies, BAYES.replace("bayes", method) + arena, name=name)
            work_off(open_engine(studies, name))
            points[name + arena] = [trial.params for trial in read_outline(studies, name).trials]
    own, other, paired, twin = points.values()
    assert [a == b for a, b in zip(own, other, strict=True)] == [False] * 4
    assert paired == twin
    assert paired not in (own, other)
