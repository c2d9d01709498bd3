"""The sentence at `init` on what a test set tells apart."""

from __future__ import annotations

import numpy as np
import pytest

from leaderboard.files.solution import Solution, parse_solution
from leaderboard.scoring.power import DISCORD, SPREAD, compute_smallest_difference, describe_power
from leaderboard.scoring.student_t import find_t_limit


def make(n_clips: int, n_speakers: int, *, has_usage: bool = False) -> Solution:
    header = "id,label" + ",Group" * bool(n_speakers) + ",Usage" * has_usage
    rows = []
    for n in range(n_clips):
        speaker = [f"s{n // 10 % n_speakers}"] if n_speakers else []
        usage = ["Private" if n % 100 < 25 else "Public"] if has_usage else []
        rows.append(",".join([f"c{n}", str(n % 10), *speaker, *usage]))
    return parse_solution("\n".join([header, *rows]).encode(), "solution.csv")


@pytest.mark.parametrize(
    ("n_clips", "n_speakers", "expected"),
    [
        (
            *(1000, 10),
            "1,000 clips of 10 speakers tell two teams apart, four times in five, that truly differ by 0.033 "
            "or more (each pair of 25 teams at once: 0.074); for 0.02 take 25 speakers",
        ),
        (
            *(600, 6),
            "600 clips of 6 speakers tell two teams apart, four times in five, that truly differ by 0.048 "
            "or more (each pair of 25 teams at once: 0.149); for 0.02 take 25 speakers; "
            "below 10 speakers the board names no single leader",
        ),
        (
            *(500, 3),
            "500 clips of 3 speakers tell two teams apart, four times in five, that truly differ by 0.034 or more, "
            "and say nothing of other speakers; name 10 speakers or more",
        ),
        (
            *(500, 1),
            "500 clips of 1 speaker tell two teams apart, four times in five, that truly differ by 0.034 or more, "
            "and say nothing of other speakers; name 10 speakers or more",
        ),
        (
            *(500, 0),
            "500 rows without a Group column tell two teams apart, four times in five, "
            "that truly differ by 0.034 or more; where speakers are known, name 10 or more",
        ),
    ],
)
def test_a_test_set_says_what_it_tells_apart(n_clips: int, n_speakers: int, expected: str) -> None:
    assert describe_power(make(n_clips, n_speakers)) == expected


def test_where_rows_are_private_those_decide() -> None:
    assert describe_power(make(1000, 10, has_usage=True)).startswith("250 private clips of 3 speakers")


@pytest.mark.parametrize(("n_speakers", "n_clips"), [(6, 100), (12, 100), (45, 50)])
def test_teams_that_truly_differ_by_it_are_told_apart_in_four_of_five_simulated_contests(n_speakers: int, n_clips: int) -> None:
    rng, n_tests = np.random.default_rng(0), 20_000
    spread = np.sqrt(SPREAD**2 + DISCORD / n_clips)
    differences = rng.normal(compute_smallest_difference(n_speakers, n_clips), spread, (n_tests, n_speakers))
    t = differences.mean(axis=1) / differences.std(axis=1, ddof=1) * np.sqrt(n_speakers)
    assert np.mean(t > find_t_limit(0.05, n_speakers - 1)) == pytest.approx(0.8, abs=0.03)


def test_many_pairs_need_more_and_more_speakers_less() -> None:
    assert compute_smallest_difference(20, 50, n_pairs=300) > compute_smallest_difference(20, 50)
    assert compute_smallest_difference(40, 50) < compute_smallest_difference(20, 50)
