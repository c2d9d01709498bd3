"""Student's t against scipy."""

from __future__ import annotations

import math

import pytest
from scipy import stats

from leaderboard.scoring.student_t import compute_t_tail, find_t_limit


@pytest.mark.parametrize("n_degrees", [1, 2, 3, 4, 5, 11, 12, 59, 60, 500, 999])
@pytest.mark.parametrize("t", [0.0, 0.3, 1.0, 1.96, 3.5, 8.0])
def test_the_tail_of_students_t_is_scipys(t: float, n_degrees: int) -> None:
    assert compute_t_tail(t, n_degrees) == pytest.approx(2 * stats.t.sf(t, n_degrees), abs=1e-10)


def test_beyond_a_thousand_degrees_the_tail_is_the_normal() -> None:
    assert compute_t_tail(1.96, 5999) == pytest.approx(2 * stats.t.sf(1.96, 5999), rel=1e-3)


@pytest.mark.parametrize("n_degrees", [1, 4, 9, 19, 500])
@pytest.mark.parametrize("tail", [0.5, 0.05, 1e-3, 1e-6])
def test_the_limit_of_a_tail_is_scipys(tail: float, n_degrees: int) -> None:
    assert find_t_limit(tail, n_degrees) == pytest.approx(stats.t.isf(tail / 2, n_degrees), rel=1e-5)


def test_a_tail_of_all_has_the_limit_zero_and_one_of_nothing_none() -> None:
    assert find_t_limit(1.0, 9) == pytest.approx(0, abs=1e-12)
    assert find_t_limit(0.0, 2000) < math.inf  # erfc is 0 from 27 on
