"""Attempts, scores and the log against somebody who writes into the database by hand, past all of Arena's code."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from leaderboard.actions import host
from leaderboard.actions.host import HostDecision
from leaderboard.actions.merge_teams import merge_teams
from leaderboard.actions.rescore import rescore
from leaderboard.database.backup import restore_into
from leaderboard.database.create import ContestSettings
from leaderboard.store import Contest, open_contest
from leaderboard.verification.sent_models import attach_model
from support.contests import NOW, made, predictions, send, solution

WHY = HostDecision(reason="the heating failed", decided_at=NOW + timedelta(hours=1))
MOMENT = "'2026-11-21 08:00:00+00'"
FILE = hashlib.sha256(predictions(3)).hexdigest()  # Beta's, in the place of a solution
DETAILS = f'{{{{"solution": "{FILE}"}}}}'
LOG = f"INSERT INTO host_log (action, team_id, reason, details, done_at) VALUES ('{{}}', 1, 'x', '{DETAILS}', {MOMENT})"
RESCORED = f"UPDATE attempts SET solution_digest = '{FILE}', value_public = 1 WHERE id = 1"
COLUMNS = (
    "team_id, number, shown_number, file_name, submission_digest, solution_digest, scorer, confusion_public, predicted, "
    "arrived_at"
)


@contextmanager
def raw(place: str) -> Iterator[Any]:
    """A connection of the driver's own: on SQLite without foreign keys, as everybody gets it."""
    if place.startswith("postgresql"):
        connection: Any = psycopg.connect(place.replace("+psycopg", ""))
    else:
        connection = sqlite3.connect(place)
    try:
        yield connection
    finally:
        connection.rollback()
        connection.close()


def refuse(place: str, *statements: str) -> str:
    """Return the database's answer to the last of these statements, which it must refuse; nothing stays."""
    with raw(place) as connection:
        for statement in statements[:-1]:
            connection.execute(statement)
        with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError)) as caught:
            connection.execute(statements[-1])
    return str(caught.value)


def insert_copy(number: str, shown: str = "1", verb: str = "INSERT", digest: str = "solution_digest") -> str:
    """A further attempt of team 1 with the scores of its first one."""
    old = COLUMNS.replace("number, shown_number", f"{number}, {shown}").replace("submission_digest", digest, 1)
    return f"{verb} INTO attempts ({COLUMNS}) SELECT {old} FROM attempts WHERE id = 1"


@pytest.fixture
def place(contest_place: str) -> str:
    with made(contest_place, solution(has_usage=True), "Alpha", "Beta", "Gamma") as contest:
        send(contest, "Alpha", 1)
        send(contest, "Alpha", 1, 2, minute=1)
        send(contest, "Beta", 3, minute=2)
        attach_model(contest, contest.team("Alpha"), 1, (b"a model", "a.onnx"), NOW)
    return contest_place


@pytest.mark.parametrize(
    ("statement", "answer"),
    [
        ("DELETE FROM attempts WHERE id = 2", "attempts_is_append_only"),
        ("DELETE FROM files", "files_is_append_only"),
        ("DELETE FROM models", "models_is_append_only"),
        ("DELETE FROM teams WHERE id = 3", "teams_is_append_only"),
        ("DELETE FROM contest", "contest_is_append_only"),
        (
            "UPDATE contest SET solution_digest = (SELECT submission_digest FROM attempts WHERE id = 1)",
            "solution_changes_by_rescore",
        ),
        ("UPDATE files SET content = '' WHERE digest = digest", "files_is_append_only"),
        ("UPDATE models SET file_name = 'b.onnx'", "models_is_append_only"),
        ("UPDATE teams SET id = 9 WHERE id = 3", "team_is_merged_by_the_log"),
        ("UPDATE teams SET merged_into = 1 WHERE id = 3", "team_is_merged_by_the_log"),
        ("UPDATE attempts SET id = 9 WHERE id = 1", "attempt_stays_as_sent"),
        ("UPDATE attempts SET file_name = 'b.csv'", "attempt_stays_as_sent"),
        ("UPDATE attempts SET note = 'I meant it'", "attempt_stays_as_sent"),
        (f"UPDATE attempts SET arrived_at = {MOMENT} WHERE id = 2", "attempt_stays_as_sent"),
        ("UPDATE attempts SET submission_digest = solution_digest WHERE id = 1", "attempt_stays_as_sent"),
        ("UPDATE attempts SET confusion_public = '[[10, 0], [0, 10]]'", "scores_change_by_rescore"),
        ("UPDATE attempts SET confusion_private = NULL", "scores_change_by_rescore"),
        ("UPDATE attempts SET value_public = 1", "scores_change_by_rescore"),
        ("UPDATE attempts SET log_loss_private = 0.1", "scores_change_by_rescore"),
        ("UPDATE attempts SET scorer = 'mine'", "scores_change_by_rescore"),
        ("UPDATE attempts SET predicted = '' WHERE id = 1", "scores_change_by_rescore"),
        ("UPDATE attempts SET number = 3 WHERE id = 2", "attempt_numbers_change_by_merge"),
        ("UPDATE attempts SET team_id = 3 WHERE id = 3", "attempt_numbers_change_by_merge"),
        ("UPDATE attempts SET is_moving = (1 = 1) WHERE id = 1", "attempt_numbers_change_by_merge"),
        ("UPDATE attempts SET shown_number = 1 WHERE id = 2", "shown_attempt_changes_by_ladder"),
        (f"UPDATE attempts SET voided_at = {MOMENT} WHERE id = 1", "attempt_is_voided_by_the_log"),
        (insert_copy("4", "4"), "attempt_number_is_1_to_n_allowed"),
        (insert_copy("0", "0"), "attempt_number_is_1_to_n_allowed"),
        (insert_copy("3", "2"), "attempt_begins_as_it_came"),
    ],
)
def test_what_was_sent_and_scored_is_changed_by_no_hand(place: str, statement: str, answer: str) -> None:
    if place.startswith("postgresql"):
        statement = statement.replace("content = ''", "content = ''::bytea").replace("predicted = ''", "predicted = ''::bytea")
    assert answer in refuse(place, statement)


def test_an_attempt_is_neither_replaced_nor_sent_anew(contest_place: str, place: str) -> None:
    if place.startswith("postgresql"):
        tables = "attempts, files, models, verifications, old_scores, old_numbers, host_log, teams"
        for table in tables.split(", "):
            assert "is_append_only" in refuse(place, f"TRUNCATE {table} CASCADE")
        return
    with raw(place) as connection:
        (key,) = connection.execute("SELECT digest FROM files LIMIT 1").fetchone()
    for statement in (
        insert_copy("1", verb="INSERT OR REPLACE"),
        insert_copy("3", "3", verb="INSERT OR REPLACE", digest="submission_digest"),
        "INSERT OR REPLACE INTO attempts SELECT * FROM attempts WHERE id = 1",
        f"REPLACE INTO files VALUES ('{key}', 'x')",
        "REPLACE INTO models SELECT * FROM models",
        "REPLACE INTO contest (id, name, solution_digest, created_at) SELECT 1, 'x', solution_digest, created_at FROM contest",
        "REPLACE INTO teams (id, name, name_key, created_at) VALUES (1, 'X', 'x', '2026-11-21')",
        "REPLACE INTO teams (name, name_key, created_at) VALUES ('Alpha', 'alpha', '2026-11-21')",
        "UPDATE OR REPLACE teams SET name_key = 'alpha' WHERE id = 3",
    ):
        assert "is_append_only" in refuse(place, statement), statement
    assert refuse(place, insert_copy("2.5", "1"))
    assert refuse(place, insert_copy("3", "1.5"))


def test_no_team_gets_attempts_without_a_line_of_the_log(place: str) -> None:
    with raw(place) as connection, pytest.raises((sqlite3.OperationalError, psycopg.errors.UndefinedColumn)):
        connection.execute("UPDATE teams SET n_allowed = 99")
    with open_contest(place) as contest:
        assert contest.team("Alpha").n_allowed == 3
        assert host.grant_attempts(contest, contest.team("Alpha"), 2, WHY).n_allowed == 5
    assert "host_log_is_append_only" in refuse(place, "UPDATE host_log SET n_granted = 96")


def test_a_log_of_the_writers_own_is_not_asked(place: str) -> None:
    """PostgreSQL looks among a session's temporary tables first, which need no right in the contest's own."""
    own = "CREATE TEMPORARY TABLE host_log AS SELECT 1 AS team_id, 97 AS n_granted"
    third, fourth = insert_copy("3", "3", digest=f"'{FILE}'"), insert_copy("4", "4")
    assert "attempt_number_is_1_to_n_allowed" in refuse(place, own, third, fourth)


@pytest.mark.parametrize(
    ("action", "statement", "answer"),
    [
        ("rescore", RESCORED, "scores_change_by_rescore"),
        ("void", f"UPDATE attempts SET voided_at = {MOMENT} WHERE id = 1", "attempt_is_voided_by_the_log"),
    ],
)
def test_a_line_of_the_log_serves_once_and_what_was_there_is_kept(place: str, action: str, statement: str, answer: str) -> None:
    """Whoever owns the file can write a line; it stays, and what it changed is kept beside it."""
    again = statement.replace("= 1 WHERE", "= 2 WHERE") if action == "rescore" else statement.replace("id = 1", "id = 2")
    assert answer in refuse(place, LOG.format(action), statement, again)
    with raw(place) as connection:
        connection.execute(LOG.format(action))
        connection.execute(statement)
        table = "old_scores" if action == "rescore" else "old_numbers"
        ((attempt_id,),) = connection.execute(f"SELECT attempt_id FROM {table}").fetchall()
    assert attempt_id == 1


def test_a_line_of_a_finished_procedure_allows_nothing_more(place: str) -> None:
    with open_contest(place) as contest:
        rescore(contest, solution(has_usage=True, flipped=(0, 30)), WHY)
        send(contest, "Alpha", 5, minute=90)
    assert "scores_change_by_rescore" in refuse(place, "UPDATE attempts SET value_public = 1 WHERE id < 4")
    assert "scores_change_by_rescore" in refuse(place, "UPDATE attempts SET value_public = 1 WHERE id = 4")  # since then
    assert "scores_change_by_rescore" in refuse(place, RESCORED.replace("id = 1", "id = 4"))
    assert "solution_changes_by_rescore" in refuse(place, f"UPDATE contest SET solution_digest = '{FILE}'")
    with open_contest(place) as contest:
        host.void_attempt(contest, contest.team("Alpha"), 1, WHY)
    assert "attempt_is_voided" in refuse(place, f"UPDATE attempts SET voided_at = {MOMENT} WHERE id = 2")
    assert "attempt_is_voided" in refuse(place, "UPDATE attempts SET voided_at = NULL WHERE id = 1")
    with open_contest(place) as contest:
        merge_teams(contest, contest.team("Beta"), contest.team("Alpha"), WHY)
    assert "change_by_merge" in refuse(place, "UPDATE attempts SET is_moving = (1 = 1) WHERE id = 1")
    assert "change_by_merge" in refuse(place, "UPDATE attempts SET number = 4 WHERE id = 3")


def test_a_merger_keeps_the_numbers_before_it(place: str) -> None:
    with open_contest(place) as contest:
        merge_teams(contest, contest.team("Alpha"), contest.team("Beta"), WHY)
        assert [attempt.file_name for attempt in contest.attempts(contest.team("Beta"))] == ["m0.csv", "m1.csv", "m2.csv"]
    with raw(place) as connection:
        rows = connection.execute("SELECT attempt_id, team_id, number, action FROM old_numbers ORDER BY attempt_id").fetchall()
        assert not connection.execute("SELECT 1 FROM attempts WHERE is_moving").fetchall()
    assert rows == [(1, 1, 1, "merge"), (2, 1, 2, "merge"), (3, 2, 1, "merge")]


def test_all_numbers_of_two_full_teams_change_in_a_merger(contest_place: str) -> None:
    """Every seat is taken before and after: files of one sort the other's out, and two change places."""
    with made(contest_place, solution(), "Alpha", "Beta") as contest:
        for minute, (team, wrong) in enumerate(
            (("Beta", 1), ("Alpha", 1), ("Beta", 2), ("Alpha", 3), ("Beta", 4), ("Alpha", 5))
        ):
            send(contest, team, wrong, minute=minute)
        merge_teams(contest, contest.team("Beta"), contest.team("Alpha"), WHY)
        assert [attempt.file_name for attempt in contest.attempts(contest.team("Alpha"))] == ["m0.csv", "m2.csv", "m3.csv"]
    with raw(contest_place) as connection:
        rest = connection.execute(
            "SELECT team_id, number, file_name FROM attempts WHERE team_id = 2 ORDER BY number"
        ).fetchall()
    assert rest == [(2, 1, "m1.csv"), (2, 2, "m4.csv"), (2, 3, "m5.csv")]


def test_ladder_mode_chooses_again_after_a_void_and_keeps_what_it_showed(contest_place: str) -> None:
    with made(contest_place, solution(), "Alpha", settings=ContestSettings(is_ladder=True)) as contest:
        send(contest, "Alpha", 1)
        send(contest, "Alpha", 1, 2, minute=1)
        assert [attempt.shown_number for attempt in contest.attempts(contest.team("Alpha"))] == [1, 1]
        host.void_attempt(contest, contest.team("Alpha"), 1, WHY)
        assert [attempt.shown_number for attempt in contest.attempts(contest.team("Alpha"))] == [1, 2]
        assert [(line.best, line.n_attempts, line.n_allowed) for line in contest.board().lines] == [(2, 2, 4)]
        send(contest, "Alpha", 1, 2, 3, minute=2)
        assert [attempt.shown_number for attempt in contest.attempts(contest.team("Alpha"))] == [1, 2, 2]
    with raw(contest_place) as connection:
        rows = connection.execute("SELECT attempt_id, action, shown_number FROM old_numbers ORDER BY id").fetchall()
    assert rows == [(1, "void", 1), (2, "ladder", 1)]
    assert "changes_by_ladder" in refuse(contest_place, "UPDATE attempts SET shown_number = 1 WHERE id = 2")


def test_a_restored_contest_refuses_as_much(place: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    copy = str(tmp_path_factory.mktemp("restored") / "copy.db")
    with open_contest(place) as contest:
        rescore(contest, solution(has_usage=True, flipped=(0,)), WHY)
        restore_into(contest.database, copy)
    assert "attempts_is_append_only" in refuse(copy, "DELETE FROM attempts")
    assert "scores_change_by_rescore" in refuse(copy, "UPDATE attempts SET value_public = 1")


def test_a_race_of_grants_voids_and_files_leaves_as_many_attempts_as_the_log_gives(contest_place: str) -> None:
    import threading

    from leaderboard.errors import AttemptsExhausted

    with made(contest_place, solution(), "Alpha") as contest:
        send(contest, "Alpha", 0)
        n_refused = 0

        def act(step: int, opened: Contest) -> None:
            nonlocal n_refused
            if step == 0:
                host.void_attempt(opened, opened.team("Alpha"), 1, WHY)
            elif step == 1:
                host.grant_attempts(opened, opened.team("Alpha"), 1, WHY)
            else:
                try:
                    send(opened, "Alpha", *range(1, step), minute=step)
                except AttemptsExhausted:
                    n_refused += 1

        threads = [threading.Thread(target=act, args=(step, contest)) for step in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        team = contest.team("Alpha")
        numbers = [attempt.number for attempt in contest.attempts(team)]
        assert team.n_allowed == 5
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) == min(5, 11 - n_refused)
        assert len(numbers) >= 3
