"""All attempts scored again by a corrected solution; the old scores are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, insert, select, update

from arena.base.scores import macro_f1
from leaderboard.actions.host import HostDecision, log_action
from leaderboard.contest.ladder import update_shown_numbers
from leaderboard.contest.ranking import read_ranks
from leaderboard.database import schema
from leaderboard.database.rows import PREDICTED, grade_values, read_rules, store_file
from leaderboard.errors import ContestError, SubmissionError
from leaderboard.files.solution import Solution
from leaderboard.files.submission import Submission, parse_submission
from leaderboard.scoring.grading import Grade, grade
from leaderboard.standings import Part
from leaderboard.store import Contest

_SCORES = ("solution_digest", "scorer", *(f"{what}_{part}" for part in Part for what in ("confusion", "value", "log_loss")))


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
    """What a corrected solution changes."""

    attempts: tuple[RescoredAttempt, ...]
    n_rows_changed: int  # of the solution, in label, Usage or Group
    ranks_before: dict[str, int]  # public, by team
    ranks_after: dict[str, int] | None  # None in a dry run, which stores nothing to rank


def rescore(contest: Contest, solution: Solution, decision: HostDecision, *, is_dry_run: bool = False) -> Rescoring:
    """Score every attempt by the corrected solution; nothing is changed in a dry run.

    Raises:
        ContestError: the solution is the one that the contest has, has other ids, or an attempt cannot be scored by it.
    """
    if is_dry_run:
        with contest.database.read() as connection:
            return _rescored(contest, connection, solution)[0]
    with contest.database.write() as connection:
        connection.execute(select(schema.contest.c.id).with_for_update())
        found, grades = _rescored(contest, connection, solution)
        _store(connection, solution, decision, grades)
        if read_rules(connection).is_ladder:
            for team_id in sorted({row.team_id for row, _, _ in grades}):
                update_shown_numbers(connection, contest.cache, solution, team_id)
        changed = sum(
            (one.public_before, one.private_before) != (one.public_after, one.private_after) for one in found.attempts
        )
        log_action(connection, "rescore", decision, {"solution": solution.digest, "n_changed": changed})
    with contest.database.read() as connection:
        ranks_after = read_ranks(connection, contest.cache, read_rules(connection))
    return Rescoring(
        attempts=found.attempts, n_rows_changed=found.n_rows_changed, ranks_before=found.ranks_before, ranks_after=ranks_after
    )


_Graded = tuple[Row[Any], Submission, Grade]


def _rescored(contest: Contest, connection: Connection, solution: Solution) -> tuple[Rescoring, list[_Graded]]:
    rules = read_rules(connection)
    before = contest.cache.solution(connection, rules.solution_digest)
    n_changed = _check_corrects(before, solution)
    metric = contest.cache.metric(connection, rules.metric_digest)
    query = select(schema.attempts, schema.teams.c.name.label("team"), schema.files.c.content)
    query = query.join_from(schema.attempts, schema.teams, schema.attempts.c.team_id == schema.teams.c.id)
    query = query.join(schema.files, schema.files.c.digest == schema.attempts.c.submission_digest)
    grades: list[_Graded] = []
    for row in connection.execute(query.order_by(schema.attempts.c.team_id, schema.attempts.c.number)):
        try:
            submission = parse_submission(row.content, row.file_name, solution)
            grades.append((row, submission, grade(solution, submission, metric)))
        except SubmissionError as error:
            came = f"attempt {row.number} of team {row.team!r} cannot be scored by the corrected solution ({error.problem})"
            raise ContestError(f"{came}; keep the set of labels as it was") from error
    return (
        Rescoring(
            attempts=tuple(_compared(row, after) for row, _, after in grades),
            n_rows_changed=n_changed,
            ranks_before=read_ranks(connection, contest.cache, rules),
            ranks_after=None,
        ),
        grades,
    )


def _check_corrects(before: Solution, after: Solution) -> int:
    """How many rows differ."""
    if before.digest == after.digest:
        raise ContestError("this is the solution that the contest has; give the corrected one")
    if set(before.ids) != set(after.ids):
        odd = sorted(set(before.ids) ^ set(after.ids))[0]
        raise ContestError(
            f"a corrected solution has the same ids and {odd!r} is only in one of the two; correct labels, keep the ids"
        )
    if before.has_private != after.has_private:
        raise ContestError("a corrected solution keeps its Usage column, or goes on without; correct labels, keep the columns")
    return sum(_row(before, before.row_by_id[name]) != _row(after, after.row_by_id[name]) for name in before.ids)


def _row(solution: Solution, at: int) -> tuple[str, bool, str] | None:
    """What a row counts for; None for an ignored one."""
    if not (solution.is_public[at] or solution.is_private[at]):
        return None
    group = solution.groups[solution.group[at]] if solution.groups else ""
    return solution.labels[solution.truth[at]], bool(solution.is_public[at]), group


def _compared(row: Row[Any], after: Grade) -> RescoredAttempt:
    def old(part: Part) -> float | None:
        value, confusion = row._mapping[f"value_{part}"], row._mapping[f"confusion_{part}"]
        if confusion is None:
            return None
        return float(value) if value is not None else macro_f1(np.array(confusion, dtype=np.int64))

    public = old(Part.PUBLIC)
    assert public is not None, "every solution has public rows"
    return RescoredAttempt(
        team=row.team,
        number=row.number,
        public_before=public,
        public_after=after.public.score,
        private_before=old(Part.PRIVATE),
        private_after=None if after.private is None else after.private.score,
    )


def _store(connection: Connection, solution: Solution, decision: HostDecision, grades: Sequence[_Graded]) -> None:
    store_file(connection, solution.digest, solution.content)
    connection.execute(update(schema.contest).values(solution_digest=solution.digest))
    for row, submission, after in grades:
        old = {name: row._mapping[name] for name in _SCORES}
        connection.execute(insert(schema.old_scores).values(old | {"attempt_id": row.id, "replaced_at": decision.at}))
        values = grade_values(after) | {"predicted": submission.predicted.astype(PREDICTED).tobytes()}
        connection.execute(update(schema.attempts).where(schema.attempts.c.id == row.id).values(values))
