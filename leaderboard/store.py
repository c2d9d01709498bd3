"""The contest, written and read: teams, attempts, standings. Whoever wants results of a contest gets them here."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from sqlalchemy import Connection, Row, func, insert, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from leaderboard import schema
from leaderboard.database import Database, connect, new_sqlite_file, sqlite_path
from leaderboard.deadline import check_ahead
from leaderboard.errors import AttemptsExhausted, ContestError, TeamError
from leaderboard.grading import Grade, Part, score_interval
from leaderboard.scoring import SCORER, accuracy, macro_f1
from leaderboard.solution import Solution, parse_solution
from leaderboard.standings import Attempt, Standing, best_attempt, ranks
from leaderboard.statistics import Interval
from leaderboard.submission import Submission
from leaderboard.teams import Team, name_key, tidy_name, unknown_team

_PREDICTED = np.dtype("<u2")
_HINT = "make a contest with `arena contest init SOLUTION.csv`, or name yours with --contest"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Contest:
    """An open contest; close it, or use it in a `with` statement. Its methods raise ContestError when the database fails."""

    name: str
    created_at: datetime  # UTC
    deadline: datetime | None  # UTC, the last moment that counts
    solution: Solution = field(repr=False)
    _database: Database = field(repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._database.close()

    def add_team(self, name: str, now: datetime) -> Team:
        """The new team.

        Raises:
            TeamError: the name cannot be given, or a team has it in this or another case.
        """
        tidy = tidy_name(name)
        values = {"name": tidy, "name_key": name_key(tidy), "created_at": now}
        with self._database.write() as connection:
            try:
                connection.execute(insert(schema.teams).values(values))
            except IntegrityError as error:
                raise TeamError(f"a team's name is its own and {tidy!r} is taken; give another") from error
        return self.team(tidy)

    def teams(self) -> list[Team]:
        """All teams, by name."""
        with self._database.read() as connection:
            rows = connection.execute(select(*schema.teams.c["id", "name", "created_at"]))
            return sorted((Team(**row._mapping) for row in rows), key=lambda team: name_key(team.name))

    def team(self, name: str) -> Team:
        """The team of that name, whatever its case and spaces.

        Raises:
            TeamError: there is none.
        """
        teams = self.teams()
        found = next((team for team in teams if name_key(team.name) == name_key(name)), None)
        if found is None:
            raise unknown_team(name, [team.name for team in teams])
        return found

    def attempts(self, team: Team) -> tuple[Attempt, ...]:
        """The team's attempts with their public scores, by number."""
        with self._database.read() as connection:
            return tuple(
                _attempt(row, Part.PUBLIC) for row in connection.execute(_ATTEMPTS.where(schema.teams.c.id == team.id))
            )

    def record(self, team: Team, submission: Submission, grade: Grade, now: datetime) -> tuple[Attempt, bool]:
        """The stored attempt and True; the earlier one and False when this team sent the same file before.

        The database gives the number, in the transaction that stores the score: a kill before its end stores nothing.

        Raises:
            AttemptsExhausted: the database refused a further attempt.
        """
        same = (schema.teams.c.id == team.id) & (schema.attempts.c.submission_digest == submission.digest)
        with self._database.write() as connection:
            connection.execute(select(schema.teams.c.id).where(schema.teams.c.id == team.id).with_for_update())
            if (earlier := connection.execute(_ATTEMPTS.where(same)).first()) is not None:
                return _attempt(earlier, Part.PUBLIC), False
            _keep_file(connection, submission.digest, submission.content)
            try:
                connection.execute(insert(schema.attempts).values(_values(team, submission, self.solution, grade, now)))
            except IntegrityError as error:
                if schema.ATTEMPT_LIMIT in str(error.orig):
                    raise AttemptsExhausted(team.name, schema.N_ATTEMPTS) from error
                raise
            return _attempt(connection.execute(_ATTEMPTS.where(same)).one(), Part.PUBLIC), True

    def rank(self, team: Team) -> tuple[int, int]:
        """The public rank of a team that has an attempt, and how many teams have one."""
        by_team = _by_team(self._attempt_rows(), Part.PUBLIC)
        by_rank = ranks({name: best_attempt(attempts).macro_f1 for name, attempts in by_team.items()})
        return by_rank[team.name], len(by_rank)

    def standings(self, part: Part = Part.PUBLIC) -> list[Standing]:
        """The ranking, best first, equal scores by name: by the score in `part` of each team's best public attempt.

        Raises:
            ContestError: the private part is asked for and the solution has no Usage column.
        """
        if part is Part.PRIVATE and not self.solution.has_private:
            raise ContestError(
                "private standings need a Usage column in the solution and this one has none; leave out --private"
            )
        rows = self._attempt_rows()
        shown, counted = _by_team(rows, part), {}
        for team, attempts in _by_team(rows, Part.PUBLIC).items():
            best = best_attempt(attempts).number
            counted[team] = next(attempt for attempt in shown[team] if attempt.number == best)
        by_rank = ranks({team: attempt.macro_f1 for team, attempt in counted.items()})
        intervals = self._intervals([attempt.digest for attempt in counted.values()], part)
        lines = (
            Standing(
                rank=by_rank[team],
                team=team,
                macro_f1=attempt.macro_f1,
                accuracy=attempt.accuracy,
                interval=intervals[attempt.digest],
                best=attempt.number,
                n_attempts=len(shown[team]),
                attempts=shown[team],
            )
            for team, attempt in counted.items()
        )
        return sorted(lines, key=lambda line: (line.rank, name_key(line.team)))

    def _attempt_rows(self) -> Sequence[Row[Any]]:
        with self._database.read() as connection:
            return connection.execute(_ATTEMPTS).all()

    def _intervals(self, digests: list[str], part: Part) -> dict[str, Interval]:
        columns = schema.attempts.c["submission_digest", "predicted"]
        with self._database.read() as connection:
            rows = connection.execute(select(*columns).where(schema.attempts.c.submission_digest.in_(digests)))
            predicted = {row.submission_digest: np.frombuffer(row.predicted, _PREDICTED).astype(np.intp) for row in rows}
        return {digest: score_interval(self.solution, guesses, part) for digest, guesses in predicted.items()}


_ATTEMPTS = (
    select(
        schema.teams.c.name.label("team"),
        *schema.attempts.c["number", "confusion_public", "confusion_private", "arrived_at", "submission_digest", "file_name"],
    )
    .join_from(schema.attempts, schema.teams)
    .order_by(schema.teams.c.id, schema.attempts.c.number)
)


def _by_team(rows: Sequence[Row[Any]], part: Part) -> dict[str, tuple[Attempt, ...]]:
    return {team: tuple(_attempt(row, part) for row in group) for team, group in groupby(rows, key=lambda row: row.team)}


def _attempt(row: Row[Any], part: Part) -> Attempt:
    confusion = np.array(row.confusion_public if part is Part.PUBLIC else row.confusion_private, dtype=np.int64)
    return Attempt(
        number=row.number,
        macro_f1=macro_f1(confusion),
        accuracy=accuracy(confusion),
        arrived_at=row.arrived_at,
        digest=row.submission_digest,
        file_name=row.file_name,
    )


def _values(team: Team, submission: Submission, solution: Solution, grade: Grade, now: datetime) -> dict[str, Any]:
    used = select(func.coalesce(func.max(schema.attempts.c.number), 0)).where(schema.attempts.c.team_id == team.id)
    return {
        "team_id": team.id,
        "number": used.scalar_subquery() + 1,  # counted by the database, in the transaction that stores the score
        "file_name": submission.file_name,
        "submission_digest": submission.digest,
        "solution_digest": solution.digest,
        "scorer": SCORER,
        "confusion_public": grade.public.tolist(),
        "confusion_private": None if grade.private is None else grade.private.tolist(),
        "predicted": submission.predicted.astype(_PREDICTED).tobytes(),
        "arrived_at": now,
    }


def _keep_file(connection: Connection, digest: str, content: bytes) -> None:
    dialect_insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(dialect_insert(schema.files).values(digest=digest, content=content).on_conflict_do_nothing())


def create_contest(
    where: str | Path, *, solution: Solution, name: str, now: datetime, deadline: datetime | None = None
) -> Contest:
    """A new contest at a path (SQLite) or URL, opened; it is there as a whole or not at all.

    Raises:
        ContestError: something is there already, it cannot be written, or the deadline has passed.
    """
    if not name.strip():
        raise ContestError("a contest has a name and this one is empty; give one with --name")
    check_ahead(deadline, now)
    values = {"name": " ".join(name.split()), "solution_digest": solution.digest, "deadline": deadline, "created_at": now}
    path = sqlite_path(where)
    if path is None:
        _fill(connect(where), values, solution)
    else:
        with new_sqlite_file(path) as beside:
            _fill(connect(beside, str(path)), values, solution)
    return open_contest(where)


def _fill(database: Database, values: dict[str, Any], solution: Solution) -> None:
    with closing(database):
        database.log_ahead()
        with database.write() as connection:
            if inspect(connection).has_table(schema.meta.name):
                raise ContestError(f"{database.name} holds a contest and none is overwritten; choose another database")
            schema.metadata.create_all(connection)
            connection.execute(insert(schema.meta).values(key="schema_version", value=str(schema.SCHEMA_VERSION)))
            _keep_file(connection, solution.digest, solution.content)
            connection.execute(insert(schema.contest).values(id=1, **values))


def open_contest(where: str | Path) -> Contest:
    """The contest at a path (SQLite) or URL.

    Raises:
        ContestError: there is none, it cannot be read, or a newer Arena made it.
    """
    path = sqlite_path(where)
    if path is not None and not path.exists():
        raise ContestError(f"{path} does not exist; {_HINT}")
    database = connect(where)
    try:
        return _opened(database)
    except BaseException:
        database.close()
        raise


def _opened(database: Database) -> Contest:
    with database.read() as connection:
        if not all(inspect(connection).has_table(table) for table in schema.metadata.tables):
            raise ContestError(f"{database.name} holds no contest; {_HINT}")
        version = connection.scalar(select(schema.meta.c.value).where(schema.meta.c.key == "schema_version"))
        if version != str(schema.SCHEMA_VERSION):
            raise ContestError(
                f"{database.name} has tables of version {version}, this Arena reads {schema.SCHEMA_VERSION}; update Arena"
            )
        row = connection.execute(select(schema.contest, schema.files.c.content).join_from(schema.contest, schema.files)).one()
    return Contest(
        name=row.name,
        created_at=row.created_at,
        deadline=row.deadline,
        solution=parse_solution(row.content, "solution.csv"),
        _database=database,
    )
