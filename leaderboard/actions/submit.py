"""Submission of a file: parsed, scored, stored, ranked. A refused file uses no attempt."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from arena.base.scores import Interval
from arena.base.texts import Message
from leaderboard.contest.cache import Scorer
from leaderboard.contest.disclosure import disclose_attempt, disclose_interval
from leaderboard.contest.ranking import compute_public_interval, read_ranks
from leaderboard.contest.rate_limit import check_rate
from leaderboard.database import schema
from leaderboard.database.rows import read_rules, read_team, read_team_by_id
from leaderboard.errors import AttemptsExhausted, NoteRefused, SolutionReplaced, SubmissionError, TeamError, VoidedFile
from leaderboard.files.contradictions import check_labels, list_oddities
from leaderboard.files.submission import Submission, parse_submission
from leaderboard.messages import message
from leaderboard.rules import Rules
from leaderboard.scoring.grading import grade
from leaderboard.standings import Attempt, Part
from leaderboard.store import Contest
from leaderboard.teams import Team

MAX_NOTE = 300  # characters
_N_TRIES = 3  # against a solution that is corrected between grading and storing


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """The answer to a submission: what its team may see now."""

    team: str
    metric: str
    attempt: Attempt
    interval: Interval  # interval of its macro-F1
    is_new: bool  # False: the same file was scored before, and no attempt was used
    n_left: int
    rank: int | None  # rank of the team's best attempt; None: a baseline, or no attempt of it counts
    n_ranked: int  # teams with a rank
    notes: tuple[str, ...] = ()  # on what is odd in a file that was scored now


def validate_submission(contest: Contest, content: bytes, file_name: str, *, yes: bool = False) -> Submission:
    """Check a submission without scoring it.

    Args:
        yes: take labels that contradict their own probabilities.

    Raises:
        SubmissionError: the file cannot be submitted; names the line and the fix.
    """
    solution = contest.solution
    submission = parse_submission(content, file_name, solution)
    if not yes:
        check_labels(submission, solution)
    return submission


def read_notes(contest: Contest, team: Team, number: int) -> tuple[Message, ...]:
    """Return the notes on the file of an attempt."""
    attempt = contest.attempts(team)[number - 1]
    solution = contest.solution
    return list_oddities(parse_submission(contest.read_file(attempt.digest), attempt.file_name, solution), solution)


def submit(
    contest: Contest,
    team: str,
    content: bytes,
    file_name: str,
    now: datetime,
    *,
    again: bool = False,
    yes: bool = False,
    note: str | None = None,
) -> Receipt:
    """Submit a file and return its receipt; that of the earlier attempt when this team sent the same file before.

    Args:
        again: use an attempt on the labels of an earlier attempt.
        yes: use an attempt on labels that contradict their own probabilities.
        note: the team's own words on the attempt, stored with it for good.

    Raises:
        NoteRefused: the note is long or holds characters that do not print.
        VoidedFile: the host has voided the attempt with this file.
        ContradictoryLabels: the labels are not the most probable ones in most rows, and `yes` is False.
        RepeatedLabels: another file with the labels of an earlier attempt of the team, and `again` is False.
        TeamError: no such team, or it is disqualified.
        ContestClosed: `now` is after the deadline, or the host closed the contest.
        AttemptsExhausted: the team has used its last attempt.
        TooManyRefusals: the team sent too many files within an hour that could not be scored.
        SubmissionError: the file cannot be scored.
        ContestError: the database cannot be read or written, or the host's metric failed.
    """
    digest, tidy_note = hashlib.sha256(content).hexdigest(), _tidy_note(note)
    with contest.database.read() as connection:
        rules, sender = read_rules(connection), read_team(connection, team)
        number = _find_earlier(connection, sender, rules, digest, now)
        scorer = contest.cache.scorer(connection, rules)
    is_new = False
    notes: tuple[Message, ...] = ()
    if number is None:
        number, is_new, notes = _grade_and_store(
            contest, sender, scorer, (content, file_name), now, again=again, yes=yes, note=tidy_note
        )
    with contest.database.read() as connection:
        rules = read_rules(connection)
        sender = read_team_by_id(connection, sender.id) or sender  # the host may have renamed it since
        ranks = read_ranks(connection, contest.cache, rules)
        if sender.disqualified_at is not None:
            raise _build_refusal(sender)
        attempts = contest.cache.attempts(connection, Part.PUBLIC)[sender.id]
        interval = compute_public_interval(connection, contest.cache, rules, attempts, number)
    return Receipt(
        team=sender.name,
        metric=rules.metric_name,
        attempt=disclose_attempt(attempts[number - 1], rules),
        interval=disclose_interval(interval, rules),
        is_new=is_new,
        n_left=sender.n_allowed - len(attempts),
        rank=ranks.get(sender.name),
        n_ranked=len(ranks),
        notes=tuple(map(str, notes)),
    )


def _tidy_note(note: str | None) -> str | None:
    tidy = " ".join((note or "").split())
    if len(tidy) > MAX_NOTE or not tidy.isprintable():
        raise NoteRefused(message("note_form", most=MAX_NOTE, n=len(tidy)))
    return tidy or None


_SENT = select(*schema.attempts.c["number", "submission_digest", "voided_at"]).where(
    schema.attempts.c.team_id == bindparam("of_team")
)


def _find_earlier(connection: Connection, sender: Team, rules: Rules, digest: str, now: datetime) -> int | None:
    """Return the number of the attempt with this file; None for a new file that may be submitted."""
    if sender.disqualified_at is not None:
        raise _build_refusal(sender)
    rows = connection.execute(_SENT, {"of_team": sender.id}).all()
    earlier = next((row for row in rows if row.submission_digest == digest), None)
    if earlier is not None:
        if earlier.voided_at is not None:
            raise VoidedFile(earlier.number)
        return int(earlier.number)
    rules.check_open(now, sender.deadline)
    if len(rows) >= sender.n_allowed:
        raise AttemptsExhausted(sender.name, sender.n_allowed)
    check_rate(connection, sender, rules.n_refusals_per_hour, now)
    return None


def _build_refusal(sender: Team) -> TeamError:
    return TeamError(message("team_out", team=repr(sender.name)))


def _grade_and_store(
    contest: Contest,
    sender: Team,
    scorer: Scorer,
    file: tuple[bytes, str],
    now: datetime,
    *,
    again: bool,
    yes: bool,
    note: str | None,
) -> tuple[int, bool, tuple[Message, ...]]:
    for n_left in reversed(range(_N_TRIES)):
        solution, metric, metric_name = scorer
        try:
            submission = parse_submission(*file, solution)
            if not yes:
                check_labels(submission, solution)
            graded = grade(solution, submission, metric, metric_name)
        except SubmissionError:
            contest.count_refusal(sender, now)
            raise
        try:
            stored = contest.record(sender, submission, graded, now, again=again, note=note)
            return *stored, list_oddities(submission, solution)
        except SolutionReplaced:
            if not n_left:
                raise
            scorer = contest.scorer()
    raise AssertionError
