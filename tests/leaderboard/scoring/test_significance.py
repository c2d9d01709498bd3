"""The paired bootstrap against a loop, and what it says of ranks."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score

from arena.base.resamples import Resamples
from arena.base.scores import confusion_matrix, macro_f1
from leaderboard.files.solution import Solution, parse_solution
from leaderboard.scoring.grading import draw_resamples
from leaderboard.scoring.significance import compare_teams, find_differences, standard_error
from leaderboard.standings import Evidence, Part

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


def evidence(n_units: int, unit: str = "speakers") -> Evidence:
    return Evidence(unit=unit, n_units=n_units, n_speakers=n_units if unit == "speakers" else 0)


def test_equal_scores_are_one_group_and_far_ones_are_another() -> None:
    solution, predicted = world(12)
    draws = draw_resamples(solution, Part.PUBLIC)
    teams = np.stack([predicted[0], predicted[0], predicted[1], predicted[2]])
    scores = np.array([score(row, draws, solution) for row in teams])
    result = compare_teams(scores, draws.macro_f1(teams), evidence(12))
    assert (result.low, result.high, result.letters) == ((1, 1, 1, 4), (3, 3, 3, 4), ("a", "a", "a", "b"))


def differ(n_units: int, gap: float, spread: float = 0.01, n_replicates: int = 2000) -> bool:
    """Return whether two teams with a normal difference of this standard error are told apart."""
    noise = np.random.default_rng(0).normal(0, spread * np.sqrt((n_units - 1) / n_units), n_replicates)
    scores = np.array([0.9 + gap, 0.9])
    return bool(find_differences(scores, np.stack([scores[0] + noise, 0.9 + 0 * noise], axis=1), n_units).is_below[1, 0])


@pytest.mark.parametrize(("n_units", "limit"), [(5, 2.776), (9, 2.306), (20, 2.15), (2000, 1.96)])
def test_two_teams_differ_beyond_the_limit_of_students_t(n_units: int, limit: float) -> None:
    assert differ(n_units, 0.01 * limit * 1.04)
    assert not differ(n_units, 0.01 * limit * 0.96)


def test_of_many_teams_a_pair_must_differ_by_more_than_of_two() -> None:
    rng = np.random.default_rng(0)
    scores = np.array([0.9, *np.full(24, 0.876)])  # 2.4 standard errors below
    replicates = scores + rng.normal(0, 0.01 / np.sqrt(2), (2000, 25))
    assert find_differences(scores[:2], replicates[:, :2], 100).is_below.any()
    assert not find_differences(scores, replicates, 100).is_below.any()


def test_pairs_that_differ_leave_the_family_of_the_others() -> None:
    rng = np.random.default_rng(0)
    scores = np.array([0.9, 0.8745, *np.linspace(0.7, 0.1, 10)])  # the first two by 2.55 standard errors, the rest far apart
    replicates = scores + rng.normal(0, 0.01 / np.sqrt(2), (2000, 12))
    is_below = find_differences(scores, replicates, 500).is_below
    assert is_below.sum() == 66
    close = np.array([0.9, 0.8745, *np.full(10, 0.89)])
    assert not find_differences(close, close + replicates - scores, 500).is_below[1, 0]


def test_fewer_than_ten_speakers_name_no_single_leader() -> None:
    scores = np.array([0.9, 0.5, 0.1])
    replicates = scores + np.random.default_rng(0).normal(0, 0.001, (500, 3))
    assert compare_teams(scores, replicates, evidence(9)).low == (1, 1, 3)
    assert compare_teams(scores, replicates, evidence(9)).letters == ("a", "a", "b")
    assert compare_teams(scores, replicates, evidence(10)).low == (1, 2, 3)
    few = Evidence(unit="clips", n_units=500, n_speakers=4)
    assert compare_teams(scores, replicates, few).low == (1, 1, 3)
    assert compare_teams(scores, replicates, evidence(500, "clips")).low == (1, 2, 3)


@pytest.mark.parametrize(("n_units", "are_different"), [(1, False), (4, False), (5, False), (6, True), (9, True)])
def test_a_difference_that_no_resample_changes_is_as_sure_as_its_units_are_many(n_units: int, are_different: bool) -> None:
    replicates = np.tile([1.0, 0.0], (100, 1))  # the sign test's 2 ** (1 - n), against 5 %
    assert find_differences(np.array([1.0, 0.0]), replicates, n_units).is_below[1, 0] == are_different


def test_a_board_of_one_team_and_of_none_is_stated_too() -> None:
    assert compare_teams(np.array([0.9]), np.full((10, 1), 0.9), evidence(20)).low == (1,)
    assert compare_teams(np.empty(0), np.empty((10, 0)), evidence(20)).letters == ()


def test_the_smallest_difference_that_is_told_is_the_limit_times_the_error() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, 4000)
    scores = np.array([0.9, 0.89])
    found = find_differences(scores, np.stack([0.9 + noise, np.full(4000, 0.89)], axis=1), 2000)
    assert found.smallest_difference == pytest.approx(1.96 * 0.01, rel=0.04)
    assert find_differences(scores, np.tile(scores, (10, 1)), 20).smallest_difference is None
