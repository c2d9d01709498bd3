"""A slice of the simulation of `benchmarks/rank_coverage.py`: how often all ranks on the board are right."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.contest_worlds import LEVELS
from benchmarks.rank_coverage import Outcome, simulate_board


def boards(name: str, n_speakers: int, n_contests: int) -> list[Outcome]:
    return [simulate_board(LEVELS[name], n_speakers, seed, n_replicates=600) for seed in range(n_contests)]


@pytest.mark.parametrize(("name", "n_speakers"), [("all alike", 20), ("five groups of five", 20), ("all alike", 5)])
def test_all_ranks_of_nearly_all_boards_hold_the_truth(name: str, n_speakers: int) -> None:
    outcomes = boards(name, n_speakers, 40)
    assert sum(outcome.all_ranks_hold for outcome in outcomes) >= 35  # 38 are expected; 34 or fewer in 4 % of such slices
    assert sum(outcome.best_is_possible for outcome in outcomes) >= 35


def test_teams_whose_nets_differ_are_no_longer_one_group() -> None:
    outcomes = boards("evenly spread", 40, 12)
    assert min(outcome.largest_chain for outcome in outcomes) >= 20  # the brackets of before joined 20 to 25 teams
    assert np.mean([outcome.n_possible for outcome in outcomes]) < 8
    assert np.mean([outcome.width for outcome in outcomes]) < 10


def test_a_team_far_ahead_is_found() -> None:
    outcomes = boards("one ahead of 24 alike", 40, 12)
    assert np.mean([outcome.n_possible for outcome in outcomes]) < 4
    assert all(outcome.best_is_possible for outcome in outcomes)
