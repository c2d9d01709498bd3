"""Wrong uploads that are voided, a team's own deadline, notes and announcements, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leaderboard.actions import host
from leaderboard.actions.announcements import announce, read_announcements, withdraw_announcement
from leaderboard.actions.host import HostDecision
from leaderboard.actions.submit import submit
from leaderboard.errors import AttemptsExhausted, ContestClosed, ContestError, NoteRefused, TeamError, VoidedFile
from leaderboard.standings import Part
from support.contests import DEADLINE, NOW, made, predictions, ranking, send, solution

WHY = HostDecision(reason="they sent last week's file", decided_at=NOW + timedelta(hours=1), actor="Ana")
LATE = DEADLINE + timedelta(days=2)


def test_a_voided_attempt_stays_stored_counts_nowhere_and_is_replaced(contest_place: str) -> None:
    with made(contest_place, solution(has_usage=True), "Alpha", "Beta") as contest:
        send(contest, "Alpha")
        send(contest, "Alpha", 1, 2, 3, minute=1)
        send(contest, "Beta", 1, minute=2)
        assert ranking(contest) == [(1, "Alpha"), (2, "Beta")]
        assert host.void_attempt(contest, contest.team("Alpha"), 1, WHY).n_allowed == 4
        assert ranking(contest) == [(1, "Beta"), (2, "Alpha")]
        assert [(line.team, line.best) for line in contest.standings(Part.PRIVATE)] == [("Alpha", 2), ("Beta", 1)]
        voided, valid = contest.attempts(contest.team("Alpha"))
        assert (voided.is_voided, voided.number, voided.macro_f1, valid.is_voided) == (True, 1, 1.0, False)
        (entry,) = contest.log()
        assert (entry.action, entry.actor, entry.team) == ("void", "Ana", "Alpha")
        assert entry.change == "attempt 1, m0.csv; 3 → 4 attempts"
        with pytest.raises(VoidedFile, match="this file was attempt 1, which the host took out of the ranking"):
            send(contest, "Alpha")
        assert send(contest, "Alpha", n_blank=1, minute=3).rank == 1  # its labels may be sent again
        with pytest.raises(TeamError, match="attempt 1 of team 'Alpha' is voided already"):
            host.void_attempt(contest, contest.team("Alpha"), 1, WHY)
        with pytest.raises(TeamError, match="team 'Alpha' has no attempt 7"):
            host.void_attempt(contest, contest.team("Alpha"), 7, WHY)
        assert send(contest, "Alpha", 5, minute=4).n_left == 0
        with pytest.raises(AttemptsExhausted):
            send(contest, "Alpha", 6, minute=5)


def test_a_team_whose_only_attempt_is_voided_stands_nowhere(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha") as contest:
        send(contest, "Alpha")
        host.void_attempt(contest, contest.team("Alpha"), 1, WHY)
        assert ranking(contest) == []
        assert send(contest, "Alpha", 1, minute=1).rank == 1


def test_one_team_sends_after_the_others_until_its_own_deadline(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha", "Beta", deadline=DEADLINE) as contest:
        assert host.extend_team(contest, contest.team("Alpha"), LATE, WHY).deadline == LATE
        assert submit(contest, "Alpha", predictions(1), "p.csv", LATE).attempt.number == 1
        with pytest.raises(ContestClosed, match=r"with the time that its host gave your team, closed at 2026-11-24 08:00 UTC"):
            submit(contest, "Alpha", predictions(2), "p.csv", LATE + timedelta(seconds=1))
        with pytest.raises(ContestClosed, match="the contest closed at 2026-11-22 08:00 UTC"):
            submit(contest, "Beta", predictions(1), "p.csv", LATE)
        with pytest.raises(ContestError, match="later than the contest's and 2026-11-22 08:00 UTC is not after"):
            host.extend_team(contest, contest.team("Beta"), DEADLINE, WHY)
        assert host.extend_team(contest, contest.team("Alpha"), None, WHY).deadline is None
        with pytest.raises(TeamError, match="has no deadline of its own"):
            host.extend_team(contest, contest.team("Beta"), None, WHY)
        assert [(entry.action, entry.team, entry.change) for entry in contest.log()] == [
            ("extend", "Alpha", "— → 2026-11-24 08:00 UTC"),
            ("extend", "Alpha", "2026-11-24 08:00 UTC → —"),
        ]


def test_the_later_of_two_deadlines_counts_and_a_closed_contest_takes_nothing(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha", deadline=DEADLINE) as contest:
        team = host.extend_team(contest, contest.team("Alpha"), DEADLINE + timedelta(hours=1), WHY)
        host.extend_deadline(contest, LATE, WHY)
        assert contest.rules().find_deadline(team.deadline) == LATE
        host.extend_team(contest, team, LATE + timedelta(days=1), WHY)
        with pytest.raises(ContestError, match="team 'Alpha' may send until 2026-11-25 08:00 UTC"):
            host.close_contest(contest, WHY)
        host.extend_team(contest, team, None, WHY)
        host.close_contest(contest, WHY)
        with pytest.raises(ContestClosed, match="closed by its host"):
            submit(contest, "Alpha", predictions(1), "p.csv", NOW)


def test_a_contest_without_a_deadline_has_none_for_a_team(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha") as contest, pytest.raises(ContestError, match="and there is none"):
        host.extend_team(contest, contest.team("Alpha"), LATE, WHY)


def test_a_note_stays_with_its_attempt(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha") as contest:
        receipt = submit(contest, "Alpha", predictions(1), "p.csv", NOW, note="  wider net,\nraw+aug ")
        assert receipt.attempt.note == "wider net, raw+aug"
        assert submit(contest, "Alpha", predictions(2), "p.csv", NOW, note=" ").attempt.note is None
        for note in ("x" * 301, "a\u202eb"):
            with pytest.raises(NoteRefused, match="a note on an attempt has at most 300 printable characters"):
                submit(contest, "Alpha", predictions(3), "p.csv", NOW, note=note)
        assert len(contest.attempts(contest.team("Alpha"))) == 2


def test_an_announcement_is_read_until_it_is_withdrawn(contest_place: str) -> None:
    with made(contest_place, solution()) as contest:
        assert announce(contest, " Lab 2 is open ", WHY).id == 1
        announce(contest, "It is closed", WHY)
        assert [row.text for row in read_announcements(contest)] == ["It is closed", "Lab 2 is open"]
        withdraw_announcement(contest, 2, WHY)
        assert [row.text for row in read_announcements(contest)] == ["Lab 2 is open"]
        with pytest.raises(ContestError, match="no announcement 2 is shown; the numbers of those that are: 1"):
            withdraw_announcement(contest, 2, WHY)
        with pytest.raises(ContestError, match="1 to 2000 characters"):
            announce(contest, " ", WHY)
        for odd in ("\0", "\x1b[2J", "\ud800"):  # an assistant's text reaches the host's terminal by `contest log`
            with pytest.raises(ContestError, match="characters that can be read and this has"):
                announce(contest, f"Lab {odd}", WHY)
            with pytest.raises(ContestError, match="characters that can be read and this has"):
                HostDecision(reason=f"asked {odd}", decided_at=NOW)
        assert [(entry.action, entry.change) for entry in contest.log()] == [
            ("announce", "1: Lab 2 is open"),
            ("announce", "2: It is closed"),
            ("withdraw", "announcement 2"),
        ]
