"""The sentence at `init` on what a test set tells apart."""

from __future__ import annotations

import numpy as np
import pytest

from leaderboard.files.solution import Solution, parse_solution
from leaderboard.scoring.power import DISCORD, SPREAD, compute_smallest_difference, describe_power


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
            "1,000 clips of 10 speakers tell two teams apart that differ by 0.024 or more "
            "(each pair of 25 teams at once: 0.065); for 0.01 take 45 speakers",
        ),
        (
            *(600, 6),
            "600 clips of 6 speakers tell two teams apart that differ by 0.035 or more "
            "(each pair of 25 teams at once: 0.137); for 0.02 take 15 speakers; "
            "below 10 speakers the board names no single leader",
        ),
        (
            *(500, 3),
            "500 clips of 3 speakers tell two teams apart that differ by 0.024 or more, and say nothing of other speakers; "
            "name 10 speakers or more",
        ),
        (
            *(500, 0),
            "500 clips without speakers (no Group column) tell two teams apart that differ by 0.024 or more, "
            "and say nothing of other speakers; name 10 speakers or more",
        ),
    ],
)
def test_a_test_set_says_what_it_tells_apart(n_clips: int, n_speakers: int, expected: str) -> None:
    assert describe_power(make(n_clips, n_speakers)) == expected


def test_where_rows_are_private_those_decide() -> None:
    assert describe_power(make(1000, 10, has_usage=True)).startswith("250 private clips of 3 speakers")


def test_the_difference_is_that_of_a_paired_t_test_on_simulated_speakers() -> None:
    rng = np.random.default_rng(0)
    n_speakers, n_clips, n_tests = 12, 100, 20_000
    true = rng.normal(0, SPREAD, (n_tests, n_speakers))
    means = (true + rng.normal(0, np.sqrt(DISCORD / n_clips), true.shape)).mean(axis=1)
    limit = compute_smallest_difference(n_speakers, n_clips)
    assert limit == pytest.approx(2.201 * means.std(), rel=0.02)  # Student's t with eleven degrees at 5 %


def test_many_pairs_need_more_and_more_speakers_less() -> None:
    assert compute_smallest_difference(20, 50, n_pairs=300) > compute_smallest_difference(20, 50)
    assert compute_smallest_difference(40, 50) < compute_smallest_difference(20, 50)
