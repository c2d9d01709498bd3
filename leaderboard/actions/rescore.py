"""Rescoring of all attempts by a corrected solution; the old scores stay stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, select, update

from leaderboard.actions.host import HostDecision, log_action
from leaderboard.contest.ladder import update_shown_numbers
from leaderboard.contest.ranking import read_ranks
from leaderboard.database import schema
from leaderboard.database.rows import PREDICTED, grade_values, lock_contest, read_rules, store_file
from leaderboard.errors import ContestError, SubmissionError
from leaderboard.files.near_ids import IdHints
from leaderboard.files.near_labels import match_label
from leaderboard.files.solution import Solution
from leaderboard.files.submission import Submission, parse_submission
from leaderboard.scoring.grading import Grade, grade
from leaderboard.standings import Part
from leaderboard.store import Contest
from leaderboard.string_scores import score_counts


@dataclass(frozen=True, kw_only=True, slots=True)
class RescoredAttempt:
    """One attempt before and after, by the contest's metric; for the host's eyes."""

    team: str
    number: int
    public_before: float
    public_after: float
    private_before: float | None  # None without a Usage column
    private_after: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rescoring:
    """The effect of a corrected solution."""

    attempts: tuple[RescoredAttempt, ...]
    n_rows_changed: int  # rows of the solution that differ in label, Usage or Group
    ranks_before: dict[str, int]  # public, by team
    ranks_after: dict[str, int] | None  # None in a dry run, which stores nothing to rank


def rescore(contest: Contest, solution: Solution, decision: HostDecision, *, is_dry_run: bool = False) -> Rescoring:
    """Score every attempt by the corrected solution; nothing is changed in a dry run.

    Raises:
        ContestError: the solution is the one that the contest has, has other ids, or an attempt cannot be scored by it.
    """
    if is_dry_run:
        with contest.database.read() as connection:
            return _grade_again(contest, connection, solution)[0]
    with contest.database.write() as connection:
        lock_contest(connection)
        result, grades = _grade_again(contest, connection, solution)
        changed = sum(
            (attempt.public_before, attempt.private_before) != (attempt.public_after, attempt.private_after)
            for attempt in result.attempts
        )
        log_action(connection, "rescore", decision, {"solution": solution.digest, "n_changed": changed})
        _store(connection, solution, grades)
        if read_rules(connection).is_ladder:
            for team_id in sorted({row.team_id for row, _, _ in grades}):
                update_shown_numbers(connection, contest.cache, solution, team_id)
    with contest.database.read() as connection:
        ranks_after = read_ranks(connection, contest.cache, read_rules(connection))
    return Rescoring(
        attempts=result.attempts,
        n_rows_changed=result.n_rows_changed,
        ranks_before=result.ranks_before,
        ranks_after=ranks_after,
    )


_Graded = tuple[Row[Any], Submission, Grade]


def _grade_again(contest: Contest, connection: Connection, solution: Solution) -> tuple[Rescoring, list[_Graded]]:
    rules = read_rules(connection)
    before = contest.cache.solution(connection, rules.solution_digest)
    n_changed = _count_changed_rows(before, solution)
    metric = contest.cache.metric(connection, rules.metric_digest)
    query = select(schema.attempts, schema.teams.c.name.label("team"), schema.files.c.content)
    query = query.join_from(schema.attempts, schema.teams, schema.attempts.c.team_id == schema.teams.c.id)
    query = query.join(schema.files, schema.files.c.digest == schema.attempts.c.submission_digest)
    grades: list[_Graded] = []
    for row in connection.execute(query.order_by(schema.attempts.c.team_id, schema.attempts.c.number)):
        try:
            submission = parse_submission(row.content, row.file_name, solution)
            grades.append((row, submission, grade(solution, submission, metric, rules.metric_name)))
        except SubmissionError as error:
            fault = f"attempt {row.number} of team {row.team!r} cannot be scored by the corrected solution ({error.problem})"
            raise ContestError(f"{fault}; keep the set of labels as it was") from error
    return (
        Rescoring(
            attempts=tuple(_compare(row, after, rules.metric_name) for row, _, after in grades),
            n_rows_changed=n_changed,
            ranks_before=read_ranks(connection, contest.cache, rules),
            ranks_after=None,
        ),
        grades,
    )


def _count_changed_rows(before: Solution, after: Solution) -> int:
    """Check that both solutions fit the contest and return how many rows differ."""
    if before.digest == after.digest:
        raise ContestError("this is the solution that the contest has; give the corrected one")
    if set(before.ids) != set(after.ids):
        added, removed = set(after.ids) - set(before.ids), set(before.ids) - set(after.ids)
        cause = IdHints(before.ids).explain(min(added)) if added else None
        if cause is not None:
            raise ContestError(cause)
        odd = min(added | removed)
        raise ContestError(
            f"a corrected solution has the same ids and {odd!r} is only in one of the two; correct labels, keep the ids"
        )
    if after.answer != before.answer:
        raise ContestError(f"a corrected solution keeps its column {before.answer!r}; this one has {after.answer!r}")
    for label in () if after.strings else sorted(set(after.labels) - set(before.labels)):
        right = match_label(label, before.labels)
        if right is not None:
            raise ContestError(f"label {label!r} would be a class of its own; the contest writes it {right!r}: write it so")
    if before.has_private != after.has_private:
        raise ContestError("a corrected solution keeps its Usage column, or goes on without; correct labels, keep the columns")
    return sum(_read_row(before, before.row_by_id[name]) != _read_row(after, after.row_by_id[name]) for name in before.ids)


def _read_row(solution: Solution, row: int) -> tuple[str, bool, str] | None:
    """Return label, part and group of a row; None for an ignored one."""
    if not (solution.is_public[row] or solution.is_private[row]):
        return None
    group = solution.groups[solution.group[row]] if solution.groups else ""
    answer = solution.strings[row] if solution.strings else solution.labels[solution.truth[row]]
    return answer, bool(solution.is_public[row]), group


def _compare(row: Row[Any], after: Grade, metric_name: str) -> RescoredAttempt:
    def read_score(part: Part) -> float | None:
        value, confusion = row._mapping[f"value_{part}"], row._mapping[f"confusion_{part}"]
        if confusion is None:
            return None
        return float(value) if value is not None else score_counts(np.array(confusion, dtype=np.int64), metric_name)

    public = read_score(Part.PUBLIC)
    assert public is not None, "every solution has public rows"
    return RescoredAttempt(
        team=row.team,
        number=row.number,
        public_before=public,
        public_after=after.public.score,
        private_before=read_score(Part.PRIVATE),
        private_after=None if after.private is None else after.private.score,
    )


def _store(connection: Connection, solution: Solution, grades: Sequence[_Graded]) -> None:
    """Store solution and scores; triggers of the database keep the old scores."""
    store_file(connection, solution.digest, solution.content)
    connection.execute(update(schema.contest).values(solution_digest=solution.digest))
    for row, submission, after in grades:
        values = grade_values(after) | {"predicted": submission.predicted.astype(PREDICTED).tobytes()}
        connection.execute(update(schema.attempts).where(schema.attempts.c.id == row.id).values(values))
