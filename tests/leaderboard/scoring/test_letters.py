"""Letters of groups: their definition on random tables, and cases from Piepho's paper."""

from __future__ import annotations

import numpy as np
import pytest

from leaderboard.scoring.letters import write_letters


def table(n: int, *pairs: tuple[int, int]) -> np.ndarray:
    is_different = np.zeros((n, n), dtype=bool)
    for first, second in pairs:
        is_different[first, second] = is_different[second, first] = True
    return is_different


@pytest.mark.parametrize(
    ("n", "pairs", "letters"),
    [
        (0, [], ()),
        (1, [], ("a",)),
        (3, [], ("a", "a", "a")),
        (3, [(0, 2)], ("a", "ab", "b")),
        (3, [(0, 1), (0, 2), (1, 2)], ("a", "b", "c")),
        (4, [(0, 1)], ("a", "b", "ab", "ab")),  # two close teams with small errors between wide ones
        (8, [(0, 6), (0, 7), (1, 6), (1, 7), (2, 7), (3, 6), (3, 7), (4, 7)], ("a", "a", "ab", "a", "ab", "ac", "bc", "c")),
    ],
)
def test_teams_share_a_letter_where_their_difference_could_be_chance(
    n: int, pairs: list[tuple[int, int]], letters: tuple[str, ...]
) -> None:
    assert write_letters(table(n, *pairs)) == letters


def test_letters_say_exactly_what_the_table_says() -> None:
    rng = np.random.default_rng(0)
    for n in (2, 5, 12, 25):
        for share in (0.1, 0.4, 0.8):
            upper = np.triu(rng.random((n, n)) < share, 1)
            letters = write_letters(upper | upper.T)
            if any(letters):
                shared = [[bool(set(a) & set(b)) for b in letters] for a in letters]
                assert np.array_equal(np.array(shared), ~(upper | upper.T))


def test_a_board_that_needs_more_letters_than_there_are_has_none() -> None:
    n = 60
    assert write_letters(~np.eye(n, dtype=bool)) == ("",) * n
