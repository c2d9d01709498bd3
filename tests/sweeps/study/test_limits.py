"""Limits of hours and of the value: where a study ends before its budget, and what goes on."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.studies import BAYES, World, claimed, finished, make_study, open_engine, work_off
from sweeps.engines.counts import explain_end, open_counter
from sweeps.engines.protocol import Idle
from sweeps.errors import OptionError
from sweeps.study.clock import add_work, read_hours
from sweeps.study.folder import StudyFolder, create_or_continue
from sweeps.study.limits import Limits


def limit(world: World, **limits: float) -> StudyFolder:
    folder = StudyFolder(world.studies / "lenet5.raw")
    spec = folder.read_spec() if folder.exists else world.make(budget=9).read_spec()
    return create_or_continue(world.studies, replace(spec, limits=Limits(**limits)))[0]


def test_a_study_ends_once_a_finished_trial_has_the_value_and_trials_in_work_are_finished(world: World) -> None:
    folder = limit(world, until=0.5)
    engines = [world.engine() for _ in range(2)]
    first, second = (claimed(engine) for engine in engines)
    engines[0].report(first, 1, 0.9)  # a trial in work has no value yet
    third = claimed(world.engine())
    assert engines[0].finish(first, finished(0.9))
    assert engines[0].claim() is Idle.ENDED
    assert engines[0].end == "its best, 0.9000, reached 0.5"
    assert engines[1].finish(second, finished(0.2))
    assert world.engine().finish(third, finished(0.1))
    spec = folder.read_spec()
    assert explain_end(folder, spec, open_counter(folder, spec).read()) == engines[0].end
    limit(world, until=0.95)
    assert work_off(world.engine(), 2) is None
    limit(world)
    assert work_off(world.engine()) is Idle.DONE
    assert world.facts().n_completed == 9


def test_a_loss_reaches_the_value_from_above(tmp_path: Path) -> None:
    folder = make_study(tmp_path, BAYES.replace("val_macro_f1, goal: maximize", "val_loss"))
    create_or_continue(tmp_path, replace(folder.read_spec(), limits=Limits(until=0.3)))
    engine = open_engine(tmp_path)
    engine.finish(claimed(engine), finished(0.4))
    engine.finish(claimed(engine), finished(0.3))
    assert engine.claim() is Idle.ENDED


def test_hours_of_work_add_up_over_agents_and_kills_without_the_breaks(world: World) -> None:
    folder = limit(world, hours=3.0)
    moment = 1_800_000_000.0
    for start, end in ((0, 1), (0.5, 1.5), (0.5, 2), (7, 7.5), (7.4, 7.6)):  # in hours; the first agent died after one
        with folder.lock():
            add_work(folder, *(datetime.fromtimestamp(moment + 3600 * hour, UTC) for hour in (start, end)))
    assert read_hours(folder) == pytest.approx(2.6)
    assert work_off(world.engine(), 1) is None
    with folder.lock():
        add_work(folder, *(datetime.fromtimestamp(moment + 3600 * hour, UTC) for hour in (9, 9.5)))
    engine = world.engine()
    assert engine.claim() is Idle.ENDED
    assert engine.end == "its --hours 3 are over"
    limit(world, hours=3.5)
    assert work_off(world.engine(), 1) is None
    limit(world)
    assert work_off(world.engine()) is Idle.DONE


def test_an_agent_counts_its_own_time_without_pauses(tmp_path: Path) -> None:
    folder = make_study(tmp_path)
    create_or_continue(tmp_path, replace(folder.read_spec(), limits=Limits(hours=1.0)))
    began = time.time()
    engine = open_engine(tmp_path)
    claimed(engine)
    time.sleep(0.02)
    engine.count_work()
    worked_s = read_hours(folder) * 3600
    assert 0.02 <= worked_s <= time.time() - began
    engine.rest()
    time.sleep(0.02)
    engine.count_work()
    assert read_hours(folder) * 3600 == pytest.approx(worked_s)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"hours": 0.0}, "--hours lies above 0, not 0"),
        ({"until": float("nan")}, "--until is a value of the metric, such as 0.95, not nan"),
    ],
)
def test_a_limit_that_is_none_is_refused(limits: dict[str, float], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Limits(**limits)
