"""Actions of the host while a contest runs: with a reason, in a log that nobody changes, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from leaderboard.actions import host
from leaderboard.actions.host import HostDecision
from leaderboard.actions.merge_teams import merge_teams
from leaderboard.actions.rescore import rescore
from leaderboard.actions.submit import submit
from leaderboard.database.rows import read_revision
from leaderboard.errors import AttemptsExhausted, ContestClosed, ContestError, TeamError
from leaderboard.standings import Part
from leaderboard.store import Contest, open_contest
from support.contests import DEADLINE, NOW, made, predictions, ranking, send, solution

WHY = HostDecision(reason="the heating failed", decided_at=NOW + timedelta(hours=1))


def refused(contest: Contest, statement: str) -> str:
    """Return the database's answer to a statement that it must refuse."""
    with pytest.raises(DBAPIError) as caught, contest.database.engine.begin() as connection:
        connection.execute(text(statement))
    return str(caught.value.orig)


def test_the_log_tells_action_team_and_reason_and_cannot_be_changed(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha") as contest:
        host.disqualify(contest, contest.team("Alpha"), WHY)
        host.reinstate(contest, contest.team("Alpha"), HostDecision(reason="  it was\nanother team ", decided_at=NOW))
        lines = [(entry.action, entry.team, entry.reason) for entry in contest.log()]
        assert lines == [("disqualify", "Alpha", "the heating failed"), ("reinstate", "Alpha", "it was another team")]
        for statement in (
            "UPDATE host_log SET reason = 'x'",
            "DELETE FROM host_log",
            "INSERT INTO host_log (id, action, reason, details, done_at) VALUES (1, 'a', 'b', '{}', '2026-11-21 08:00:00')",
            "INSERT INTO host_log (action, reason, details, done_at) VALUES ('a', ' ', '{}', '2026-11-21 08:00:00')",
        ):
            assert refused(contest, statement)
        assert "host_log_is_append_only" in refused(contest, "DELETE FROM host_log")
        assert [entry.reason for entry in contest.log()] == ["the heating failed", "it was another team"]


def test_a_log_entry_cannot_be_replaced_in_a_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("log") / "contest.db"
    with made(str(path), solution(), "Alpha") as contest:
        host.disqualify(contest, contest.team("Alpha"), WHY)
        answer = refused(
            contest,
            "INSERT OR REPLACE INTO host_log (id, action, reason, details, done_at) VALUES (1, 'a', 'b', '{}', '2026-11-21')",
        )
        assert answer == "host_log_is_append_only"


def test_a_reason_is_needed() -> None:
    with pytest.raises(ContestError, match="every act of a host has a reason of 1 to 500 characters and this has none"):
        HostDecision(reason=" ", decided_at=NOW)


def test_a_deadline_is_extended_and_never_shortened(contest_place: str) -> None:
    later = DEADLINE + timedelta(hours=5)
    with made(contest_place, solution(), "Alpha", deadline=DEADLINE) as contest, open_contest(contest_place) as second:
        with pytest.raises(ContestError, match="extended, never shortened, and 2026-11-22 08:00 UTC is not after"):
            host.extend_deadline(contest, DEADLINE, WHY)
        with pytest.raises(ContestClosed):
            submit(second, "Alpha", predictions(), "p.csv", later)
        host.extend_deadline(contest, later, WHY)
        assert second.deadline == later  # a contest that is open in another process knows at once
        assert submit(second, "Alpha", predictions(), "p.csv", later).attempt.number == 1
        assert contest.log()[0].details == {"before": "2026-11-22T08:00:00+00:00", "after": "2026-11-22T13:00:00+00:00"}


def test_the_database_knows_a_granted_attempt_and_refuses_the_next(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha", "Beta") as contest:
        assert host.grant_attempts(contest, contest.team("Alpha"), 1, WHY).n_allowed == 4
        for team, n_allowed in (("Alpha", 4), ("Beta", 3)):
            receipts = [send(contest, team, wrong) for wrong in range(n_allowed)]
            assert [receipt.n_left for receipt in receipts] == list(reversed(range(n_allowed)))
            with pytest.raises(AttemptsExhausted, match=f"a team has {n_allowed} attempts"):
                send(contest, team, 9)
        for number, team in ((5, 1), (4, 2), (0, 1)):
            copy = f"UPDATE attempts SET number = {number}, shown_number = 1 WHERE team_id = {team} AND number = 1"
            assert "attempt_number" in refused(contest, copy)
        assert refused(contest, "UPDATE teams SET n_allowed = 99")  # no column: teams have what the log gives them
        log = "INSERT INTO host_log (action, reason, details, done_at, team_id, n_granted)"
        for granted in ("1, -1", "1, 0", "NULL, 1"):
            assert refused(contest, f"{log} VALUES ('grant', 'x', '{{}}', '2026-11-21', {granted})")


@pytest.mark.parametrize("n", [0, -1, 101])
def test_one_to_a_hundred_attempts_are_granted(contest_place: str, n: int) -> None:
    with made(contest_place, solution(), "Alpha") as contest, pytest.raises(ContestError, match=f"at once, not {n}; give"):
        host.grant_attempts(contest, contest.team("Alpha"), n, WHY)


def test_a_disqualified_team_has_no_rank_sends_nothing_and_comes_back_whole(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha", "Beta") as contest:
        send(contest, "Alpha")
        send(contest, "Beta", 1)
        host.disqualify(contest, contest.team("Alpha"), WHY)
        assert ranking(contest) == [(1, "Beta")]
        with pytest.raises(TeamError, match="team 'Alpha' is disqualified; ask the host"):
            send(contest, "Alpha", 3)
        with pytest.raises(TeamError, match="disqualified already"):
            host.disqualify(contest, contest.team("Alpha"), WHY)
        host.reinstate(contest, contest.team("Alpha"), WHY)
        assert ranking(contest) == [(1, "Alpha"), (2, "Beta")]
        with pytest.raises(TeamError, match="is not disqualified"):
            host.reinstate(contest, contest.team("Alpha"), WHY)


def test_a_team_is_renamed_and_keeps_its_attempts(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha", "Beta") as contest:
        send(contest, "Alpha")
        with pytest.raises(TeamError, match="'beta' is taken"):
            host.rename(contest, contest.team("Alpha"), "beta", WHY)
        host.rename(contest, contest.team("Alpha"), "Omega", WHY)
        assert ranking(contest) == [(1, "Omega")]
        assert [(entry.action, entry.details) for entry in contest.log()] == [("rename", {"before": "Alpha", "after": "Omega"})]


def test_private_scores_decide_after_the_close_and_are_hidden_before_and_after_a_reopening(contest_place: str) -> None:
    with made(contest_place, solution(has_usage=True), "Public best", "Private best") as contest:
        send(contest, "Public best", 20, 21, 22)
        send(contest, "Private best", 0)
        send(contest, "Private best", 0, 1, 30)
        assert ranking(contest) == [(1, "Public best"), (2, "Private best")]
        assert (contest.board().part, contest.board().is_final) == (Part.PUBLIC, False)
        host.close_contest(contest, WHY)
        board = contest.board()
        assert (board.part, board.is_final) == (Part.PRIVATE, True)
        result = [(line.rank, line.team, line.metrics["accuracy"]) for line in board.lines]
        assert result == [(1, "Private best", 1.0), (2, "Public best", 0.85)]
        with pytest.raises(ContestClosed, match="the contest was closed by its host at 2026-11-21 09:00 UTC"):
            send(contest, "Private best", 5)
        assert not send(contest, "Private best", 0).is_new
        with pytest.raises(ContestError, match="was closed at 2026-11-21 09:00 UTC already"):
            host.close_contest(contest, WHY)
        host.reopen_contest(contest, WHY)
        assert ranking(contest) == [(1, "Public best"), (2, "Private best")]
        with pytest.raises(ContestError, match="is not closed"):
            host.reopen_contest(contest, WHY)


def test_merged_teams_have_the_attempts_that_came_first_up_to_the_limit(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha", "Beta", "Gamma") as contest:
        token = host.give_token(contest, contest.team("Beta"), WHY)
        send(contest, "Alpha", 1, 2, minute=1)
        send(contest, "Beta", 1, minute=2)
        send(contest, "Beta", 1, 2, minute=3)  # the file that Alpha sent before
        send(contest, "Alpha", 4, 5, 6, minute=4)
        send(contest, "Alpha", minute=5)
        goes, stays = contest.team("Beta"), contest.team("Alpha")
        expected = [("Alpha", 1, 1), ("Beta", 1, 2), ("Beta", 2, None), ("Alpha", 2, 3), ("Alpha", 3, None)]
        planned = merge_teams(contest, goes, stays, WHY, is_dry_run=True)
        assert [(move.team, move.number, move.new_number) for move in planned] == expected
        assert (len(contest.attempts(stays)), contest.log()[1:]) == (3, [])
        assert merge_teams(contest, goes, stays, WHY) == planned
        assert [attempt.file_name for attempt in contest.attempts(stays)] == ["m1.csv", "m2.csv", "m4.csv"]
        assert [team.name for team in contest.teams()] == ["Alpha", "Gamma"]
        assert [(line.team, line.n_attempts, line.best) for line in contest.board().lines] == [("Alpha", 3, 2)]
        result = contest.find_team_by_token(token)
        assert result is not None
        assert result.name == "Alpha"
        with pytest.raises(AttemptsExhausted):
            send(contest, "Alpha", 9, minute=9)
        with pytest.raises(TeamError):
            merge_teams(contest, stays, stays, WHY)


def test_a_corrected_solution_scores_all_again_and_keeps_the_old_scores(contest_place: str) -> None:
    with made(contest_place, solution(has_usage=True), "Alpha", "Beta") as contest:
        send(contest, "Alpha")
        send(contest, "Beta", 0, 2, 21)
        corrected = solution(has_usage=True, flipped=(0, 2))
        planned = rescore(contest, corrected, WHY, is_dry_run=True)
        assert (ranking(contest)[0], contest.log()) == ((1, "Alpha"), [])
        done = rescore(contest, corrected, WHY)
        assert contest.log()[-1].change == "2 attempts changed"
        assert (done.attempts, done.n_rows_changed) == (planned.attempts, 2)
        assert [(attempt.team, attempt.public_before, attempt.public_after) for attempt in done.attempts] == [
            ("Alpha", 1.0, pytest.approx(0.899, abs=0.001)),
            ("Beta", pytest.approx(0.899, abs=0.001), 1.0),
        ]
        assert (done.ranks_before, done.ranks_after) == ({"Alpha": 1, "Beta": 2}, {"Alpha": 2, "Beta": 1})
        assert ranking(contest) == [(1, "Beta"), (2, "Alpha")]
        with contest.database.read() as connection:
            stored = connection.execute(text("SELECT attempt_id, confusion_public FROM old_scores ORDER BY attempt_id")).all()
        assert [row.attempt_id for row in stored] == [1, 2]
        assert "old_scores_is_append_only" in refused(contest, "DELETE FROM old_scores")
        assert send(contest, "Beta", 1).attempt.number == 2  # graded by the corrected one
        with pytest.raises(ContestError, match="this is the solution that the contest has"):
            rescore(contest, corrected, WHY)


def test_the_log_counts_attempts_whose_private_score_alone_changed(contest_place: str) -> None:
    with made(contest_place, solution(has_usage=True), "Alpha") as contest:
        send(contest, "Alpha")
        private = next(row for row, is_public in enumerate(solution(has_usage=True).is_public) if not is_public)
        (attempt,) = rescore(contest, solution(has_usage=True, flipped=(private,)), WHY).attempts
        assert attempt.public_before == attempt.public_after
        assert contest.log()[-1].change == "1 attempt changed"


def test_a_corrected_solution_with_other_ids_is_refused(contest_place: str) -> None:
    from leaderboard.files.solution import parse_solution

    with made(contest_place, solution(), "Alpha") as contest:
        changed = parse_solution(solution().content.replace(b"clip_07", b"clip_77"), "solution.csv")
        with pytest.raises(ContestError, match="a corrected solution has the same ids and 'clip_07' is only in one"):
            rescore(contest, changed, WHY)


ACTS: dict[str, Callable[[Contest], object]] = {
    "extend": lambda contest: host.extend_deadline(contest, DEADLINE + timedelta(days=1), WHY),
    "close": lambda contest: host.close_contest(contest, WHY),
    "grant": lambda contest: host.grant_attempts(contest, contest.team("Alpha"), 2, WHY),
    "disqualify": lambda contest: host.disqualify(contest, contest.team("Alpha"), WHY),
    "rename": lambda contest: host.rename(contest, contest.team("Alpha"), "Omega", WHY),
    "merge": lambda contest: merge_teams(contest, contest.team("Alpha"), contest.team("Beta"), WHY),
    "rescore": lambda contest: rescore(contest, solution(flipped=(0,)), WHY),
    "token new": lambda contest: host.give_token(contest, contest.team("Alpha"), WHY),
    "token revoke": lambda contest: host.revoke_tokens(contest, contest.team("Alpha"), WHY),
}


def revision(contest: Contest) -> str:
    with contest.database.read() as connection:
        return read_revision(connection)


@pytest.mark.parametrize("action", ACTS)
def test_every_act_is_logged_once_and_changes_the_revision(tmp_path_factory: pytest.TempPathFactory, action: str) -> None:
    location = str(tmp_path_factory.mktemp("act") / "contest.db")
    with made(location, solution(), "Alpha", "Beta", deadline=DEADLINE) as contest:
        before = revision(contest)
        ACTS[action](contest)
        assert [(entry.action, entry.reason, entry.done_at) for entry in contest.log()] == [
            (action, WHY.reason, WHY.decided_at)
        ]
        assert revision(contest) != before
