"""The way of a submission: parsed, scored, stored, ranked. What is refused on the way costs nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from leaderboard.deadline import check_open
from leaderboard.errors import AttemptsExhausted
from leaderboard.grading import Part, grade, score_interval
from leaderboard.schema import N_ATTEMPTS
from leaderboard.standings import Attempt
from leaderboard.statistics import Interval
from leaderboard.store import Contest
from leaderboard.submission import Submission, parse_submission


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What a team learns of its submission: public scores only."""

    team: str
    attempt: Attempt
    interval: Interval
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
        TeamError: no such team.
        ContestClosed: `now` is after the deadline.
        AttemptsExhausted: the team has used its last attempt.
        SubmissionError: the file cannot be scored.
        ContestError: the database cannot be read or written.
    """
    sender = contest.team(team)
    before = contest.attempts(sender)
    digest = hashlib.sha256(content).hexdigest()
    if digest not in [attempt.digest for attempt in before]:
        check_open(contest.deadline, now)
        if len(before) >= N_ATTEMPTS:
            raise AttemptsExhausted(sender.name, N_ATTEMPTS)
    submission = validate(contest, content, file_name)
    attempt, is_new = contest.record(sender, submission, grade(contest.solution, submission.predicted), now)
    rank, n_ranked = contest.rank(sender)
    return Receipt(
        team=sender.name,
        attempt=attempt,
        interval=score_interval(contest.solution, submission.predicted, Part.PUBLIC),
        is_new=is_new,
        n_left=N_ATTEMPTS - len(contest.attempts(sender)),
        rank=rank,
        n_ranked=n_ranked,
    )
