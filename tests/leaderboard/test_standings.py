"""Standings: the attempt that counts, the ranks, and the units of the intervals."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from arena.base.scores import macro_f1
from leaderboard.actions.submit import submit
from leaderboard.errors import ContestError
from leaderboard.files.solution import parse_solution
from leaderboard.standings import Part, compute_ranks
from leaderboard.store import Contest, create_contest

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
IDS = [f"clip_{n:02d}" for n in range(20)]
SOLUTION = "id,label\n" + "".join(f"{name},{n % 2}\n" for n, name in enumerate(IDS))
# Private: the last ten rows, both labels.
SPLIT_SOLUTION = "id,label,Usage\n" + "".join(
    f"{name},{n % 2},{'Public' if n < 10 else 'Private'}\n" for n, name in enumerate(IDS)
)


def made(folder: Path, solution: str) -> Contest:
    parsed = parse_solution(solution.encode(), "solution.csv")
    return create_contest(folder / "contest.db", solution=parsed, name="Digits", now=NOW)


def send(contest: Contest, team: str, *wrong: int, file_name: str = "p.csv") -> None:
    """Submit a file that is wrong in these rows."""
    rows = "".join(f"{name},{(n % 2) ^ (n in wrong)}\n" for n, name in enumerate(IDS))
    submit(contest, team, f"id,label\n{rows}".encode(), file_name, NOW)


def ranking(contest: Contest, part: Part = Part.PUBLIC) -> list[tuple[int, str]]:
    return [(line.rank, line.team) for line in contest.standings(part)]


def test_the_best_attempt_counts_and_equal_scores_share_a_rank(tmp_path: Path) -> None:
    with made(tmp_path, SOLUTION) as contest:
        for team in ("Late", "early", "Low", "Idle"):
            contest.add_team(team, NOW)
        send(contest, "early", 1)
        send(contest, "Low", 1, 2, 3)
        send(contest, "Late", 1, 2, 3, 4)
        send(contest, "Late", 3, file_name="best.csv")
        send(contest, "Late", 1, 3)
        assert ranking(contest) == [(1, "early"), (1, "Late"), (3, "Low")]
        line = contest.standings()[1]
        assert (line.best, line.n_attempts, [a.number for a in line.attempts]) == (2, 3, [1, 2, 3])
        assert (line.macro_f1, line.metrics["accuracy"]) == (pytest.approx(2 * 9 / 19 / 2 + 2 * 10 / 21 / 2), 0.95)
        assert line.attempts[1].file_name == "best.csv"
        assert line.interval.low <= line.macro_f1 <= line.interval.high
        assert (line.interval.unit, line.interval.n_units) == ("clips", 20)


def test_the_same_classes_in_another_order_share_a_rank() -> None:
    confusion = np.array([[7, 5, 4], [2, 2, 0], [0, 0, 1]], dtype=np.int64)
    turned = confusion[np.ix_([2, 0, 1], [2, 0, 1])]
    assert macro_f1(confusion) != macro_f1(turned)  # the sums differ in their last bit
    assert compute_ranks({"X": macro_f1(turned), "Y": macro_f1(confusion), "Z": 0.4}) == {"X": 1, "Y": 1, "Z": 3}


def test_only_public_rows_score_until_private_ones_are_asked_for(tmp_path: Path) -> None:
    with made(tmp_path, SPLIT_SOLUTION) as contest:
        for team in ("Public best", "Private best"):
            contest.add_team(team, NOW)
        send(contest, "Public best", 10, 11, 12, 13)
        send(contest, "Private best", 0)
        send(contest, "Private best", 0, 1, 12)
        assert ranking(contest) == [(1, "Public best"), (2, "Private best")]
        assert [line.metrics["accuracy"] for line in contest.standings()] == [1.0, 0.9]
        assert ranking(contest, Part.PRIVATE) == [(1, "Private best"), (2, "Public best")]
        private = contest.standings(Part.PRIVATE)
        assert [line.metrics["accuracy"] for line in private] == [1.0, 0.6]
        assert (private[0].best, [a.metrics["accuracy"] for a in private[0].attempts]) == (1, [1.0, 0.9])
        assert private[1].interval.n_units == 10


def test_private_standings_need_a_usage_column(tmp_path: Path) -> None:
    with made(tmp_path, SOLUTION) as contest, pytest.raises(ContestError, match="private standings need a Usage column"):
        contest.standings(Part.PRIVATE)


def test_intervals_are_over_speakers_where_five_are_named(tmp_path: Path) -> None:
    rows = "".join(f"{name},{n % 2},s{n % 5}\n" for n, name in enumerate(IDS))
    with made(tmp_path, "id,label,Group\n" + rows) as contest:
        contest.add_team("Alpha", NOW)
        send(contest, "Alpha", 0, 5)
        interval = contest.standings()[0].interval
    assert (interval.unit, interval.n_units) == ("speakers", 5)
