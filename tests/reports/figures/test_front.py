"""The Pareto front of a study as it is drawn."""

from __future__ import annotations

from dataclasses import replace

from reports.sweep_figures.front import FrontPoint, front_plot, list_front_points
from reports.wording.page_texts import english
from support.report_facts import make_study


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
    assert list_front_points(sweep) == [
        FrontPoint(cost=1e6, value=0.7, is_feasible=True, is_on_front=True),
        FrontPoint(cost=2e6, value=0.6, is_feasible=True, is_on_front=False),
        FrontPoint(cost=3e6, value=0.9, is_feasible=False, is_on_front=False),
    ]
    svg = front_plot(sweep, english())
    assert "multiply-adds of a clip" in svg
    assert "Pareto front of study" in svg
