"""What a team and the public are shown of scores while a contest runs, and what follows at its close."""

from __future__ import annotations

from pathlib import Path

import pytest

from leaderboard.actions.host import HostDecision, close_contest
from leaderboard.classes.gradebook import compute_grades
from leaderboard.database.create import ContestSettings
from leaderboard.points import PointsBy, parse_points
from leaderboard.rules import DetailsFrom
from support.contests import NOW, made, send, solution

METRIC = b"def score(solution, submission, row_id_column_name):\n    return 1234.5678\n"


@pytest.fixture
def where(tmp_path: Path) -> str:
    return str(tmp_path / "c.db")


def test_scores_have_three_decimals_intervals_two_outwards_and_all_of_them_follow_at_the_close(where: str) -> None:
    with made(where, solution(), "Alpha") as contest:
        receipt = send(contest, "Alpha", 0, 2, 4)
        exact = contest.details(contest.team("Alpha"), 1)
        (line,) = contest.board().lines
        assert receipt.attempt.score == line.score == round(exact.attempt.score, 3) != exact.attempt.score
        for interval in (receipt.interval, line.interval):
            assert 0 <= exact.interval.low - interval.low < 0.01
            assert 0 <= interval.high - exact.interval.high < 0.01
            assert (interval.low, interval.high) == (round(interval.low, 2), round(interval.high, 2))
        assert (line.metrics, contest.shown_details(contest.team("Alpha"), 1).confusion) == ({}, None)
        close_contest(contest, HostDecision(reason="over", decided_at=NOW))
        (line,) = contest.board().lines
        shown = contest.shown_details(contest.team("Alpha"), 1)
        assert (line.score, line.interval, line.metrics["accuracy"]) == (exact.attempt.score, exact.interval, 0.925)
        assert (shown.classes, shown.confusion, shown.weighted_f1) == (exact.classes, exact.confusion, exact.weighted_f1)


def test_the_difference_that_tells_teams_apart_has_two_decimals_upwards_until_the_close(where: str) -> None:
    """It depends on both files: with three decimals a friend's file of known answers read more of the other than its score."""
    with made(where, solution(n_speakers=10), "Alpha", "Beta") as contest:
        send(contest, "Alpha", 0, 2, 4)
        send(contest, "Beta", 1, minute=1)
        shown = contest.board().smallest_difference
        close_contest(contest, HostDecision(reason="over", decided_at=NOW))
        exact = contest.board().smallest_difference
        assert shown is not None
        assert exact is not None
        assert shown == round(shown, 2)
        assert 0 < shown - exact < 0.01


def test_a_host_may_show_details_during_the_contest(where: str) -> None:
    with made(where, solution(), "Alpha", settings=ContestSettings(details=DetailsFrom.DURING)) as contest:
        receipt = send(contest, "Alpha", 0, 2, 4)
        exact = contest.details(contest.team("Alpha"), 1)
        assert (receipt.attempt, receipt.interval) == (exact.attempt, exact.interval)
        assert contest.shown_details(contest.team("Alpha"), 1).confusion == exact.confusion


def test_a_metric_of_the_host_beyond_one_has_three_digits(where: str) -> None:
    with made(where, solution(), "Alpha", settings=ContestSettings(metric=METRIC, metric_name="cost")) as contest:
        assert send(contest, "Alpha").attempt.score == 1230
        assert contest.attempts(contest.team("Alpha"))[0].score == 1234.5678


def test_the_ladder_answers_a_second_question_with_the_answer_to_the_first(where: str) -> None:
    with made(where, solution(), "Alpha", settings=ContestSettings(is_ladder=True)) as contest:
        first, second = send(contest, "Alpha", *range(8)), send(contest, "Alpha", *range(20), minute=1)
        assert (second.attempt.score, second.interval) == (first.attempt.score, first.interval)


def test_a_threshold_of_the_gradebook_is_compared_with_all_digits_while_the_board_shows_three(where: str) -> None:
    with made(where, solution(), "Alpha") as contest:
        shown = send(contest, "Alpha", 0, 2, 4).attempt.score
        exact = contest.attempts(contest.team("Alpha"))[0].score
        (grade,) = compute_grades(contest, parse_points(PointsBy.THRESHOLDS, f"{(shown + exact) / 2}:5", 0))
        assert shown != exact
        assert (grade.score, grade.points) == (exact, 5 if exact > shown else 0)
