"""The way of a submission: parsed, scored, stored, ranked. What is refused on the way costs nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from arena.base.scores import Interval
from leaderboard.contest.cache import Scorer
from leaderboard.contest.ranking import compute_public_interval, read_ranks
from leaderboard.contest.rate_limit import check_rate
from leaderboard.database import schema
from leaderboard.database.rows import count_rows, read_rules, read_team, read_team_by_id
from leaderboard.errors import AttemptsExhausted, SolutionReplaced, SubmissionError, TeamError
from leaderboard.files.submission import Submission, parse_submission
from leaderboard.messages import message
from leaderboard.rules import Rules
from leaderboard.scoring.grading import grade
from leaderboard.standings import Attempt, Part
from leaderboard.store import Contest
from leaderboard.teams import Team

_N_TRIES = 3  # against a solution that is corrected between grading and storing


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What a team learns of its submission: public scores only."""

    team: str
    metric: str
    attempt: Attempt
    interval: Interval  # of its macro-F1
    is_new: bool  # False: the same file was scored before, and no attempt was used
    n_left: int
    rank: int  # of the team's best attempt
    n_ranked: int  # teams with an attempt


def validate_submission(contest: Contest, content: bytes, file_name: str) -> Submission:
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
        rules, sender = read_rules(connection), read_team(connection, team)
        number = _known(connection, sender, rules, digest, now)
        scorer = contest.cache.scorer(connection, rules)
    is_new = False
    if number is None:
        number, is_new = _stored(contest, sender, scorer, (content, file_name), now)
    with contest.database.read() as connection:
        rules = read_rules(connection)
        sender = read_team_by_id(connection, sender.id) or sender  # it may have another name since
        ranks = read_ranks(connection, contest.cache, rules)
        if sender.name not in ranks:
            raise _out(sender)
        attempts = contest.cache.attempts(connection, Part.PUBLIC)[sender.id]
        interval = compute_public_interval(connection, contest.cache, rules, attempts, number)
    return Receipt(
        team=sender.name,
        metric=rules.metric_name,
        attempt=attempts[number - 1],
        interval=interval,
        is_new=is_new,
        n_left=sender.n_allowed - len(attempts),
        rank=ranks[sender.name],
        n_ranked=len(ranks),
    )


_SENT = select(
    select(schema.attempts.c.number)
    .where(schema.attempts.c.team_id == bindparam("of_team"), schema.attempts.c.submission_digest == bindparam("of_file"))
    .scalar_subquery()
    .label("earlier"),
    count_rows(schema.attempts, schema.attempts.c.team_id == bindparam("of_team")).label("n_used"),
)


def _known(connection: Connection, sender: Team, rules: Rules, digest: str, now: datetime) -> int | None:
    """The number of the attempt that was this file; None for a new file that may be tried."""
    if sender.disqualified_at is not None:
        raise _out(sender)
    sent = connection.execute(_SENT, {"of_team": sender.id, "of_file": digest}).one()
    if sent.earlier is not None:
        return int(sent.earlier)
    rules.check_open(now)
    if sent.n_used >= sender.n_allowed:
        raise AttemptsExhausted(sender.name, sender.n_allowed)
    check_rate(connection, sender, rules.n_refusals_per_hour, now)
    return None


def _out(sender: Team) -> TeamError:
    return TeamError(message("team_out", team=repr(sender.name)))


def _stored(contest: Contest, sender: Team, scorer: Scorer, file: tuple[bytes, str], now: datetime) -> tuple[int, bool]:
    for n_left in reversed(range(_N_TRIES)):
        solution, metric = scorer
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
            scorer = contest.scorer()
    raise AssertionError
