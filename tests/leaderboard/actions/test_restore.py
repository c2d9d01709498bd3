"""A restored backup: what it undid stands in its log, and what was revoked or forgotten does not come back."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from leaderboard.actions import host
from leaderboard.actions.host import HostDecision
from leaderboard.actions.restore import restore
from leaderboard.database import schema
from leaderboard.database.backup import back_up
from leaderboard.errors import ContestError
from leaderboard.store import Contest, open_contest
from support.contests import NOW, made, run, send, solution

WHY = HostDecision(reason="the heating failed", decided_at=NOW + timedelta(hours=1))
AGAIN = HostDecision(reason="the disk failed", decided_at=NOW + timedelta(days=1), actor="Ana")


def add_member(contest: Contest, name: str) -> None:
    with contest.database.write() as connection:
        connection.execute(insert(schema.members).values(team_id=1, name=name, created_at=NOW))


def forget(contest: Contest, name: str) -> None:
    with contest.database.write() as connection:
        connection.execute(schema.members.delete().where(schema.members.c.name == name))


def test_the_log_of_a_restored_contest_tells_what_was_undone(
    contest_place: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("restored")
    backup, new = folder / "backup.db", str(folder / "new.db")
    with made(contest_place, solution(), "Alpha", "Beta") as contest:
        stolen, good = (contest.new_token(contest.team("Alpha"), NOW) for _ in range(2))
        add_member(contest, "Ann")
        add_member(contest, "Bob")
        send(contest, "Alpha", 1)
        back_up(contest.database, backup)
        send(contest, "Beta", 2, minute=5)
        with contest.database.write() as connection:
            row = connection.execute(select(schema.tokens.c.id).order_by(schema.tokens.c.id)).first()
            assert row is not None
            connection.execute(schema.tokens.update().where(schema.tokens.c.id == row.id).values(revoked_at=NOW))
        forget(contest, "Bob")
        host.grant_attempts(contest, contest.team("Beta"), 1, WHY)
        host.rename(contest, contest.team("Alpha"), "Omega", WHY)
        host.disqualify(contest, contest.team("Beta"), WHY)
        with open_contest(backup) as old:
            restore(old, new, contest, AGAIN)
    with open_contest(new) as contest:
        entry = contest.log()[-1]
        assert (entry.action, entry.actor, entry.reason, entry.done_at) == (
            "restore",
            "Ana",
            "the disk failed",
            AGAIN.decided_at,
        )
        assert entry.details["attempts"] == [
            {"team": "Beta", "number": 1, "file": "m5.csv", "arrived_at": "2026-11-21T08:05:00+00:00"}
        ]
        assert [(row["action"], row["team"], row["reason"]) for row in entry.details["actions"]] == [
            ("grant", "Beta", "the heating failed"),
            ("rename", "Alpha", "the heating failed"),
            ("disqualify", "Beta", "the heating failed"),
        ]
        assert entry.change == (
            "as of 2026-11-21 08:00 UTC; undone: attempt 1 of Beta, grant Beta, rename Alpha, disqualify Beta; "
            "1 token stayed revoked"
        )
        assert contest.find_team_by_token(stolen) is None
        assert contest.find_team_by_token(good) == contest.team("Alpha")
        assert [attempt.number for attempt in contest.attempts(contest.team("Alpha"))] == [1]
        assert contest.attempts(contest.team("Beta")) == ()
        with contest.database.read() as connection:
            assert connection.scalars(select(schema.members.c.name)).all() == ["Ann"]
        assert send(contest, "Beta", 2, minute=6).n_left == 2


def test_without_the_contest_of_today_the_log_tells_the_moment_of_the_backup(tmp_path: Path, postgres_url: str) -> None:
    backup = tmp_path / "backup.db"
    with made(str(tmp_path / "contest.db"), solution(), "Alpha") as contest:
        send(contest, "Alpha", 1, minute=7)
        back_up(contest.database, backup)
    with open_contest(backup) as old:
        restore(old, postgres_url, None, AGAIN)
    with open_contest(postgres_url) as contest:
        assert [(entry.action, entry.change) for entry in contest.log()] == [("restore", "as of 2026-11-21 08:07 UTC")]
        assert host.grant_attempts(contest, contest.team("Alpha"), 1, WHY).n_allowed == 4


def test_a_backup_of_another_contest_is_refused(tmp_path: Path) -> None:
    match = r"b\.db is no later state of the contest in the backup"
    with (
        made(str(tmp_path / "a.db"), solution(), "Alpha") as first,
        made(str(tmp_path / "b.db"), solution()) as second,
        pytest.raises(ContestError, match=match),
    ):
        restore(first, tmp_path / "new.db", second, WHY)
    assert not (tmp_path / "new.db").exists()


def test_the_command_lists_what_is_undone_before_it_does_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contest, backup, new = (str(tmp_path / name) for name in ("contest.db", "backup.db", "new.db"))
    with made(contest, solution(), "Alpha") as opened:
        back_up(opened.database, Path(backup))
        send(opened, "Alpha", 1)
    assert run(new, "restore", backup, "--instead-of", contest, "--dry-run") == (0, "")
    assert not Path(new).exists()
    status, text = run(new, "restore", backup, "--instead-of", contest, "--reason", "the disk failed")
    assert (status, text) == (0, f"{new} holds Digits with 1 teams\n")
    with open_contest(new) as opened:
        assert opened.log()[-1].reason == "the disk failed"
        assert [row["number"] for row in opened.log()[-1].details["attempts"]] == [1]
