"""The contest, written and read: teams, attempts, standings. Whoever wants results of a contest gets them here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import select

from leaderboard.contest import ranking as board
from leaderboard.contest import team_names as names
from leaderboard.contest import tokens
from leaderboard.contest.attempt_details import Details, compute_details, read_confusion
from leaderboard.contest.attempts import record
from leaderboard.contest.cache import ContestCache, Scorer
from leaderboard.contest.rate_limit import count_refusal
from leaderboard.database import schema
from leaderboard.database.connection import ContestDatabase, connect, create_sqlite_file, parse_sqlite_path
from leaderboard.database.create import ContestSettings, fill
from leaderboard.database.migrate import bring_up_to_date
from leaderboard.database.rows import LogEntry, read_log, read_rules, read_team, read_team_by_id, read_teams
from leaderboard.deadline import check_ahead
from leaderboard.errors import ContestError
from leaderboard.files.solution import Solution
from leaderboard.files.submission import Submission
from leaderboard.rules import Rules
from leaderboard.scoring.grading import Grade
from leaderboard.standings import Attempt, Board, Part, Standing
from leaderboard.teams import Team, name_key


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Contest:
    """An open contest; close it, or use it in a `with` statement. Threads may share it.

    Everything is read afresh, since a host may act from another process. Methods raise ContestError when the database fails.
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
        """What the host decided, as it is now."""
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

    def scorer(self) -> Scorer:
        """What a submission is graded by now."""
        with self.database.read() as connection:
            return self.cache.scorer(connection, read_rules(connection))

    def secret_key(self) -> bytes:
        """32 random bytes of this contest, to sign cookies with; the same in every process."""
        with self.database.read() as connection:
            value = connection.scalar(select(schema.meta.c.value).where(schema.meta.c.key == "secret_key"))
            return bytes.fromhex(str(value))

    def log(self) -> list[LogEntry]:
        """What the host did, first to last."""
        with self.database.read() as connection:
            return read_log(connection)

    def add_team(self, name: str, now: datetime) -> Team:
        """The new team.

        Raises:
            NameRefused: the name cannot be given, or a team has it in this or another case, as its name or pseudonym.
        """
        with self.database.write() as connection:
            tidy = names.add_team(connection, name, now)
        return self.team(tidy)

    def teams(self) -> list[Team]:
        """All teams, by name; those that went into another are not among them."""
        with self.database.read() as connection:
            return sorted(read_teams(connection), key=lambda team: name_key(team.name))

    def team(self, name: str) -> Team:
        """The team of that name, whatever its case and spaces.

        Raises:
            TeamError: there is none.
        """
        with self.database.read() as connection:
            return read_team(connection, name)

    def set_pseudonym(self, team: Team, pseudonym: str | None, now: datetime, reason: str | None = None) -> Team:
        """The team, shown to others under `pseudonym`, or under its name again for None; the log tells it.

        Args:
            reason: the host's; None where the team itself asks.

        Raises:
            NameRefused: it cannot be given, tells the team's name, or is a name or pseudonym of another team.
            NameOften: the team itself asks, and has changed it ten times within a day.
        """
        with self.database.write() as connection:
            names.set_pseudonym(connection, team, pseudonym, reason, now)
        return self.team(team.name)

    def new_token(self, team: Team, now: datetime) -> str:
        """A token of the team: to be shown once, kept as a hash."""
        with self.database.write() as connection:
            return tokens.new_token(connection, team.id, now)

    def revoke_tokens(self, team: Team, now: datetime) -> int:
        """How many tokens of the team were good until now."""
        with self.database.write() as connection:
            return tokens.mark_tokens_revoked(connection, team.id, now)

    def find_team_by_token(self, token: str) -> Team | None:
        """Whose token it is; None for one that is unknown or revoked."""
        with self.database.read() as connection:
            team_id = tokens.find_team_id(connection, token)
            return read_team_by_id(connection, team_id) if team_id else None

    def count_refusal(self, team: Team, now: datetime) -> None:
        """Count a file that could not be scored; it costs no attempt."""
        with self.database.write() as connection:
            count_refusal(connection, team, now)

    def attempts(self, team: Team) -> tuple[Attempt, ...]:
        """The team's attempts with their public scores, by number."""
        with self.database.read() as connection:
            return self.cache.attempts(connection, Part.PUBLIC).get(team.id, ())

    def details(self, team: Team, number: int, part: Part = Part.PUBLIC) -> Details:
        """One attempt in full. What Ladder mode keeps back is that of the attempt whose score is shown for it.

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
            shown = number if part is Part.PRIVATE else attempt.shown_number
            solution = self.cache.solution(connection, read_rules(connection).solution_digest)
            confusion = read_confusion(connection, team.id, shown, part)
            replicates = self.cache.replicates(connection, solution, part, [attempts[shown - 1].digest])
            interval = self.cache.resamples(solution, part).interval(replicates[:, 0])
        return compute_details(attempt, confusion, solution.labels, interval)

    def record(self, team: Team, submission: Submission, grade: Grade, now: datetime) -> tuple[int, bool]:
        """The number of the stored attempt and True; of the earlier one and False when this team sent the same file before.

        The database gives the number, in the transaction that stores the score: a kill before its end stores nothing.

        Raises:
            AttemptsExhausted: the database refused a further attempt.
            SolutionReplaced, ContestClosed, TeamError: what the host did meanwhile.
        """
        with self.database.write() as connection:
            return record(connection, self.cache, team, (submission, grade), now)

    def standings(self, part: Part = Part.PUBLIC) -> Sequence[Standing]:
        """The ranking, best first, equal ranks by name: by the score in `part` of each team's best public attempt.

        Raises:
            ContestError: the private part is asked for and the solution has no Usage column.
        """
        with self.database.read() as connection:
            return list(board.read_standings(connection, self.cache, part))

    def board(self) -> Board:
        """What everyone may see now: public scores while the contest runs, the final ones after its host closed it."""
        with self.database.read() as connection:
            return board.read_board(connection, self.cache)


def create_contest(
    where: str | Path,
    *,
    solution: Solution,
    name: str,
    now: datetime,
    deadline: datetime | None = None,
    settings: ContestSettings | None = None,
) -> Contest:
    """A new contest at a path (SQLite) or URL, opened; it is there as a whole or not at all.

    Raises:
        ContestError: something is there already, it cannot be written, or the deadline has passed.
    """
    if not name.strip():
        raise ContestError("a contest has a name and this one is empty; give one with --name")
    check_ahead(deadline, now)
    values = {"name": " ".join(name.split()), "deadline": deadline, "created_at": now}
    path = parse_sqlite_path(where)
    if path is None:
        fill(connect(where), solution, values, settings or ContestSettings())
    else:
        with create_sqlite_file(path) as beside:
            fill(connect(beside, str(path)), solution, values, settings or ContestSettings())
    return open_contest(where)


def open_contest(where: str | Path) -> Contest:
    """The contest at a path (SQLite) or URL; a SQLite file of an older version is brought up to date, a copy stays beside it.

    Raises:
        ContestError: there is none, it cannot be read, or a newer Arena made it.
    """
    database = connect(where)
    try:
        bring_up_to_date(database, parse_sqlite_path(where))
        contest = Contest(database=database)
        contest.scorer()  # what is damaged is told now
        return contest
    except BaseException:
        database.close()
        raise
