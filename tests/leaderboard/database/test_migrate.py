"""Contests of earlier versions are brought to the tables of today, on both databases, and a copy of each stays."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from leaderboard.database import schema
from leaderboard.database.connection import connect
from leaderboard.database.migrate import migrate, read_version
from leaderboard.errors import ContestError
from leaderboard.standings import Part
from leaderboard.store import Contest, open_contest
from support.paths import ROOT

# The dump of a contest that the code of version 1 made: three teams, four attempts, public and private rows, six speakers.
VERSION_1 = (ROOT / "tests/support/contest_version_1.sql").read_text(encoding="utf-8")
# Of version 2: four teams, one of them merged; tokens, grants, a rename, a pseudonym, a verified model, a rescoring.
VERSION_2 = (ROOT / "tests/support/contest_version_2.sql").read_text(encoding="utf-8")
TRIGGERS_2 = (ROOT / "tests/support/contest_version_2_postgres.sql").read_text(encoding="utf-8")
TABLES = [
    "meta",
    "files",
    "contest",
    "teams",
    "attempts",
    "old_scores",
    "verifications",
    "models",
    "tokens",
    "refusals",
    "host_log",
]
FIRST = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def old_file(folder: Path, script: str = VERSION_1) -> Path:
    path = folder / "contest.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


def fill_old_server(url: str, dump: str = VERSION_1, triggers: str = "") -> None:
    """The same dump in the words of PostgreSQL, its tables in an order that knows what they refer to."""
    script = re.sub(r"X'([0-9a-f]*)'", r"'\\x\1'::bytea", dump, flags=re.IGNORECASE)
    booleans = re.findall(r"^CREATE TABLE (\w+)|^\t(\w+) BOOLEAN", script, flags=re.MULTILINE)
    for old, new in {
        "BLOB": "BYTEA",
        "DATETIME": "TIMESTAMP WITH TIME ZONE",
        "\tid INTEGER NOT NULL": "\tid SERIAL NOT NULL",
        "BOOLEAN": "INTEGER",
    }.items():
        script = script.replace(old, new)
    statements = [part.strip() for part in re.split(r";\n", script)]
    names = [re.findall(r"^(?:BEGIN TRANSACTION;\n)?(?:CREATE TABLE|INSERT INTO) \"?(\w+)", part) for part in statements]
    server = [(TABLES.index(name[0]), part) for name, part in zip(names, statements, strict=True) if name]
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET TIME ZONE 'UTC'")
        for _, statement in sorted(server, key=lambda pair: (pair[0], pair[1].startswith("INSERT"))):
            connection.exec_driver_sql(statement)
    with engine.begin() as connection:
        table = ""
        for name, column in booleans:
            table = name or table
            if column:
                change = f"ALTER TABLE {table} ALTER {column}"
                connection.exec_driver_sql(f"{change} DROP DEFAULT, ALTER {column} TYPE BOOLEAN USING {column} = 1")
        for trigger in filter(str.strip, triggers.split(";\n\n")):
            connection.exec_driver_sql(trigger)
    engine.dispose()


def old_contest(location: str) -> str:
    if location.startswith("postgresql"):
        fill_old_server(location)
        database = connect(location)
        assert (read_version(database), migrate(database), migrate(database)) == (1, 1, schema.SCHEMA_VERSION)
        database.close()
    else:
        old_file(Path(location).parent)
    return location


def check_is_as_it_was(contest: Contest) -> None:
    assert (contest.name, contest.rules().is_closed, contest.rules().metric_digest) == ("Digits 2026", False, None)
    assert [(team.name, team.n_allowed, team.created_at) for team in contest.teams()] == [
        ("Formantes", 3, FIRST),
        ("Idle", 3, FIRST),
        ("Mel Street", 3, FIRST),
    ]
    submitted = contest.attempts(contest.team("Formantes"))
    assert [(row.number, row.file_name, row.arrived_at.hour, row.is_shown) for row in submitted] == [
        (1, "a.csv", 8, True),
        (2, "c.csv", 10, True),
        (3, "d.csv", 11, True),
    ]
    assert [round(row.macro_f1, 4) for row in submitted] == [0.8333, 0.9161, 1.0]
    result = [(line.team, line.best, round(line.metrics["accuracy"], 4)) for line in contest.standings(Part.PRIVATE)]
    assert result == [("Formantes", 3, 0.9167), ("Mel Street", 1, 0.8333)]


def test_a_contest_of_the_first_release_opens_as_it_was_and_goes_on(contest_place: str) -> None:
    from sqlalchemy import select

    from leaderboard.actions.submit import submit
    from leaderboard.database import schema
    from leaderboard.errors import RepeatedLabels
    from support.contests import NOW

    with open_contest(old_contest(contest_place)) as contest:
        check_is_as_it_was(contest)
        key = contest.secret_key()
        assert len(key) == 32
        content = b"id,label\n" + b"".join(b"c%02d,%d\n" % (n, n % 2) for n in range(24))
        with contest.database.read() as connection:
            (attempt,) = contest.attempts(contest.team("Mel Street"))
            sent = connection.scalar(select(schema.files.c.content).where(schema.files.c.digest == attempt.digest))
        with pytest.raises(RepeatedLabels, match="those of attempt 1, which scored"):
            submit(contest, "Mel Street", bytes(sent or b"") + b"\n", "again.csv", NOW)
        assert submit(contest, "Mel Street", content, "new.csv", NOW).attempt.number == 2
        assert contest.add_team("New", NOW).name == "New"
    with open_contest(contest_place) as contest:
        assert (contest.secret_key(), len(contest.attempts(contest.team("Mel Street")))) == (key, 2)


def test_the_old_file_stays_beside_the_new_one(tmp_path: Path) -> None:
    path = old_file(tmp_path)
    open_contest(path).close()
    (copy,) = tmp_path.glob("contest.db.version-1-*")
    with closing(sqlite3.connect(copy)) as connection, closing(sqlite3.connect(":memory:")) as expected:
        expected.executescript(VERSION_1)
        assert list(connection.iterdump()) == list(expected.iterdump())
    open_contest(path).close()
    assert len(list(tmp_path.iterdir())) == 2


def test_an_old_contest_on_a_server_is_not_changed_before_it_is_asked_for(postgres_url: str) -> None:
    fill_old_server(postgres_url)
    with pytest.raises(ContestError, match="has tables of version 1 and this Arena has 3; make a copy with pg_dump, then run"):
        open_contest(postgres_url)
    database = connect(postgres_url)
    assert read_version(database) == 1
    database.close()


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = old_file(tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("UPDATE teams SET name = '' WHERE id = 3")
    with pytest.raises(ContestError, match="cannot be written"):
        open_contest(path)
    database = connect(path)
    assert read_version(database) == 1
    database.close()


def open_version_2(location: str) -> Contest:
    if not location.startswith("postgresql"):
        old_file(Path(location).parent, VERSION_2)
        return open_contest(location)
    fill_old_server(location, VERSION_2, TRIGGERS_2)
    database = connect(location)
    assert (read_version(database), migrate(database)) == (2, 2)
    database.close()
    return open_contest(location)


def test_a_contest_of_version_2_keeps_tokens_log_grants_scores_and_models(contest_place: str) -> None:
    from sqlalchemy import text

    from leaderboard.actions import host
    from leaderboard.actions.host import HostDecision
    from leaderboard.errors import AttemptsExhausted
    from support.contests import NOW, send

    with open_version_2(contest_place) as contest:
        assert [(team.name, team.shown_as, team.n_allowed, team.disqualified_at is None) for team in contest.teams()] == [
            ("Formantes", "Formantes", 5, True),
            ("Idle Ones", "Idle Ones", 3, False),
            ("Mel Street", "Nightjar", 3, True),
        ]
        tokens = [f"version-2-token-{n:02d}-{'x' * 24}" for n in range(4)]
        holders = [contest.find_team_by_token(token) for token in tokens]
        assert [team and team.name for team in holders] == ["Formantes", "Mel Street", None, "Mel Street"]
        log = [(entry.id, entry.action, entry.actor, entry.team, entry.change) for entry in contest.log()]
        assert [line[1] for line in log] == [
            *("token new", "token new", "token new", "token revoke", "token new", "grant", "rename", "pseudonym"),
            *("rescore", "merge", "disqualify", "migrate"),
        ]
        assert log[5] == (6, "grant", "host", "Formantes", "3 → 5")
        assert log[11] == (12, "migrate", "arena", "Formantes", "3 → 5")
        assert [(line.team, line.best, line.n_attempts) for line in contest.board().lines] == [
            ("Formantes", 3, 4),
            ("Mel Street", 1, 2),
        ]
        (model,) = [row.model for row in contest.attempts(contest.team("Mel Street")) if row.model]
        assert (model.file_name, model.state.value) == ("net.onnx", "same")
        with contest.database.read() as connection:
            assert connection.scalar(text("SELECT count(*) FROM old_scores WHERE log_id IS NULL")) == 6
            teams = connection.execute(text("SELECT id, team_id FROM host_log WHERE id IN (5, 7, 10) ORDER BY id")).all()
        assert [tuple(row) for row in teams] == [(5, 3), (7, 4), (10, 3)]
        assert send(contest, "Formantes", 8, minute=7).n_left == 0
        with pytest.raises(AttemptsExhausted):
            send(contest, "Formantes", 8, 9, minute=8)
        why = HostDecision(reason="a test", decided_at=NOW)
        assert host.grant_attempts(contest, contest.team("Formantes"), 1, why).n_allowed == 6
        assert send(contest, "Formantes", 8, 9, minute=8).attempt.number == 6
        assert host.void_attempt(contest, contest.team("Mel Street"), 1, why).n_allowed == 4


def test_a_copy_of_version_2_stays_beside_the_file_and_the_new_one_refuses_a_change(tmp_path: Path) -> None:
    path = old_file(tmp_path, VERSION_2)
    open_contest(path).close()
    (copy,) = tmp_path.glob("contest.db.version-2-*")
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT n_allowed FROM teams WHERE id = 1").fetchone() == (5,)
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.IntegrityError, match="attempts_is_append_only"):
        connection.execute("DELETE FROM attempts")
