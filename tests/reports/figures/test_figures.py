"""The numbers behind the pictures, and what every picture keeps to."""

from __future__ import annotations

import dataclasses
import math
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from cnn.runs.folder import EpochRow
from reports.analysis.trial_sample import MOST_DOTS, best_trials, sample_trials
from reports.facts.report import ReportFacts
from reports.figures.confusion import shades
from reports.figures.contest import attempts_plot, team_rows
from reports.figures.curves import f1_limits, label_heights, loss_limits
from reports.figures.effects import effect_limits, effect_rows
from reports.figures.scores import dot_rows, score_limits
from reports.page.figures import draw_all
from reports.reading.gather import Sources, gather_facts
from reports.sweep_figures.comparison import best_limits, best_lines
from reports.sweep_figures.contour import N_X, N_Y, smooth_field
from reports.sweep_figures.history import dots, label_levels, metric_limits, running_best, slice_xs
from reports.sweep_figures.parallel_coordinates import parallel_lines
from reports.wording.page_texts import english
from support.report_facts import eight_sweeps, make_contest_facts, make_study, write_eight
from sweeps.results import ParameterFacts, TrialFacts


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> ReportFacts:
    folder = tmp_path_factory.mktemp("runs")
    write_eight(folder)
    return dataclasses.replace(gather_facts(Sources(runs=folder)), sweeps=eight_sweeps(20), contest=make_contest_facts())


def trial(number: int, value: float | None, state: str = "finished", **params: object) -> TrialFacts:
    return TrialFacts(
        number=number, state=state, value=value, params=params, epochs={}, run="", seconds=None, agent="", cause=""
    )


def test_the_dot_plot_holds_a_heading_and_four_lines_for_each_model(facts: ReportFacts) -> None:
    rows = dot_rows(facts.cells, facts.chosen, english())
    assert [row.label for row in rows if row.is_heading] == ["Model A: lenet5", "Model B: columns"]
    assert [row.y for row in rows] == pytest.approx([0, 1, 2, 3, 4, 5.3, 6.3, 7.3, 8.3, 9.3])
    assert [row.value for row in rows if not row.is_heading] == [run.test and run.test.macro_f1 for run in facts.runs]
    assert sum(row.is_chosen for row in rows) == 1


def test_score_limits_hold_all_scores_inside_zero_and_one() -> None:
    assert score_limits([0.9, None, 1.0]) == (pytest.approx(0.894), 1.0)
    assert score_limits([None]) == (0.0, 1.0)


def test_curve_limits_leave_out_a_diverged_loss_and_the_first_epochs(facts: ReportFacts) -> None:
    run = facts.runs[0]
    points = [
        EpochRow(
            epoch=e,
            train_loss=1e9 if e == 3 else 1.0,
            train_accuracy=f,
            train_macro_f1=f,
            val_loss=math.nan,
            val_accuracy=f,
            val_macro_f1=f,
            learning_rate=0.002,
            seconds=1.0,
        )
        for e, f in enumerate([0.1, 0.62, 0.7, 0.8], start=1)
    ]
    odd = dataclasses.replace(run, curve=tuple(points))
    assert loss_limits([odd]) == (0.0, pytest.approx(2 * math.log(10)))
    assert f1_limits([odd]) == (pytest.approx(0.6), 1.0)


def test_line_labels_keep_their_order_and_distance() -> None:
    train, val = label_heights(0.99, 0.98, (0.5, 1.0))
    assert train - val == pytest.approx(0.17)
    assert label_heights(0.9, 0.6, (0.5, 1.0)) == (pytest.approx(0.8), pytest.approx(0.2))
    assert all(0 <= height <= 1 for height in label_heights(math.nan, 7.0, (0.5, 1.0)))


def test_shade_is_the_root_of_the_share_of_the_row() -> None:
    assert shades([[3, 1], [0, 0]]) == [[pytest.approx(math.sqrt(0.75)), 0.5], [0.0, 0.0]]


def test_the_running_best_counts_finished_trials_alone() -> None:
    trials = (
        trial(0, 0.5),
        trial(1, 0.9, "pruned"),
        trial(2, 0.4),
        trial(3, 0.7),
        trial(4, None, "failed"),
        trial(5, math.nan),
    )
    sweep = dataclasses.replace(make_study("lenet5", "raw", 4), trials=trials)
    assert running_best(sweep) == [(0, 0.5), (3, 0.7), (5, 0.7)]
    assert running_best(dataclasses.replace(sweep, goal="minimize")) == [(0, 0.5), (2, 0.4), (5, 0.4)]


def test_trials_outside_the_limits_are_held_at_the_edge_and_marked() -> None:
    points = dots([trial(0, 0.1), trial(1, 0.8, "pruned"), trial(2, None, "failed")], [0, 1, 2], (0.5, 1.0))
    assert [(p.x, p.y, p.is_below, p.is_pruned) for p in points] == [(0, 0.5, True, False), (1, 0.8, False, True)]


def test_studies_of_one_metric_share_limits_that_leave_the_worst_tenth_out() -> None:
    sweep = dataclasses.replace(make_study("lenet5", "raw", 4), trials=tuple(trial(n, 0.5 + n / 100) for n in range(20)))
    low, high = metric_limits([sweep])
    assert low < 0.52 < 0.69 < high
    assert low > 0.5


def test_levels_are_set_apart_and_scales_are_kept() -> None:
    span = ParameterFacts(name="p", kind="float", low=None, high=None, log=True, choices=())
    trials = [trial(n, 0.5, p=10.0**-n) for n in range(12)]
    assert slice_xs(span, trials) == ([10.0**-n for n in range(12)], [])
    assert slice_xs(span, [trial(0, 0.5, p=0.01), trial(1, 0.5, p=0.03)]) == ([0.01, 0.03], [])
    span = dataclasses.replace(span, log=False)
    xs, levels = slice_xs(span, [trial(0, 0.5, p=128), trial(1, 0.5, p=32), trial(2, 0.5, p=128)])
    assert levels == ["32", "128"]
    assert [round(x) for x in xs] == [1, 0, 1]


def test_levels_are_named_as_far_as_their_names_fit() -> None:
    assert list(label_levels(["adamw", "adam", "sgd"], 134)) == [0, 1, 2]
    assert list(label_levels([str(n) for n in range(1000, 1008)], 134)) == [0, 2, 4, 6]
    assert list(label_levels(["x" * 90], 134)) == [0]
    assert list(label_levels([], 134)) == []


def test_teams_keep_their_rank_order_and_their_counted_attempt_is_drawn_last() -> None:
    rows = team_rows(make_contest_facts().standings)
    assert [row.name for row in rows] == ["Los Formantes", "Mel & Friends", "zero-crossing"]
    assert [row.attempts[-1][0] for row in rows] == [3, 2, 1]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "$x_1$ $\\frac", "音声 🎤", "a" * 300, '"', "&amp;"])
def test_a_strange_team_name_is_drawn_as_it_is(name: str) -> None:
    standings = make_contest_facts((name, "b", "c")).standings
    picture = attempts_plot(standings, 350, english())
    assert "<script" not in picture
    assert picture == attempts_plot(standings, 350, english())


def test_ids_are_unique_on_the_page_and_references_stay_inside_their_picture(facts: ReportFacts) -> None:
    figures = draw_all(facts)
    pictures = [picture for run in figures.runs.values() for picture in (run.loss, run.f1, run.matrix)]
    pictures += [figures.large_matrix]
    pictures += [p for s in figures.sweeps.values() for p in (s.history, *s.slices, s.importances, s.contour) if p]
    pictures += list(figures.groups.values())
    pictures += [
        p
        for both in (figures.dots, figures.effects, figures.studies, figures.attempts)
        if both
        for p in (both.wide, both.narrow)
    ]
    ids = [found for picture in pictures for found in re.findall(r'\bid="([^"]+)"', picture)]
    assert len(ids) == len(set(ids)) > 0
    for picture in pictures:
        prefix = set(re.findall(r'\bid="([^"]+)"', picture))
        assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', picture)) <= prefix
        assert re.match(r"<svg (class=.small. )?viewBox=", picture)
        assert "<style" not in picture
        assert "font-family" not in picture
        assert not re.search(r"#0[1-7]0", picture), "a stand-in colour was left over"


def test_pictures_print_scores_with_three_decimals(facts: ReportFacts) -> None:
    dot_plot = draw_all(facts).dots
    assert dot_plot is not None
    for run in facts.runs:
        assert run.test is not None
        assert f">{run.test.macro_f1:.3f}</text>" in dot_plot.wide


def test_nothing_to_draw_draws_nothing(tmp_path: Path, facts: ReportFacts) -> None:
    bare = dataclasses.replace(facts, cells=(), chosen="", sweeps=(), contest=None)
    figures = draw_all(bare)
    assert (figures.dots, figures.runs, figures.large_matrix, figures.sweeps, figures.attempts) == (None, {}, "", {}, None)


def test_of_thousands_of_trials_the_best_and_an_even_part_of_the_rest_are_drawn() -> None:
    sweep = make_study("lenet5", "raw", 4096)
    sample = sample_trials(sweep)
    numbers = [item.number for item in sample]
    assert len(sample) == MOST_DOTS
    assert numbers == sorted(set(numbers))
    assert {item.number for item in best_trials(sweep, MOST_DOTS // 5)} <= set(numbers)
    rest = sorted(set(numbers) - {item.number for item in best_trials(sweep, MOST_DOTS // 5)})
    assert max(b - a for a, b in pairwise(rest)) < 40
    assert sample_trials(make_study("lenet5", "raw", 300)) == make_study("lenet5", "raw", 300).trials


def test_lines_of_parallel_coordinates_stand_where_their_settings_do() -> None:
    sweep = make_study("lenet5", "raw", 40)
    axes, lines = parallel_lines(sweep, english())
    assert [axis.title for axis in axes] == ["learning rate", "depth", "batch size", "optimizer", "validation macro-F1"]
    by_number = {item.number: item for item in sweep.trials}
    assert {line.number for line in lines} == {item.number for item in sweep.trials if item.state == "finished"}
    assert sum(line.is_best for line in lines) == round(0.1 * sweep.n("finished"))
    rates = sorted((float(str(by_number[line.number].params["train.learning_rate"])), line.heights[0]) for line in lines)
    assert [height for _, height in rates] == sorted(height for _, height in rates)
    assert (rates[0][1], rates[-1][1]) == (0, 1)
    middle = math.log(rates[3][0] / rates[0][0]) / math.log(rates[-1][0] / rates[0][0])
    assert rates[3][1] == pytest.approx(middle)
    depths = {by_number[line.number].params["model.depth"]: line.heights[1] for line in lines}
    assert depths == {2: pytest.approx(1 / 6), 3: 0.5, 4: pytest.approx(5 / 6)}
    best = lines[-1]
    assert best.is_best
    assert max(line.heights[-1] for line in lines) == 1
    assert f"trial {best.number}: " in best.label
    assert parallel_lines(make_study("lenet5", "raw", 1), english()) == ((), ())


def test_the_field_of_a_contour_follows_its_trials_and_is_blank_where_none_was() -> None:
    sweep = make_study("lenet5", "raw", 64)
    field = smooth_field(sweep)
    assert field is not None
    assert field.values.shape == (N_Y, N_X)
    finished = [item for item in sweep.trials if item.state == "finished"]
    assert sorted(value for _, _, value in field.points) == sorted(item.value for item in finished if item.value is not None)
    top, low = np.unravel_index(np.nanargmax(field.values), field.values.shape), np.nanmin(field.values)
    assert 10**-3.1 < field.xs[top[1]] < 10**-2.1  # the world's best learning rate is 10 ** -2.6
    assert low >= min(value for _, _, value in field.points)
    lone = dataclasses.replace(
        sweep,
        trials=tuple(
            trial(n, 0.9, **{"train.learning_rate": rate, "train.batch_size": size})
            for n, (rate, size) in enumerate([(1e-4, 32), (1.1e-4, 32), (1e-4, 33), (1e-1, 256), (1.1e-4, 33), (9e-2, 256)])
        ),
    )
    blank = smooth_field(lone)
    assert blank is not None
    assert np.isnan(blank.values[N_Y // 2, N_X // 2])
    assert np.isnan(blank.values).mean() > 0.3
    assert smooth_field(dataclasses.replace(sweep, trials=sweep.trials[:4])) is None


def test_effects_keep_their_order_around_zero(facts: ReportFacts) -> None:
    rows = effect_rows(facts.effects, english())
    assert [row.is_main for row in rows] == [True] * 3 + [False] * 4
    assert [len(row.parts) for row in rows] == [4, 4, 4, 2, 2, 2, 1]
    low, high = effect_limits(rows)
    assert low == -high
    assert all(low < x < high for row in rows for x in (row.low, row.high, *row.parts))


def test_studies_of_one_metric_share_a_picture_of_their_best_so_far(facts: ReportFacts) -> None:
    lines = best_lines(facts.sweeps or ())
    assert len(lines) == 8
    low, high = best_limits(lines)
    assert all(low < steps[-1][1] < high for _, steps in lines)
    assert low >= min(y for _, steps in lines for _, y in steps) - 0.01
