"""The rules that the database itself holds, and what is said of files that hold no contest."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from leaderboard.actions.submit import submit
from leaderboard.database.connection import ContestDatabase
from leaderboard.errors import ContestError, TeamError
from leaderboard.files.solution import parse_solution
from leaderboard.store import Contest, create_contest, open_contest
from support.paths import ROOT

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
IDS = [f"clip_{n:02d}" for n in range(20)]
SOLUTION = "id,label\n" + "".join(f"{name},{n % 2}\n" for n, name in enumerate(IDS))


def predictions(*wrong: int) -> bytes:
    """A submission that is wrong in these rows."""
    return ("id,label\n" + "".join(f"{name},{(n % 2) ^ (n in wrong)}\n" for n, name in enumerate(IDS))).encode()


def made(folder: Path) -> Contest:
    parsed = parse_solution(SOLUTION.encode(), "solution.csv")
    return create_contest(folder / "contest.db", solution=parsed, name="Digits", now=NOW)


@pytest.fixture
def contest(tmp_path: Path) -> Iterator[Contest]:
    with made(tmp_path) as contest:
        yield contest


def send(contest: Contest, team: str, *wrong: int) -> None:
    submit(contest, team, predictions(*wrong), "p.csv", NOW)


def raw(folder: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(folder / "contest.db")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def test_a_contest_is_found_again_as_it_was_made(tmp_path: Path) -> None:
    deadline = datetime(2026, 12, 1, 18, 0, tzinfo=UTC)
    solution = parse_solution(SOLUTION.encode(), "solution.csv")
    create_contest(tmp_path / "c.db", solution=solution, name=" Digits  2026 ", now=NOW, deadline=deadline).close()
    for where in (tmp_path / "c.db", str(tmp_path / "c.db"), f"sqlite:///{tmp_path}/c.db"):
        with open_contest(where) as reopened:
            assert (reopened.name, reopened.created_at, reopened.deadline) == ("Digits 2026", NOW, deadline)
            assert (reopened.solution.digest, reopened.solution.labels) == (solution.digest, ("0", "1"))
    assert [path.name for path in tmp_path.iterdir()] == ["c.db"]


def test_the_file_with_the_solution_is_for_its_owner_alone_and_read_while_written(tmp_path: Path, contest: Contest) -> None:
    assert (tmp_path / "contest.db").stat().st_mode & 0o777 == 0o600
    with closing(raw(tmp_path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_fourth_attempt_is_refused_by_the_database_whoever_writes(tmp_path: Path, contest: Contest) -> None:
    contest.add_team("Alpha", NOW)
    for wrong in range(3):
        send(contest, "Alpha", wrong)
    columns = "team_id, file_name, solution_digest, scorer, confusion_public, predicted, shown_number, arrived_at"
    copy = f"""INSERT INTO attempts (id, number, submission_digest, {columns})
               SELECT 99, ?, solution_digest, {columns} FROM attempts WHERE number = 1"""
    with closing(raw(tmp_path)) as connection:
        for number in (4, 0, -1, None):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(copy, (number,))
        with pytest.raises(sqlite3.IntegrityError, match="attempts_is_append_only"):
            connection.execute(copy, (3,))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO teams (name, name_key, created_at) VALUES ('ALPHA', 'alpha', '2026-11-21 08:00:00')",
        "INSERT INTO teams (name, name_key, created_at) VALUES (' ', ' ', '2026-11-21 08:00:00')",
        "DELETE FROM teams",
        "DELETE FROM files",
        "UPDATE attempts SET team_id = 77",
        "UPDATE attempts SET confusion_public = NULL",
        "INSERT INTO contest (id, name, solution_digest, created_at) SELECT 2, name, solution_digest, created_at FROM contest",
        "UPDATE contest SET ties = 'later'",
        "UPDATE attempts SET number = 1.5",
        "UPDATE attempts SET shown_number = 2",
    ],
)
def test_the_database_refuses_what_breaks_a_rule(tmp_path: Path, contest: Contest, statement: str) -> None:
    contest.add_team("Alpha", NOW)
    send(contest, "Alpha", 0)
    with closing(raw(tmp_path)) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)


def test_what_was_sent_is_kept_with_integers_digests_and_scorer(tmp_path: Path, contest: Contest) -> None:
    contest.add_team("Alpha", NOW)
    send(contest, "Alpha", 0, 2, 3)
    with closing(raw(tmp_path)) as connection:
        row = connection.execute(
            """SELECT confusion_public, confusion_private, scorer, solution_digest, arrived_at, content
               FROM attempts JOIN files ON digest = submission_digest"""
        ).fetchone()
    expected = ("[[8, 2], [1, 9]]", None, "macro_f1/1", contest.solution.digest, "2026-11-21 08:00:00.000000")
    assert row == (*expected, predictions(0, 2, 3))


def test_a_team_has_one_name_in_any_case_and_spacing(contest: Contest) -> None:
    assert contest.add_team("  Equipo   Ñandú ", NOW).name == "Equipo Ñandú"
    with pytest.raises(TeamError) as caught:
        contest.add_team("EQUIPO ÑANDÚ", NOW)
    assert str(caught.value) == "a team's name is its own and 'EQUIPO ÑANDÚ' is taken; give another"
    assert contest.team("equipo ñandú").name == "Equipo Ñandú"
    assert contest.team("\ufeffEquipo Ñandú\r").name == "Equipo Ñandú"  # the first line of a list that a spreadsheet saved
    assert [team.name for team in contest.teams()] == ["Equipo Ñandú"]
    assert contest.add_team("\ufeffLos Ñandúes\r", NOW).name == "Los Ñandúes"


@pytest.mark.parametrize("name", ["", "  ", "a\0b", "a\x1b[31m", "x" * 61])
def test_a_name_that_cannot_be_shown_is_refused(contest: Contest, name: str) -> None:
    with pytest.raises(TeamError, match="a team's name or pseudonym has 1 to 60 characters that are seen"):
        contest.add_team(name, NOW)
    assert contest.teams() == []


def test_an_unknown_team_is_refused_with_the_nearest(contest: Contest) -> None:
    contest.add_team("Alpha", NOW)
    with pytest.raises(TeamError) as caught:
        contest.team("Alfa")
    assert str(caught.value) == "team 'Alfa' is not in the contest; did you mean 'Alpha'?"


def test_an_existing_contest_is_never_overwritten(tmp_path: Path, contest: Contest) -> None:
    contest.add_team("Alpha", NOW)
    with pytest.raises(ContestError) as caught:
        made(tmp_path)
    path = tmp_path / "contest.db"
    assert str(caught.value) == f"{path} exists and no contest is overwritten; choose another path with --contest"
    assert [team.name for team in contest.teams()] == ["Alpha"]


@pytest.mark.parametrize("deadline", [NOW, NOW - timedelta(hours=1)])
def test_a_deadline_in_the_past_makes_no_contest(tmp_path: Path, deadline: datetime) -> None:
    solution = parse_solution(SOLUTION.encode(), "solution.csv")
    with pytest.raises(ContestError, match=r"a deadline lies ahead and 2026-11-21 0\d:00 UTC has passed; give a later one"):
        create_contest(tmp_path / "c.db", solution=solution, name="x", now=NOW, deadline=deadline)
    assert list(tmp_path.iterdir()) == []


def test_what_holds_no_contest_is_refused_in_one_line(tmp_path: Path) -> None:
    hint = "make a contest with `arena contest init SOLUTION.csv`, or name yours with --contest"
    (tmp_path / "text.db").write_text("id,label\n" * 200)
    (tmp_path / "empty.db").touch()
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE meta (key, value)")
    for name, message in {
        "no.db": f"{tmp_path}/no.db does not exist; {hint}",
        "empty.db": f"{tmp_path}/empty.db holds no contest; {hint}",
        "other.db": f"{tmp_path}/other.db holds no contest; {hint}",
        "text.db": f"{tmp_path}/text.db cannot be read (file is not a database); "
        "it is no contest file; name yours with --contest",
    }.items():
        with pytest.raises(ContestError) as caught:
            open_contest(tmp_path / name)
        assert str(caught.value) == message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.db", "other.db", "text.db"]


@pytest.mark.parametrize("where", ["mysql://host/db", "sqlite://", "sqlite:///:memory:", "postgresql://host:port/db"])
def test_a_place_that_keeps_no_contest_is_refused(where: str) -> None:
    with pytest.raises(ContestError, match="a contest is kept in a"):
        open_contest(where)


def test_tables_of_another_version_are_not_touched(tmp_path: Path, contest: Contest) -> None:
    with closing(raw(tmp_path)) as connection, connection:
        connection.execute("UPDATE meta SET value = '9' WHERE key = 'schema_version'")
    with pytest.raises(ContestError) as caught:
        open_contest(tmp_path / "contest.db")
    message = f"{tmp_path}/contest.db has tables of version 9, this Arena reads 1 to 3; update Arena"
    assert str(caught.value) == message


def test_a_damaged_file_is_named_in_one_line(tmp_path: Path) -> None:
    made(tmp_path).close()
    path = tmp_path / "contest.db"
    content = bytearray(path.read_bytes())
    content[4096 : len(content) - 4096] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(ContestError, match=r"contest\.db cannot be read \(.*malformed.*\); the file is damaged") as caught:
        open_contest(path)
    assert len(str(caught.value).splitlines()) == 1


def test_a_folder_that_cannot_be_written_is_named_and_left_as_it_was(tmp_path: Path) -> None:
    solution = parse_solution(SOLUTION.encode(), "solution.csv")
    path = tmp_path / "no folder" / "contest.db"
    with pytest.raises(ContestError) as caught:
        create_contest(path, solution=solution, name="x", now=NOW)
    rule = f"{path} cannot be written (No such file or directory); choose a folder that is writable and has space"
    assert str(caught.value) == rule
    assert list(tmp_path.iterdir()) == []


FULL_DISK = """
import resource, sys
from datetime import UTC, datetime
from leaderboard.actions.submit import submit
from leaderboard.errors import ContestError
from leaderboard.store import open_contest
with open_contest(sys.argv[1]) as contest:
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))  # no file may grow beyond: a disk that is full
    try:
        submit(contest, "Alpha", open(sys.argv[2], "rb").read(), "p.csv", datetime.now(UTC))
    except ContestError as error:
        print(error)
"""


def test_a_full_disk_costs_no_attempt(tmp_path: Path, contest: Contest) -> None:
    contest.add_team("Alpha", NOW)
    (tmp_path / "p.csv").write_bytes(predictions(0) + b"\n" * 20_000)
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "contest.db"), str(tmp_path / "p.csv")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert printed.startswith(f"{tmp_path}/contest.db cannot be written (")
    assert printed.endswith("try again\n")
    assert contest.attempts(contest.team("Alpha")) == ()
    send(contest, "Alpha", 0)
    assert contest.standings()[0].n_attempts == 1


FULL_BEFORE = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from leaderboard.errors import ContestError
from leaderboard.files.solution import parse_solution
from leaderboard.store import create_contest
solution = parse_solution(Path(sys.argv[2]).read_bytes(), "solution.csv")
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
try:
    create_contest(sys.argv[1], solution=solution, name="x", now=datetime.now(UTC))
except ContestError as error:
    print(error)
"""


def test_a_contest_that_finds_no_space_is_named_as_its_user_named_it(tmp_path: Path) -> None:
    (tmp_path / "solution.csv").write_text(SOLUTION)
    command = [sys.executable, "-c", FULL_BEFORE, str(tmp_path / "contest.db"), str(tmp_path / "solution.csv")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert printed.startswith(f"{tmp_path}/contest.db cannot be written (")
    assert [path.name for path in tmp_path.iterdir()] == ["solution.csv"]


def test_one_who_gets_no_connection_in_time_is_told_so(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'some.db'}", pool_size=1, max_overflow=0, pool_timeout=0.01)
    database = ContestDatabase(engine, "some.db")
    with (
        database.read(),
        pytest.raises(ContestError, match=r"some.db cannot be read .*too many ask at a time"),
        database.read(),
    ):
        pass
    database.close()
