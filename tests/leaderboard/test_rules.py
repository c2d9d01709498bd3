"""Tokens, refused files, pseudonyms, ties, Ladder mode, the host's own metric and copies; what both databases do on both."""

from __future__ import annotations

import hashlib
import threading
from datetime import timedelta

import pytest
from sqlalchemy import text

from leaderboard.actions.submit import submit, validate_submission
from leaderboard.database.backup import back_up, restore_into
from leaderboard.database.create import ContestSettings
from leaderboard.deadline import describe_distance, describe_for_reader
from leaderboard.errors import ContestError, MetricError, SubmissionError, TeamError, TooManyRefusals
from leaderboard.rules import Ties
from leaderboard.standings import AttemptModel, ModelState, Part
from leaderboard.store import Contest, open_contest
from leaderboard.teams import Team
from leaderboard.verification.sent_models import attach_model, read_sent_models, record_verification
from leaderboard.verification.verify import Verification
from support.contests import DEADLINE, NOW, made, predictions, ranking, send, solution


def test_a_token_is_kept_as_a_hash_and_dies_when_it_is_revoked(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha", "Beta") as contest:
        alpha = contest.team("Alpha")
        first, second = contest.new_token(alpha, NOW), contest.new_token(alpha, NOW)
        other_token = contest.new_token(contest.team("Beta"), NOW)
        assert len({first, second, other_token}) == 3
        assert min(map(len, (first, second, other_token))) == 43  # 32 bytes
        assert (contest.find_team_by_token(first), contest.find_team_by_token(second)) == (alpha, alpha)
        for wrong in ("", first[:-1], first + "x", "x" * 10_000, "\udcff"):
            assert contest.find_team_by_token(wrong) is None
        with contest.database.read() as connection:
            stored = str(connection.execute(text("SELECT * FROM tokens")).all())
        assert not any(token in stored for token in (first, second, other_token))
        assert contest.revoke_tokens(alpha, NOW) == 2
        assert (contest.find_team_by_token(first), contest.find_team_by_token(second)) == (None, None)
        assert contest.find_team_by_token(other_token) == contest.team("Beta")


def test_the_key_of_a_contest_is_its_own_and_stays(contest_place: str) -> None:
    with made(contest_place, solution()) as contest, open_contest(contest_place) as second:
        assert contest.secret_key() == second.secret_key()
        assert len(contest.secret_key()) == 32


def test_refused_files_are_free_up_to_a_number_in_an_hour(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha", "Beta", settings=ContestSettings(n_refusals_per_hour=3)) as contest:

        def send_wrong(minute: int) -> None:
            submit(contest, "Alpha", b"id,label\nx,1\n", "p.csv", NOW + timedelta(minutes=minute))

        for minute in (0, 10, 20):
            with pytest.raises(SubmissionError):
                send_wrong(minute)
        with pytest.raises(TooManyRefusals) as caught:
            send(contest, "Alpha", minute=30)
        assert caught.value.retry_after_s == 30 * 60
        assert "at most 3 files an hour that cannot be scored and team 'Alpha' has sent them; wait 30 min" in str(caught.value)
        for _ in range(5):
            validate_submission(contest, predictions(), "p.csv")
        assert send(contest, "Beta", minute=30).is_new
        assert send(contest, "Alpha", minute=61).attempt.number == 1


def test_a_pseudonym_is_shown_to_others_and_is_no_other_teams_name(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha", "Beta") as contest:
        alpha, beta = contest.team("Alpha"), contest.team("Beta")
        send(contest, "Alpha")
        assert contest.set_pseudonym(alpha, " The  Fox ", NOW).shown_as == "The Fox"
        assert [(line.team, line.shown_as) for line in contest.board().lines] == [("Alpha", "The Fox")]
        assert contest.board().sentence == "The Fox is the only team with an attempt."
        for name in ("ALPHA", "the fox"):
            with pytest.raises(TeamError, match="a pseudonym is a team's own"):
                contest.set_pseudonym(beta, name, NOW)
        assert contest.set_pseudonym(alpha, None, NOW).shown_as == "Alpha"
        assert [entry.details for entry in contest.log()] == [
            {"before": None, "after": "The Fox"},
            {"before": "The Fox", "after": None},
        ]


@pytest.mark.parametrize(("ties", "expected"), [(Ties.SHARE, [1, 1, 3]), (Ties.EARLIER, [1, 2, 3])])
def test_the_earlier_of_two_equal_scores_stands_above_where_the_host_says_so(
    contest_place: str, ties: Ties, expected: list[int]
) -> None:
    with made(contest_place, solution(), "A late", "B early", "Low", settings=ContestSettings(ties=ties)) as contest:
        send(contest, "B early", 1, minute=1)
        send(contest, "A late", 3, minute=2)
        send(contest, "Low", 1, 2, minute=0)
        names = ["A late", "B early", "Low"] if ties is Ties.SHARE else ["B early", "A late", "Low"]
        assert ranking(contest) == list(zip(expected, names, strict=True))


def test_ladder_mode_shows_a_new_score_only_when_it_is_surely_better(contest_place: str) -> None:
    with made(contest_place, solution(has_usage=True), "Alpha", settings=ContestSettings(is_ladder=True)) as contest:
        first = send(contest, "Alpha", *range(8))
        second = send(contest, "Alpha", *range(7), 30)  # one row better, of twenty: within the standard error
        assert (second.attempt.is_shown, second.attempt.shown_number) == (False, 1)
        assert (second.attempt.macro_f1, second.interval) == (first.attempt.macro_f1, first.interval)
        third = send(contest, "Alpha", 0)
        assert (third.attempt.is_shown, third.attempt.score) == (True, 0.95)
        visible = [attempt.metrics["accuracy"] for attempt in contest.attempts(contest.team("Alpha"))]
        assert visible == [0.6, 0.6, 0.95]
        details = contest.details(contest.team("Alpha"), 2)
        assert sum(map(sum, details.confusion)) == 20
        assert details.confusion == contest.details(contest.team("Alpha"), 1).confusion
        assert [line.best for line in contest.board().lines] == [3]
        private = contest.standings(Part.PRIVATE)[0]
        assert [attempt.metrics["accuracy"] for attempt in private.attempts] == [1.0, 0.95, 1.0]


METRIC = b"""
import pandas

class ParticipantVisibleError(Exception):
    pass

def score(solution: pandas.DataFrame, submission: pandas.DataFrame, row_id_column_name: str) -> float:
    assert list(solution[row_id_column_name]) == list(submission[row_id_column_name])
    assert solution.label.dtype == submission.label.dtype == "int64"
    if (submission.label == 1).all():
        raise ParticipantVisibleError("do not answer\\n1 always")
    if (submission.label == 0).all():
        raise ValueError("clip_03 is a 1")
    return float((solution.label != submission.label).mean())
"""


def test_the_hosts_own_metric_ranks_and_is_kept_with_the_contest(contest_place: str) -> None:
    settings = ContestSettings(metric=METRIC, metric_name="error rate", is_lower_better=True)
    with made(contest_place, solution(has_usage=True), "Alpha", "Beta", settings=settings) as contest:
        assert send(contest, "Alpha", 0, 1, 2, 25).attempt.score == 0.15
        send(contest, "Beta", 0, 1, 2, 3)
        assert send(contest, "Beta", 0).attempt.score == 0.05
        lines = contest.board().lines
        assert [(line.rank, line.team, line.best, line.score) for line in lines] == [
            (1, "Beta", 2, 0.05),
            (2, "Alpha", 1, 0.15),
        ]
        assert [line.score for line in contest.standings(Part.PRIVATE)] == [0.0, 0.05]
        assert contest.board().sentence.startswith("Beta is first by error rate;")


def test_a_metric_speaks_to_the_sender_only_where_it_means_to(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha", settings=ContestSettings(metric=METRIC, metric_name="error rate")) as contest:
        always = {label: b"id,label\n" + b"".join(b"clip_%02d,%d\n" % (n, label) for n in range(40)) for label in (0, 1)}
        with pytest.raises(SubmissionError, match=r"^p\.csv: do not answer 1 always$"):
            submit(contest, "Alpha", always[1], "p.csv", NOW)
        with pytest.raises(MetricError) as caught:
            submit(contest, "Alpha", always[0], "p.csv", NOW)
        assert "clip_03" not in str(caught.value)
        assert contest.attempts(contest.team("Alpha")) == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"def score(:", "cannot be run"),
        (b"x = 1", "a metric is a function score"),
        (b"def score(a, b, c):\n    return a.nothing", "fails on the solution itself"),
        (b"def score(a, b, c):\n    return float('nan')", "answered nan"),
    ],
)
def test_a_broken_metric_makes_no_contest(tmp_path_factory: pytest.TempPathFactory, content: bytes, message: str) -> None:
    folder = tmp_path_factory.mktemp("broken")
    with pytest.raises(MetricError, match=message):
        made(str(folder / "c.db"), solution(), settings=ContestSettings(metric=content))
    assert list(folder.iterdir()) == []


def test_probabilities_give_a_log_loss_as_scikit_learn_has_it(contest_place: str) -> None:
    from sklearn.metrics import log_loss

    sure = [[0.9, 0.1] if n % 3 else [0.25, 0.75] for n in range(40)]
    rows = "".join(f"clip_{n:02d},0,{a},{b}\n" for n, (a, b) in enumerate(sure))
    with made(contest_place, solution(), "Alpha") as contest:
        submitted = submit(contest, "Alpha", f"id,label,0,1\n{rows}".encode(), "p.csv", NOW).attempt
        (attempt,) = contest.attempts(contest.team("Alpha"))
        assert submitted.metrics == {}  # until the contest is closed
        assert attempt.metrics["log_loss"] == pytest.approx(log_loss([n % 2 for n in range(40)], sure), abs=1e-15)


def test_the_last_verdict_on_a_model_marks_its_attempt(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha") as contest:
        send(contest, "Alpha")
        alpha = contest.team("Alpha")
        assert contest.attempts(alpha)[0].model is None
        for content, answers in ((b"first", [False]), (b"second", [False, True])):
            attach_model(contest, alpha, 1, (content, "m.onnx"), NOW)
            assert _read_model(contest, alpha).state is ModelState.CARRIED
            for is_equal in answers:
                verdict = Verification(is_verified=is_equal, remark=f"{is_equal}", n_equal=0, n_rows=40)
                record_verification(contest, read_sent_models(contest, [alpha])[0], verdict, NOW)
                assert _read_model(contest, alpha).state is (ModelState.SAME if is_equal else ModelState.DIFFERS)
        digest = hashlib.sha256(b"second").hexdigest()
        expected = AttemptModel(file_name="m.onnx", digest=digest, state=ModelState.SAME, remark="True")
        assert _read_model(contest, alpha) == expected


def _read_model(contest: Contest, team: Team) -> AttemptModel:
    """Beside the team's one attempt, as its line of the board has it too."""
    (attempt,), (line,) = contest.attempts(team), contest.board().lines
    assert attempt.model is not None
    assert line.model == attempt.model
    return attempt.model


def test_a_backup_is_one_moment_while_others_write_and_goes_back_to_either_database(
    contest_place: str, tmp_path_factory: pytest.TempPathFactory, postgres_url: str
) -> None:
    folder = tmp_path_factory.mktemp("copies")
    teams = [f"T{n}" for n in range(12)]
    with made(contest_place, solution(has_usage=True), *teams) as contest:
        started = threading.Event()

        def send_all() -> None:
            for team in teams:
                for wrong in range(3):
                    send(contest, team, wrong)
                started.set()

        writer = threading.Thread(target=send_all)
        writer.start()
        started.wait(60)
        back_up(contest.database, folder / "copy.db")
        writer.join()
        with open_contest(folder / "copy.db") as copy:
            n = sum(line.n_attempts for line in copy.standings())
            assert 3 <= n <= 36
            assert copy.secret_key() == contest.secret_key()
        back_up(contest.database, folder / "last.db")
        with pytest.raises(ContestError, match="exists and no contest is overwritten"):
            back_up(contest.database, folder / "last.db")
        empty = postgres_url if not contest_place.startswith("postgresql") else str(folder / "again.db")
        with open_contest(folder / "last.db") as last:
            restore_into(last.database, empty)
        with open_contest(empty) as again:
            assert again.standings() == contest.standings()
            assert again.add_team("New", NOW).name == "New"
            with pytest.raises(ContestError, match="overwritten; choose another"):
                restore_into(again.database, contest_place)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (3 * 3600 + 12 * 60 + 59, "in 3 h 12 min"),
        (2 * 86400 + 4 * 3600 + 60, "in 2 d 4 h"),
        (86400 + 5 * 60, "in 1 d"),
        (40, "in 40 s"),
        (0.4, "now"),
        (-5 * 60, "5 min ago"),
    ],
)
def test_a_moment_is_told_by_its_distance(seconds: float, expected: str) -> None:
    assert describe_distance(NOW + timedelta(seconds=seconds), NOW) == expected


def test_a_moment_is_told_in_utc_and_in_the_readers_time(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    try:
        for zone, local in {"UTC": "", "Europe/Madrid": " (09:00 CET here)", "Pacific/Auckland": " (21:00 NZDT here)"}.items():
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            assert describe_for_reader(DEADLINE, NOW) == f"2026-11-22 08:00 UTC{local}, in 1 d"
    finally:
        monkeypatch.delenv("TZ")
        time.tzset()
