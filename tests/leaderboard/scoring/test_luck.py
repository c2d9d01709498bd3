"""Winner's curse: its estimate on contests whose truth is known, and what the board says of it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from leaderboard.scoring.lead import describe_luck
from leaderboard.scoring.luck import estimate_luck
from leaderboard.standings import Luck, Part
from support.report_facts import make_contest_facts

N_UNITS = 40


def contest(rng: np.random.Generator, true: np.ndarray, error: float = 0.01) -> tuple[np.ndarray, np.ndarray]:
    """Return (A,) scores with a normal error each, and their (R, A) replicates."""
    scores = true + rng.normal(0, error, len(true))
    return scores, scores + rng.normal(0, error * np.sqrt((N_UNITS - 1) / N_UNITS), (400, len(true)))


@pytest.mark.parametrize(
    ("true", "n_attempts"),
    [
        (np.full(15, 0.9), 3),  # all alike
        (np.linspace(0.92, 0.8, 25), 1),
        (np.repeat([0.9, 0.88], 3), 3),
    ],
    ids=["alike", "spread", "two teams"],
)
def test_the_estimate_is_the_luck_on_average(true: np.ndarray, n_attempts: int) -> None:
    rng = np.random.default_rng(5)
    lucks, estimates = [], []
    for _ in range(120):
        scores, replicates = contest(rng, true)
        teams = np.repeat(np.arange(len(true) // n_attempts), n_attempts).tolist()
        luck = estimate_luck(scores, replicates, teams, N_UNITS)
        first = scores.argmax()
        lucks.append(scores[first] - true[first])
        estimates.append(luck.of_attempts + luck.of_rank)
        assert luck.expected == pytest.approx(scores[first] - estimates[-1])
    left = np.array(lucks) - np.array(estimates)
    assert abs(left.mean()) < 0.25 * np.mean(lucks) + 3 * left.std() / np.sqrt(len(left))
    assert np.mean(lucks) > 0.004


def test_a_team_alone_has_the_luck_of_its_attempts_and_none_of_its_rank() -> None:
    scores, replicates = contest(np.random.default_rng(0), np.full(3, 0.9))
    luck = estimate_luck(scores, replicates, [0, 0, 0], N_UNITS)
    assert luck.of_rank == pytest.approx(0, abs=1e-9)
    assert luck.of_attempts == pytest.approx(0.0085, abs=0.004)  # the expected greatest of three normals: 0.846 errors


def test_a_first_team_far_ahead_has_no_luck() -> None:
    scores, replicates = contest(np.random.default_rng(0), np.array([0.95, *np.full(9, 0.5)]))
    luck = estimate_luck(scores, replicates, list(range(10)), N_UNITS)
    assert (luck.of_attempts, luck.of_rank) == pytest.approx((0, 0), abs=2e-3)


def test_the_luck_is_told_once_the_contest_is_closed() -> None:
    first, *others = make_contest_facts().standings
    line = dataclasses.replace(first, score=0.943, luck=Luck(of_attempts=0.004, of_rank=0.002, expected=0.937))
    assert describe_luck([first, *others], Part.PUBLIC) == ""
    assert describe_luck([line, *others], Part.PUBLIC) == (
        "luck: about 0.0060 of the 0.9430 of Los Formantes, 0.0040 by the best of its attempts and 0.0020 by being the first "
        "of 3; 0.9370 is what this file would get on others of the kind"
    )
    assert describe_luck([line, *others], Part.PRIVATE) == (
        "luck: public rows chose the attempt of Los Formantes, so its private 0.9430 has none of the best of three; being the "
        "first of 3 gives about 0.0020, and 0.9370 is what this file would get on others of the kind"
    )
