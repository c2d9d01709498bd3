"""Labels that a team sent before cost no attempt by accident, and their comparison tells nothing that a score would."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from leaderboard.actions.host import HostDecision, grant_attempts
from leaderboard.actions.merge_teams import merge_teams
from leaderboard.actions.rescore import rescore
from leaderboard.actions.submit import Receipt, submit
from leaderboard.database.create import ContestSettings
from leaderboard.errors import LeaderboardError, RepeatedLabels
from leaderboard.files.solution import parse_solution
from leaderboard.store import Contest, open_contest
from support.contests import IDS, NOW, made, predictions, solution

WHY = HostDecision(reason="a test", decided_at=NOW)
SURE = b"id,label,0,1\n" + b"".join(b"%s,%d,%d,%d\n" % (name.encode(), n % 2, 1 - n % 2, n % 2) for n, name in enumerate(IDS))
UNSURE = SURE.replace(b",1,0\n", b",0.75,0.25\n")
METRIC = b"""
def score(solution, submission, row_id_column_name):
    if "0" not in submission:
        return 0.5
    right = submission["0"].where(solution["label"] == 0, submission["1"])
    return float(right.mean())
"""


def send(contest: Contest, content: bytes, *, team: str = "Alpha", again: bool = False) -> Receipt:
    return submit(contest, team, content, "p.csv", NOW, again=again)


def rewritten(content: bytes) -> dict[str, bytes]:
    """Other files of the same labels."""
    header, *rows = content.splitlines(keepends=True)
    return {
        "rows in another order": header + b"".join(reversed(rows)),
        "other line ends": content.replace(b"\n", b"\r\n"),
        "blank lines": content + b"\n\n",
        "quotes": content.replace(b"clip_07", b'"clip_07"'),
        "columns in another order": b"".join(b",".join(reversed(row.strip().split(b","))) + b"\n" for row in (header, *rows)),
    }


def test_other_files_of_the_same_labels_name_the_attempt_and_its_score_and_cost_nothing(contest_place: str) -> None:
    with made(contest_place, solution(has_usage=True), "Alpha") as contest:
        send(contest, predictions(1))
        first = send(contest, predictions(0, 3)).attempt
        for content in (*rewritten(predictions(0, 3)).values(), SURE.replace(b"_00,0", b"_00,1").replace(b"_03,1", b"_03,0")):
            with pytest.raises(RepeatedLabels) as caught:
                send(contest, content)
            assert str(caught.value) == (
                f"the labels in p.csv are those of attempt 2, which scored {first.score:.3f}; no attempt was used"
            )
            assert "son las del intento 2" in caught.value.translate("es")
        assert len(contest.attempts(contest.team("Alpha"))) == 2
        content = rewritten(predictions(0, 3))["other line ends"]
        second = send(contest, content, again=True)
        assert (second.attempt.number, second.attempt.score, second.n_left) == (3, first.score, 0)
        assert [send(contest, content, again=again).is_new for again in (False, True)] == [False, False]


def test_what_is_compared_is_all_rows_of_the_own_team_alone(contest_place: str) -> None:
    """A team that changes one row learns nothing of its kind, ignored, private or public, nor of another team's labels."""
    text = solution(has_usage=True).content.decode().replace("clip_04,0,Public", "clip_04,0,Ignored")
    with made(contest_place, parse_solution(text.encode(), "solution.csv"), "Alpha", "Beta") as contest:
        for number, wrong in enumerate(((), (4,), (30,)), 1):
            assert send(contest, predictions(*wrong)).attempt.number == number
        for content in (predictions(), rewritten(predictions(4))["blank lines"], rewritten(predictions(30))["quotes"]):
            receipt = send(contest, content, team="Beta")
            assert (receipt.is_new, receipt.team) == (True, "Beta")


def test_probabilities_make_other_work_where_the_hosts_own_metric_may_score_them(contest_place: str) -> None:
    settings = ContestSettings(metric=METRIC, metric_name="certainty")
    with made(contest_place, solution(), "Alpha", settings=settings) as contest:
        scores = [send(contest, content).attempt.score for content in (SURE, UNSURE, predictions())]
        assert scores == [1.0, 0.875, 0.5]
        grant_attempts(contest, contest.team("Alpha"), 1, WHY)
        with pytest.raises(RepeatedLabels, match=r"those of attempt 2, which scored 0\.875"):
            send(contest, UNSURE + b"\n")


def test_by_macro_f1_probabilities_alone_are_no_other_work(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha") as contest:
        send(contest, SURE)
        with pytest.raises(RepeatedLabels, match=r"those of attempt 1, which scored 1\.000"):
            send(contest, UNSURE)


def test_in_ladder_mode_the_score_is_the_one_that_the_team_was_shown(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha", settings=ContestSettings(is_ladder=True)) as contest:
        first = send(contest, predictions(0, 3)).attempt.score
        assert send(contest, predictions(0)).attempt.score == first  # better, but not surely
        with pytest.raises(RepeatedLabels, match=f"those of attempt 2, which scored {first:.3f}"):
            send(contest, predictions(0) + b"\n")


def test_it_holds_after_a_merger_and_a_corrected_solution(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha", "Beta") as contest:
        send(contest, predictions(1), team="Beta")
        send(contest, predictions(2))
        merge_teams(contest, contest.team("Beta"), contest.team("Alpha"), WHY)
        header, *rows = solution(flipped=(1,)).content.decode().splitlines()
        rescore(contest, parse_solution("\n".join([header, *reversed(rows)]).encode(), "solution.csv"), WHY)
        with pytest.raises(RepeatedLabels, match=r"those of attempt 1, which scored 1\.000"):
            send(contest, predictions(1) + b"\n")
        assert send(contest, predictions(1) + b"\n", again=True).attempt.number == 3


def test_of_files_of_the_same_labels_that_come_at_once_one_is_an_attempt(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha"), ThreadPoolExecutor(6) as threads:

        def send_one(n: int) -> str:
            with open_contest(contest_place) as contest:
                try:
                    return f"attempt {send(contest, predictions(5, n_blank=n)).attempt.number}"
                except LeaderboardError as error:
                    return type(error).__name__

        answers = sorted(threads.map(send_one, range(6)))
    assert answers == ["RepeatedLabels"] * 5 + ["attempt 1"]
