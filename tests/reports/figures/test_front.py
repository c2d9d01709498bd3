"""The Pareto front of a study as it is drawn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from reports.reading.gather import Sources, gather_facts
from reports.sweep_figures.front import cost_plot, front_plot, list_front_points, list_run_points
from reports.wording.page_texts import english, page_texts
from support.report_facts import make_study, write_eight


def test_the_front_is_drawn_among_all_finished_trials_and_no_study_of_one_objective_has_one() -> None:
    plain = make_study("lenet5", "raw", 12)
    assert (list_front_points(plain), front_plot(plain, english())) == ([], "")
    costs = [3e6, 1e6, 2e6]
    done = [trial for trial in plain.trials if trial.state == "finished"][:3]
    trials = tuple(
        replace(trial, value=value, costs={"multiply_adds": cost}, is_feasible=cost < 3e6)
        for trial, value, cost in zip(done, (0.9, 0.7, 0.6), costs, strict=True)
    )
    sweep = replace(plain, trials=trials, best=trials[1], objectives=("multiply_adds",), front=(trials[1],))
    assert [(p.cost, p.value, p.low, p.high, p.is_feasible, p.is_on_front) for p in list_front_points(sweep)] == [
        (1e6, 0.7, 0.7, 0.7, True, True),
        (2e6, 0.6, 0.6, 0.6, True, False),
        (3e6, 0.9, 0.9, 0.9, False, False),
    ]
    svg = front_plot(sweep, english())
    assert "multiply-adds of a clip" in svg
    assert "Pareto front of study" in svg


def test_a_trial_of_several_trainings_has_their_range_as_its_interval() -> None:
    plain = make_study("stack", "raw", 12)
    trial = replace(
        next(trial for trial in plain.trials if trial.state == "finished"),
        value=0.8,
        epochs={1: 0.75, 2: 0.85},
        costs={"multiply_adds": 1e6},
    )
    sweep = replace(plain, trials=(trial,), best=trial, objectives=("multiply_adds",), front=(trial,), seeds=2)
    (point,) = list_front_points(sweep)
    assert (point.low, point.value, point.high, point.label) == (0.75, 0.8, 0.85, str(trial.number))


def test_a_net_whose_name_is_no_word_of_python_is_in_the_report(tmp_path: Path) -> None:
    write_eight(tmp_path, ("lenet5", "lenet5-1998"))
    facts = gather_facts(Sources(runs=tmp_path))
    assert {run.model for run in facts.runs} == {"lenet5", "lenet5-1998"}


def test_trainings_of_several_nets_are_drawn_against_their_cost_with_the_front_marked(tmp_path: Path) -> None:
    write_eight(tmp_path)
    facts = gather_facts(Sources(runs=tmp_path))
    runs = facts.runs
    scores = {"lenet5": (0.9, 2_000_000), "columns": (0.8, 5_000_000)}
    changed = [
        replace(
            run,
            n_multiply_adds=scores[run.model][1] + number,
            splits=run.splits | {"test": replace(run.test, macro_f1=scores[run.model][0] + number / 100)},
        )
        for number, run in enumerate(runs)
        if run.test
    ]
    points = list_run_points(changed)
    assert [point.cost for point in points] == sorted(point.cost for point in points)
    assert [point.is_on_front for point in points] == [True] * 4 + [False] * 4
    assert all(point.low <= point.high for point in points)
    for lang, words in (("en", "against multiply-adds, with intervals"), ("es", "frente a multiplicaciones-sumas")):
        svg = cost_plot(changed, page_texts(replace(facts, lang=lang)))
        assert words in svg
        assert ">lenet5<" in svg
    assert cost_plot([replace(run, n_multiply_adds=1) for run in changed], english()) == ""
