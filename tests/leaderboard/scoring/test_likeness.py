"""Likeness of answers: honest nets that share hard clips raise few alarms, copies with some rows changed raise one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from leaderboard.scoring.likeness import Likeness, compare_attempts

N_ROWS, N_CLASSES = 600, 10
Answers = tuple[Any, Any, list[int]]


def honest(seed: int, n_teams: int, n_attempts: int = 2) -> Answers:
    """Nets of one course: rows of very different difficulty, one mistake likely in each, skills between 0.8 and 0.97."""
    rng = np.random.default_rng(seed)
    truth = np.arange(N_ROWS) % N_CLASSES
    difficulty, likely = rng.normal(-5, 3, N_ROWS), (truth + rng.integers(1, N_CLASSES, N_ROWS)) % N_CLASSES
    answers, teams = [], []
    for team in range(n_teams):
        skill = rng.normal(0, 0.7)
        for _ in range(n_attempts):
            is_wrong = rng.random(N_ROWS) < 1 / (1 + np.exp(skill - difficulty))
            other = np.where(rng.random(N_ROWS) < 0.8, likely, (truth + rng.integers(1, N_CLASSES, N_ROWS)) % N_CLASSES)
            answers.append(np.where(is_wrong, other, truth))
            teams.append(team)
    return np.array(answers), truth, teams


def find(lines: list[Likeness], teams: list[int]) -> list[tuple[int, int]]:
    return [(teams[line.first], teams[line.second]) for line in lines if line.is_alike]


@pytest.mark.parametrize("n_teams", [2, 3, 8, 25])
def test_honest_nets_that_share_hard_rows_raise_no_alarm(n_teams: int) -> None:
    for seed in range(8):
        answers, truth, teams = honest(seed, n_teams)
        lines = compare_attempts(answers, truth, teams, N_CLASSES)
        assert len(lines) == n_teams * (n_teams - 1) // 2
        assert find(lines, teams) == []


@pytest.mark.parametrize("share", [0.0, 0.02, 0.05, 0.1])
def test_a_copy_with_some_rows_changed_is_the_one_pair_that_is_alike(share: float) -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        answers, truth, teams = honest(seed, 25)
        is_changed = rng.random(N_ROWS) < share
        answers[4] = np.where(is_changed, rng.integers(0, N_CLASSES, N_ROWS), answers[1])  # team 2 copies team 0
        assert find(compare_attempts(answers, truth, teams, N_CLASSES), teams) == [(0, 2)]


def test_equal_answers_are_alike_in_the_smallest_contest_unless_all_are_right() -> None:
    answers, truth, teams = honest(0, 2, 1)
    answers[1] = answers[0]
    (line,) = compare_attempts(answers, truth, teams, N_CLASSES)
    n_wrong = int((answers[0] != truth).sum())
    assert (line.is_alike, line.n_equal, line.n_wrong, line.n_same_wrong) == (True, N_ROWS, (n_wrong, n_wrong), n_wrong)
    (line,) = compare_attempts(np.array([truth, truth]), truth, teams, N_CLASSES)
    assert (line.is_alike, line.n_same_wrong, line.n_expected) == (False, 0, pytest.approx(0, abs=1e-6))


def test_attempts_of_one_team_are_not_compared() -> None:
    answers, truth, _ = honest(0, 1, 3)
    assert compare_attempts(answers, truth, [0, 0, 0], N_CLASSES) == []


def test_shared_mistakes_are_counted_and_expected_as_often_as_the_rows_are_hard() -> None:
    truth = np.zeros(100, dtype=int)
    answers = np.zeros((25, 100), dtype=int)
    answers[:, :10] = 1  # ten rows that everybody takes for 1
    lines = compare_attempts(answers, truth, range(25), 2)
    assert {line.n_same_wrong for line in lines} == {10}
    assert lines[0].n_expected == pytest.approx(9, abs=0.5)
