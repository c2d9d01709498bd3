"""Storing of attempts: the database numbers each in the transaction that stores its score."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, bindparam, func, insert, select
from sqlalchemy.exc import IntegrityError

from arena.base.scores import Indices, Values
from leaderboard.contest.cache import ContestCache
from leaderboard.contest.ladder import find_shown_numbers
from leaderboard.database import schema
from leaderboard.database.rows import PREDICTED, grade_values, read_predicted, read_rules, store_file
from leaderboard.database.triggers import ATTEMPT_LIMIT
from leaderboard.errors import AttemptsExhausted, RepeatedLabels, SolutionReplaced, TeamError
from leaderboard.files.submission import Submission, parse_submission
from leaderboard.messages import message
from leaderboard.rules import Rules
from leaderboard.scoring.grading import Grade
from leaderboard.standings import Part
from leaderboard.teams import Team

_TAKES_PART = (
    select(*schema.teams.c["disqualified_at", "merged_into", "deadline"])
    .where(schema.teams.c.id == bindparam("of_id"))
    .with_for_update()
)
_OF_TEAM = schema.attempts.c.team_id == bindparam("of_team")
_COUNTS = schema.attempts.c.voided_at.is_(None)
_EARLIER = select(schema.attempts.c.number).where(_OF_TEAM, schema.attempts.c.submission_digest == bindparam("of_file"))
_SAME_LABELS = (
    select(*schema.attempts.c["number", "file_name"], schema.files.c.content)
    .join_from(schema.attempts, schema.files, schema.files.c.digest == schema.attempts.c.submission_digest)
    .where(_OF_TEAM, schema.attempts.c.predicted == bindparam("of_labels"), _COUNTS)
    .order_by(schema.attempts.c.number)
)
_LAST = select(func.coalesce(func.max(schema.attempts.c.number), 0)).where(_OF_TEAM).scalar_subquery()
_NEXT = _LAST + 1  # computed by the database, in the transaction that stores the score
_INSERT = insert(schema.attempts).values(number=_NEXT, shown_number=_NEXT).returning(schema.attempts.c.number)


def record(
    connection: Connection,
    cache: ContestCache,
    team: Team,
    graded: tuple[Submission, Grade],
    now: datetime,
    *,
    again: bool,
    note: str | None,
) -> tuple[int, bool]:
    """Store an attempt; return its number and True, or the earlier one and False if the team sent this file before.

    Args:
        again: store labels that an earlier attempt of the team has.

    Raises:
        RepeatedLabels: an earlier attempt of the team has these labels, and `again` is False.
        SolutionReplaced: the host has corrected the solution since the file was graded.
        ContestClosed: the contest was closed meanwhile.
        TeamError: the team was disqualified or merged meanwhile.
        AttemptsExhausted: the database refused a further attempt.
    """
    submission, grade = graded
    rules = read_rules(connection, is_locked=True)
    deadline = _check_takes_part(connection, team)
    earlier = connection.scalar(_EARLIER, {"of_team": team.id, "of_file": submission.digest})
    if earlier is not None:
        return int(earlier), False
    rules.check_open(now, deadline)
    if rules.solution_digest != grade.solution_digest:
        raise SolutionReplaced
    number = None if again else find_repeated(connection, cache, team, submission)
    if number is not None:
        raise RepeatedLabels(submission.file_name, number, cache.attempts(connection, Part.PUBLIC)[team.id][number - 1].score)
    store_file(connection, submission.digest, submission.content)
    values = _values(team, submission, grade, now) | {"note": note}
    insertion = _INSERT
    if rules.is_ladder:
        insertion = _INSERT.values(shown_number=_find_shown_number(connection, cache, rules, team, submission.predicted))
    try:
        return int(connection.execute(insertion, values).scalar_one()), True
    except IntegrityError as error:
        if ATTEMPT_LIMIT in str(error.orig):
            raise AttemptsExhausted(team.name, team.n_allowed) from error
        raise


def _check_takes_part(connection: Connection, team: Team) -> datetime | None:
    """Check that the team may send now, and return its own deadline."""
    row = connection.execute(_TAKES_PART, {"of_id": team.id}).one()
    if row.merged_into is not None:
        raise TeamError(message("team_merged", team=repr(team.name)))
    if row.disqualified_at is not None:
        raise TeamError(message("team_out", team=repr(team.name)))
    deadline: datetime | None = row.deadline
    return deadline


def find_repeated(connection: Connection, cache: ContestCache, team: Team, submission: Submission) -> int | None:
    """Return the number of the team's attempt with these labels, or None; a metric of the host needs equal probabilities too.

    Of strings nothing is compared: only their errors are stored, and equal errors of other answers would tell about the truth.
    All rows are compared, ignored and private ones too: a comparison of those that count would tell which these are.
    """
    rules, values = read_rules(connection), {"of_team": team.id, "of_labels": _encode_labels(submission)}
    for row in () if rules.has_strings else connection.execute(_SAME_LABELS, values):
        if rules.metric_digest is not None:
            solution = cache.solution(connection, rules.solution_digest)
            earlier = parse_submission(row.content, row.file_name, solution).probabilities
            if not _are_equal(earlier, submission.probabilities):
                continue
        return int(row.number)
    return None


def _are_equal(first: Values | None, second: Values | None) -> bool:
    return first is second if first is None or second is None else np.array_equal(first, second)


def _encode_labels(submission: Submission) -> bytes:
    return submission.predicted.astype(PREDICTED).tobytes()


def _values(team: Team, submission: Submission, grade: Grade, now: datetime) -> dict[str, Any]:
    return grade_values(grade) | {
        "team_id": team.id,
        "of_team": team.id,
        "file_name": submission.file_name,
        "submission_digest": submission.digest,
        "predicted": _encode_labels(submission),
        "arrived_at": now,
    }


def _find_shown_number(connection: Connection, cache: ContestCache, rules: Rules, team: Team, predicted: Indices) -> object:
    """Return the number of the earlier attempt whose score is shown, or the expression of the new one's own number."""
    columns = schema.attempts.c
    query = select(columns.number, columns.submission_digest).where(columns.team_id == team.id, _COUNTS)
    rows = connection.execute(query.order_by(columns.number)).all()
    earlier = read_predicted(connection, [row.submission_digest for row in rows])
    solution = cache.solution(connection, rules.solution_digest)
    draws = cache.resamples(solution, Part.PUBLIC)
    last = find_shown_numbers(solution, draws, [*(earlier[row.submission_digest] for row in rows), predicted])[-1]
    return rows[last - 1].number if last <= len(rows) else _NEXT
