"""A contest as other packages use it: teams, attempts, standings, read and written."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import select

from leaderboard.contest import ranking, team_names, tokens
from leaderboard.contest.attempt_details import Details, compute_details, read_confusion
from leaderboard.contest.attempts import find_repeated, record
from leaderboard.contest.cache import ContestCache, Scorer
from leaderboard.contest.disclosure import ShownDetails, disclose_attempt, disclose_details
from leaderboard.contest.rate_limit import count_refusal
from leaderboard.database import schema
from leaderboard.database.connection import ContestDatabase, connect, create_sqlite_file, parse_sqlite_path
from leaderboard.database.create import ContestSettings, fill
from leaderboard.database.migrate import bring_up_to_date
from leaderboard.database.rows import LogEntry, read_content, read_log, read_rules, read_team, read_team_by_id, read_teams
from leaderboard.deadline import check_ahead
from leaderboard.errors import ContestError
from leaderboard.files.onnx_check import ModelNeeds
from leaderboard.files.solution import Solution
from leaderboard.files.submission import Submission
from leaderboard.rules import Rules
from leaderboard.scoring.grading import Grade
from leaderboard.standings import Attempt, Board, Part, Standing
from leaderboard.teams import Team, name_key


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Contest:
    """An open contest; close it, or use it in a `with` statement. Threads may share it.

    Nothing is remembered between calls, since a host may act from another process. Methods raise
    ContestError when the database fails.
    """

    database: ContestDatabase = field(repr=False)
    cache: ContestCache = field(repr=False, default_factory=ContestCache)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self.database.close()

    def rules(self) -> Rules:
        """Return the host's decisions, as they stand now."""
        with self.database.read() as connection:
            return read_rules(connection)

    @property
    def name(self) -> str:
        return self.rules().name

    @property
    def created_at(self) -> datetime:
        return self.rules().created_at

    @property
    def deadline(self) -> datetime | None:
        """UTC, the last moment that counts."""
        return self.rules().deadline

    @property
    def solution(self) -> Solution:
        with self.database.read() as connection:
            return self.cache.solution(connection, read_rules(connection).solution_digest)

    @property
    def hidden_part(self) -> Solution | None:
        """Return the solution of the recordings that no team is given; None where there are none."""
        with self.database.read() as connection:
            digest = read_rules(connection).hidden_digest
            return None if digest is None else self.cache.solution(connection, digest)

    def model_needs(self) -> ModelNeeds:
        """Return what a model must fit to be run."""
        return ModelNeeds(labels=self.solution.labels, rate_hz=self.rules().rate_hz)

    def scorer(self) -> Scorer:
        """Return the solution and the metric that submissions are graded by now."""
        with self.database.read() as connection:
            return self.cache.scorer(connection, read_rules(connection))

    def secret_key(self) -> bytes:
        """Return the contest's 32 random bytes that sign cookies; the same in every process."""
        with self.database.read() as connection:
            value = connection.scalar(select(schema.meta.c.value).where(schema.meta.c.key == "secret_key"))
            return bytes.fromhex(str(value))

    def log(self) -> list[LogEntry]:
        """Return the host's actions, first to last."""
        with self.database.read() as connection:
            return read_log(connection)

    def add_team(self, name: str, now: datetime, *, is_baseline: bool = False) -> Team:
        """Add a team, or a baseline of the host that is shown out of rank, and return it.

        Raises:
            NameRefused: the name cannot be given, or a team has it in this or another case, as its name or pseudonym.
        """
        with self.database.write() as connection:
            tidy = team_names.insert_team(connection, name, now, is_baseline=is_baseline)
        return self.team(tidy)

    def teams(self) -> list[Team]:
        """Return all teams by name, without those that were merged into another."""
        with self.database.read() as connection:
            return sorted(read_teams(connection), key=lambda team: name_key(team.name))

    def team(self, name: str) -> Team:
        """Return the team of that name, whatever its case and spaces.

        Raises:
            TeamError: there is none.
        """
        with self.database.read() as connection:
            return read_team(connection, name)

    def set_pseudonym(self, team: Team, pseudonym: str | None, now: datetime) -> Team:
        """Show the team, as it asks, under `pseudonym`, or under its name again for None; log that, and return the team.

        Raises:
            NameRefused: it cannot be given, tells the team's name, or is a name or pseudonym of another team.
            NameOften: the team has changed it ten times within a day.
        """
        with self.database.write() as connection:
            team_names.set_pseudonym(connection, team, pseudonym, team_names.NameRequest(asked_at=now))
        return self.team(team.name)

    def new_token(self, team: Team, now: datetime) -> str:
        """Create a token of the team, to be shown once; only its hash is stored."""
        with self.database.write() as connection:
            return tokens.new_token(connection, team.id, now)

    def revoke_tokens(self, team: Team, now: datetime) -> int:
        """Revoke the team's tokens and return how many were valid."""
        with self.database.write() as connection:
            return tokens.mark_tokens_revoked(connection, team.id, now)

    def find_team_by_token(self, token: str, used_at: datetime | None = None) -> Team | None:
        """Return the team of a token; None for one that is unknown or revoked.

        Args:
            used_at: stored as the token's last use, at most once an hour; None stores nothing.
        """
        with self.database.read() as connection:
            holder = tokens.find_holder(connection, token)
            team = read_team_by_id(connection, holder.team_id) if holder else None
        if holder is not None and used_at is not None and tokens.is_first_use(holder, used_at):
            with contextlib.suppress(ContestError), self.database.write() as connection:  # a full disk refuses no reader
                tokens.record_use(connection, holder, used_at)
        return team

    def count_refusal(self, team: Team, now: datetime) -> None:
        """Count a file that could not be scored; it uses no attempt."""
        with self.database.write() as connection:
            count_refusal(connection, team, now)

    def find_repeated(self, team: Team, submission: Submission) -> int | None:
        """Return the number of the team's attempt that has the labels of `submission`; None where none has."""
        with self.database.read() as connection:
            return find_repeated(connection, self.cache, team, submission)

    def read_file(self, digest: str) -> bytes:
        """Return a file of the contest by its digest: a solution or a submission."""
        with self.database.read() as connection:
            return read_content(connection, digest)

    def attempts(self, team: Team) -> tuple[Attempt, ...]:
        """Return the team's attempts with their public scores, by number, for the host's eyes."""
        with self.database.read() as connection:
            return self.cache.attempts(connection, Part.PUBLIC).get(team.id, ())

    def shown_attempts(self, team: Team) -> tuple[Attempt, ...]:
        """Return the team's attempts as it may see them now."""
        rules = self.rules()
        return tuple(disclose_attempt(attempt, rules) for attempt in self.attempts(team))

    def shown_details(self, team: Team, number: int) -> ShownDetails:
        """Return an attempt as its team may see it now.

        Raises:
            ContestError: there is no such attempt.
        """
        return disclose_details(self.details(team, number), self.rules())

    def details(self, team: Team, number: int, part: Part = Part.PUBLIC) -> Details:
        """Return an attempt in full, for the host; in Ladder mode, the public details of the attempt whose score it shows.

        Raises:
            ContestError: there is no such attempt.
        """
        with self.database.read() as connection:
            attempts = self.cache.attempts(connection, part).get(team.id, ())
            if not 1 <= number <= len(attempts):
                raise ContestError(
                    f"team {team.name!r} has {len(attempts)} attempts and none of number {number}; choose one of these"
                )
            attempt = attempts[number - 1]
            shown_number = number if part is Part.PRIVATE else attempt.shown_number
            solution = self.cache.solution(connection, read_rules(connection).solution_digest)
            confusion = read_confusion(connection, team.id, shown_number, part)
            replicates = self.cache.replicates(connection, solution, part, [attempts[shown_number - 1].digest])
            interval = self.cache.resamples(solution, part).interval(replicates[:, 0])
        return compute_details(attempt, confusion, solution.labels, interval)

    def record(
        self, team: Team, submission: Submission, grade: Grade, now: datetime, *, again: bool, note: str | None = None
    ) -> tuple[int, bool]:
        """Store an attempt; return its number and True, or the earlier one and False if the team sent this file before.

        The database numbers it in the transaction that stores the score: a kill before its end stores nothing.

        Raises:
            RepeatedLabels: an earlier attempt of the team has these labels, and `again` is False.
            AttemptsExhausted: the database refused a further attempt.
            SolutionReplaced, ContestClosed, TeamError: the host acted meanwhile.
        """
        with self.database.write() as connection:
            return record(connection, self.cache, team, (submission, grade), now, again=again, note=note)

    def standings(self, part: Part = Part.PUBLIC) -> Sequence[Standing]:
        """Return the ranking by the score in `part` of each team's best public attempt, equal ranks by name.

        Raises:
            ContestError: the private part is asked for and the solution has no Usage column.
        """
        with self.database.read() as connection:
            return list(ranking.read_standings(connection, self.cache, part))

    def board(self) -> Board:
        """Return what everybody may see: public scores while the contest runs, final ones after its host closed it."""
        with self.database.read() as connection:
            return ranking.read_board(connection, self.cache)


def create_contest(
    location: str | Path,
    *,
    solution: Solution,
    name: str,
    now: datetime,
    deadline: datetime | None = None,
    settings: ContestSettings | None = None,
) -> Contest:
    """Create a contest at a path (SQLite) or URL, as a whole or not at all, and open it.

    Raises:
        ContestError: the path or database is in use, it cannot be written, or the deadline has passed.
    """
    if not name.strip():
        raise ContestError("a contest has a name and this one is empty; give one with --name")
    check_ahead(deadline, now)
    values = {"name": " ".join(name.split()), "deadline": deadline, "created_at": now}
    path = parse_sqlite_path(location)

    def fill_tables(database: ContestDatabase) -> None:
        fill(
            database,
            solution,
            values,
            settings or ContestSettings(),
            lambda connection, team: team_names.insert_team(connection, team, now),
        )

    if path is None:
        fill_tables(connect(location))
    else:
        with create_sqlite_file(path) as temporary:
            fill_tables(connect(temporary, str(path)))
    return open_contest(location)


def open_contest(location: str | Path) -> Contest:
    """Open the contest at a path (SQLite) or URL; an older SQLite file is migrated and a copy stays beside it.

    Raises:
        ContestError: there is none, it cannot be read, or a newer Arena made it.
    """
    database = connect(location)
    try:
        bring_up_to_date(database, parse_sqlite_path(location))
        contest = Contest(database=database)
        contest.scorer()  # a damaged contest is reported now
        return contest
    except BaseException:
        database.close()
        raise
