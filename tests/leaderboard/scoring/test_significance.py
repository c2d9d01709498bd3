"""The paired bootstrap against a loop, Student's t and Holm against tables, and the sentence that is made of them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from arena.base.resamples import Resamples
from arena.base.scores import confusion_matrix, macro_f1
from leaderboard.cli.standings import brackets
from leaderboard.files.solution import Solution, parse_solution
from leaderboard.scoring.grading import draw_resamples
from leaderboard.scoring.significance import (
    TeamComparison,
    adjust_by_holm,
    compare_teams,
    compute_p_value,
    compute_t_tail,
    describe_leader,
    standard_error,
)
from leaderboard.standings import Part

N_ROWS, N_LABELS = 300, 4


def world(n_speakers: int = 0, has_usage: bool = False) -> tuple[Solution, np.ndarray]:
    """A solution, and (3, N) predictions of teams that are right in 90, 88 and 50 % of the rows."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, N_LABELS, N_ROWS)
    header = "id,label" + ",Group" * bool(n_speakers) + ",Usage" * has_usage
    usage = rng.permutation(np.repeat(["Public", "Private"], N_ROWS // 2))
    rows = [
        f"c{n},{truth[n]}" + f",s{n % n_speakers}" * bool(n_speakers) + f",{usage[n]}" * has_usage
        if n_speakers
        else f"c{n},{truth[n]}" + f",{usage[n]}" * has_usage
        for n in range(N_ROWS)
    ]
    predicted = [np.where(rng.random(N_ROWS) < right, truth, rng.integers(0, N_LABELS, N_ROWS)) for right in (0.87, 0.85, 0.3)]
    return parse_solution("\n".join([header, *rows]).encode(), "solution.csv"), np.stack(predicted)


def score(predicted: np.ndarray, draws: Resamples, solution: Solution) -> float:
    return macro_f1(confusion_matrix(solution.truth[draws.rows], predicted[draws.rows], len(solution.labels)))


@pytest.mark.parametrize(("n_speakers", "has_usage"), [(0, False), (0, True), (12, False), (12, True), (4, False)])
def test_the_replicates_of_each_team_are_those_of_a_loop_over_the_same_draws(n_speakers: int, has_usage: bool) -> None:
    solution, predicted = world(n_speakers, has_usage)
    part = Part.PRIVATE if has_usage else Part.PUBLIC
    draws = draw_resamples(solution, part, n_replicates=20)
    assert draws.unit_name == ("speakers" if n_speakers == 12 else "clips")
    assert draws.n_units == (12 if n_speakers == 12 else len(draws.rows))
    assert np.all(draws.weights.sum(axis=1) == draws.n_units)
    result = draws.macro_f1(predicted)
    assert result.shape == (20, 3)
    for replicate, weights in zip(result, draws.weights, strict=True):
        indices = np.repeat(draws.rows, weights[draws.unit].astype(int))
        for team, score in zip(predicted, replicate, strict=True):
            labels = list(range(N_LABELS))
            expected = f1_score(solution.truth[indices], team[indices], average="macro", labels=labels, zero_division=0)
            assert score == pytest.approx(expected, abs=1e-12)


def test_teams_in_chunks_have_the_replicates_that_they_have_together(monkeypatch: pytest.MonkeyPatch) -> None:
    solution, predicted = world()
    together = draw_resamples(solution, Part.PUBLIC, n_replicates=50).macro_f1(predicted)
    monkeypatch.setattr("arena.base.resamples._MAX_CELLS", 1)
    assert np.array_equal(draw_resamples(solution, Part.PUBLIC, n_replicates=50).macro_f1(predicted), together)


def test_the_standard_error_is_that_of_many_fresh_contests() -> None:
    solution, predicted = world()
    draws = draw_resamples(solution, Part.PUBLIC)
    error = standard_error(draws.macro_f1(predicted)[:, :2], draws.n_units)
    rng = np.random.default_rng(7)
    differences = []
    for _ in range(400):  # row by row: 300 fresh rows of the same two teams
        truth = rng.integers(0, N_LABELS, N_ROWS)
        scores = []
        for right in (0.87, 0.85):
            guess = np.where(rng.random(N_ROWS) < right, truth, rng.integers(0, N_LABELS, N_ROWS))
            scores.append(macro_f1(np.bincount(truth * N_LABELS + guess, minlength=16).reshape(4, 4)))
        differences.append(scores[0] - scores[1])
    assert error == pytest.approx(np.std(differences), rel=0.15)


@pytest.mark.parametrize("n_degrees", [1, 2, 3, 4, 5, 11, 12, 59, 60, 500, 999])
@pytest.mark.parametrize("t", [0.0, 0.3, 1.0, 1.96, 3.5, 8.0])
def test_the_tail_of_students_t_is_scipys(t: float, n_degrees: int) -> None:
    assert compute_t_tail(t, n_degrees) == pytest.approx(2 * stats.t.sf(t, n_degrees), abs=1e-10)


def test_beyond_a_thousand_degrees_the_tail_is_the_normal() -> None:
    assert compute_t_tail(1.96, 5999) == pytest.approx(2 * stats.t.sf(1.96, 5999), rel=1e-3)


def test_holm_adjusts_step_by_step() -> None:
    # 0.005 * 4; 0.01 * 3; 0.03 * 2; 0.04 * 1 is less than the one before
    assert adjust_by_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert adjust_by_holm([0.6, 0.7]) == [1.0, 1.0]
    assert adjust_by_holm([]) == []


def test_equal_scores_are_tied_and_far_ones_are_not() -> None:
    solution, predicted = world(12)
    draws = draw_resamples(solution, Part.PUBLIC)
    teams = np.stack([predicted[0], predicted[0], predicted[1], predicted[2]])
    scores = np.array([score(row, draws, solution) for row in teams])
    result = compare_teams(scores, draws.macro_f1(teams), draws.n_units)
    assert result.is_tied_with_above == (False, True, True, False)
    assert result.could_be_first == (True, True, True, False)
    assert compute_p_value(scores[:2], draws.macro_f1(teams[:2]), draws.n_units) == 1.0
    low_high = draws.interval(draws.macro_f1(teams)[:, 0])
    assert low_high.low < scores[0] < low_high.high


def test_under_no_difference_one_contest_in_twenty_names_a_winner_at_most() -> None:
    rng = np.random.default_rng(3)
    named = 0
    for _ in range(120):
        truth = rng.integers(0, 2, 120)
        text = "id,label\n" + "".join(f"c{n},{label}\n" for n, label in enumerate(truth))
        solution = parse_solution(text.encode(), "solution.csv")
        teams = np.stack([np.where(rng.random(120) < 0.8, truth, 1 - truth) for _ in range(3)])
        draws = draw_resamples(solution, Part.PUBLIC, n_replicates=200)
        scores = np.array([score(row, draws, solution) for row in teams])
        order = np.argsort(-scores)
        named += sum(compare_teams(scores[order], draws.macro_f1(teams[order]), draws.n_units).could_be_first) == 1
    assert named <= 16  # 6 are expected at most; the best of three is picked, which the test does not know


def verdict(*could: bool, p: float = 0.01) -> TeamComparison:
    return TeamComparison(is_tied_with_above=(False,) * len(could), could_be_first=could, p_second=p)


@pytest.mark.parametrize(
    ("names", "scores", "result", "expected"),
    [
        ([], [], verdict(), "No team has an attempt yet."),
        (["Alpha"], [0.9], verdict(True), "Alpha is the only team with an attempt."),
        (
            ["Alpha", "Beta"],
            [0.9, 0.85],
            verdict(True, False),
            "Alpha is first: its lead of 0.0500 over Beta is more than chance explains (p = 0.010 over speakers).",
        ),
        (
            ["Alpha", "Beta"],
            [0.9, 0.85],
            verdict(True, False, p=1e-9),
            "Alpha is first: its lead of 0.0500 over Beta is more than chance explains (p < 0.001 over speakers).",
        ),
        (
            ["Alpha", "Beta", "Gamma"],
            [0.9, 0.89, 0.5],
            verdict(True, True, False),
            "Alpha and Beta cannot be told apart: with other speakers any of them could be first.",
        ),
        (["Alpha", "Beta"], [0.9, 0.9], verdict(True, True), "Alpha and Beta share the first place with the same score."),
        (
            [f"T{n}" for n in range(9)],
            [0.9 - n / 1000 for n in range(9)],
            verdict(*[True] * 9),
            "T0, T1, T2, T3, T4 and 4 more cannot be told apart: with other speakers any of them could be first.",
        ),
    ],
)
def test_a_sentence_says_who_is_really_first(
    names: list[str], scores: list[float], result: TeamComparison, expected: str
) -> None:
    assert describe_leader(names, np.array(scores), result, "speakers") == expected


def test_brackets_stand_beside_those_that_belong_together() -> None:
    assert brackets([False, True, True, False, False, True]) == ["┌", "│", "└", "", "┌", "└"]
    assert brackets([]) == []


@pytest.mark.parametrize(("n_units", "p"), [(1, 1.0), (4, 0.125), (9, 1 / 256)])
def test_a_difference_that_no_resample_changes_is_as_sure_as_its_units_are_many(n_units: int, p: float) -> None:
    replicates = np.tile([1.0, 0.0], (100, 1))
    assert compute_p_value(np.array([1.0, 0.0]), replicates, n_units) == p
