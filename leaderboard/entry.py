"""The way of a submission: parsed, scored, stored, ranked. What is refused on the way costs nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from leaderboard import refusals
from leaderboard.board import public_interval, read_ranks
from leaderboard.errors import AttemptsExhausted, SolutionReplaced, SubmissionError, TeamError
from leaderboard.grading import Part, grade
from leaderboard.records import read_rules, read_team
from leaderboard.standings import Attempt
from leaderboard.statistics import Interval
from leaderboard.store import Contest
from leaderboard.submission import Submission, parse_submission
from leaderboard.teams import Team

_N_TRIES = 3  # against a solution that is corrected between grading and storing


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What a team learns of its submission: public scores only."""

    team: str
    attempt: Attempt
    interval: Interval  # of its macro-F1
    is_new: bool  # False: the same file was scored before, and no attempt was used
    n_left: int
    rank: int  # of the team's best attempt
    n_ranked: int  # teams with an attempt


def validate(contest: Contest, content: bytes, file_name: str) -> Submission:
    """The checked submission, never a score.

    Raises:
        SubmissionError: the file cannot be sent; names the line and the fix.
    """
    return parse_submission(content, file_name, contest.solution)


def submit(contest: Contest, team: str, content: bytes, file_name: str, now: datetime) -> Receipt:
    """The receipt of a stored attempt; of the earlier one when this team sent the same file before.

    Raises:
        TeamError: no such team, or it is disqualified.
        ContestClosed: `now` is after the deadline, or the host closed the contest.
        AttemptsExhausted: the team has used its last attempt.
        TooManyRefusals: the team sent too many files within an hour that could not be scored.
        SubmissionError: the file cannot be scored.
        ContestError: the database cannot be read or written, or the host's metric failed.
    """
    digest = hashlib.sha256(content).hexdigest()
    with contest.database.read() as connection:
        sender = read_team(connection, team)
        known = _known(connection, contest, sender, digest, now)
    number, is_new = (known, False) if known is not None else _stored(contest, sender, (content, file_name), now)
    with contest.database.read() as connection:
        attempts = contest.memory.attempts(connection, Part.PUBLIC)[sender.id]
        by_rank = read_ranks(connection, contest.memory, read_rules(connection))
        interval = public_interval(connection, contest.memory, attempts, number)
    return Receipt(
        team=sender.name,
        attempt=attempts[number - 1],
        interval=interval,
        is_new=is_new,
        n_left=sender.n_allowed - len(attempts),
        rank=by_rank[sender.name],
        n_ranked=len(by_rank),
    )


def _known(connection: Connection, contest: Contest, sender: Team, digest: str, now: datetime) -> int | None:
    """The number of the attempt that was this file; None for a new file that may be tried."""
    if sender.disqualified_at is not None:
        raise TeamError(f"team {sender.name!r} is disqualified; ask the host of the contest")
    before = contest.memory.attempts(connection, Part.PUBLIC).get(sender.id, ())
    earlier = next((attempt for attempt in before if attempt.digest == digest), None)
    if earlier is not None:
        return earlier.number
    rules = read_rules(connection)
    rules.check_open(now)
    if len(before) >= sender.n_allowed:
        raise AttemptsExhausted(sender.name, sender.n_allowed)
    refusals.check(connection, sender, rules.n_refusals_per_hour, now)
    return None


def _stored(contest: Contest, sender: Team, file: tuple[bytes, str], now: datetime) -> tuple[int, bool]:
    for n_left in reversed(range(_N_TRIES)):
        solution, metric = contest.scorer()
        try:
            submission = parse_submission(*file, solution)
            graded = grade(solution, submission, metric)
        except SubmissionError:
            contest.count_refusal(sender, now)
            raise
        try:
            return contest.record(sender, submission, graded, now)
        except SolutionReplaced:
            if not n_left:
                raise
    raise AssertionError
