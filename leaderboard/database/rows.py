"""Rows of the database as values: the rules, teams, attempts. Every function takes a connection within a transaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Row, ScalarSelect, Select, Subquery, Table, bindparam, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from arena.base.scores import Indices, macro_f1
from leaderboard.database import schema
from leaderboard.database.log_text import describe_change
from leaderboard.rules import Rules, Ties
from leaderboard.scoring.grading import Grade
from leaderboard.standings import METRICS, Attempt, AttemptModel, ModelState, Part
from leaderboard.teams import Team, name_key, unknown_team

PREDICTED = np.dtype("<u2")


@dataclass(frozen=True, kw_only=True, slots=True)
class LogEntry:
    """One action of the host."""

    id: int
    action: str
    team: str | None
    reason: str
    details: dict[str, Any]
    done_at: datetime  # UTC

    @property
    def change(self) -> str:
        """What was before and what is after, for readers."""
        return describe_change(self.action, self.details)


_RULES = select(*(column for column in schema.contest.c if column.name != "id"))
_LOCKED_RULES = _RULES.with_for_update(read=True)


def read_rules(connection: Connection, *, is_locked: bool = False) -> Rules:
    """What the host decided; `is_locked`: and cannot change before the end of this transaction."""
    row = connection.execute(_LOCKED_RULES if is_locked else _RULES).one()
    values = dict(row._mapping)
    return Rules(**values | {"ties": Ties(values["ties"])})


_TEAMS = (
    select(*schema.teams.c["id", "name", "pseudonym", "n_allowed", "disqualified_at", "created_at"])
    .where(schema.teams.c.merged_into.is_(None))
    .order_by(schema.teams.c.id)
)


_OF_ID = _TEAMS.where(schema.teams.c.id == bindparam("of_id"))
_NAMED = _TEAMS.where(schema.teams.c.name_key == bindparam("key"))


def read_teams(connection: Connection) -> list[Team]:
    """The teams that take part, in the order they came; those that went into another are not among them."""
    return [Team(**row._mapping) for row in connection.execute(_TEAMS)]


def read_team_by_id(connection: Connection, team_id: int) -> Team | None:
    """The team of that id; None for one that went into another."""
    row = connection.execute(_OF_ID, {"of_id": team_id}).first()
    return None if row is None else Team(**row._mapping)


def read_team(connection: Connection, name: str) -> Team:
    """The team of that name, whatever its case and spaces.

    Raises:
        TeamError: there is none.
    """
    row = connection.execute(_NAMED, {"key": name_key(name)}).first()
    if row is None:
        raise unknown_team(name, [team.name for team in read_teams(connection)])
    return Team(**row._mapping)


def read_log(connection: Connection) -> list[LogEntry]:
    """What the host did, first to last."""
    return [LogEntry(**row._mapping) for row in connection.execute(select(schema.host_log).order_by(schema.host_log.c.id))]


def count_rows(table: Table, *such: ColumnElement[bool]) -> ScalarSelect[int]:
    """How many rows; of a table that only grows it tells of every change, in whatever order a server commits."""
    return select(func.count()).select_from(table).where(*such).scalar_subquery()


_REVISION = select(*map(count_rows, (schema.attempts, schema.host_log, schema.teams, schema.verifications, schema.models)))


def read_revision(connection: Connection) -> str:
    """A text that changes with whatever standings and pages show."""
    return ".".join(str(value) for value in connection.execute(_REVISION).one())


def _last(table: Table, *by: str) -> Subquery:
    """The last row of each attempt, by further columns too."""
    columns = table.c["attempt_id", *by]
    return select(*columns, func.max(table.c.id).label("id")).group_by(*columns).subquery()


_SENT, _RUN = _last(schema.models), _last(schema.verifications, "model_digest")  # joined as tables: read once, not per attempt
_WITH_MODELS = (
    schema.attempts.join(schema.teams)
    .outerjoin(_SENT, _SENT.c.attempt_id == schema.attempts.c.id)
    .outerjoin(schema.models, schema.models.c.id == _SENT.c.id)
    .outerjoin(_RUN, (_RUN.c.attempt_id == schema.attempts.c.id) & (_RUN.c.model_digest == schema.models.c.digest))
    .outerjoin(schema.verifications, schema.verifications.c.id == _RUN.c.id)
)


def _select_attempts(part: Part) -> Select[Any]:
    columns = schema.attempts.c
    return (
        select(
            *columns["team_id", "number", "shown_number", "arrived_at", "submission_digest", "file_name"],
            columns[f"confusion_{part}"].label("confusion"),
            columns[f"value_{part}"].label("value"),
            columns[f"log_loss_{part}"].label("log_loss"),
            schema.models.c.digest.label("model_digest"),
            schema.models.c.file_name.label("model_name"),
            *schema.verifications.c["is_verified", "remark"],
        )
        .select_from(_WITH_MODELS)
        .where(schema.teams.c.merged_into.is_(None))
        .order_by(columns.team_id, columns.number)
    )


_ATTEMPTS = {part: _select_attempts(part) for part in Part}


def read_attempts(connection: Connection, part: Part) -> dict[int, tuple[Attempt, ...]]:
    """Return attempts with their scores in `part`, by number, of each team that sent one."""
    attempts: dict[int, tuple[Attempt, ...]] = {}
    for row in connection.execute(_ATTEMPTS[part]):
        earlier, attempt = attempts.get(row.team_id, ()), _attempt(row)
        if part is Part.PUBLIC and not attempt.is_shown:
            attempt = _with_scores(attempt, earlier[row.shown_number - 1])
        attempts[row.team_id] = (*earlier, attempt)
    return attempts


def _attempt(row: Row[Any]) -> Attempt:
    confusion = np.array(row.confusion, dtype=np.int64)
    f1 = macro_f1(confusion)
    return Attempt(
        number=row.number,
        score=f1 if row.value is None else row.value,
        macro_f1=f1,
        metrics={metric.key: metric.compute(confusion) for metric in METRICS},
        log_loss=row.log_loss,
        arrived_at=row.arrived_at,
        digest=row.submission_digest,
        file_name=row.file_name,
        shown_number=row.shown_number,
        model=None if row.model_digest is None else _model(row),
    )


def _model(row: Row[Any]) -> AttemptModel:
    states = {None: ModelState.CARRIED, True: ModelState.VERIFIED, False: ModelState.DIFFERS}
    return AttemptModel(
        file_name=row.model_name,
        digest=row.model_digest,
        state=states[None if row.is_verified is None else bool(row.is_verified)],
        remark=row.remark or "",
    )


def _with_scores(attempt: Attempt, other: Attempt) -> Attempt:
    scores = {name: getattr(other, name) for name in ("score", "macro_f1", "metrics", "log_loss")}
    return dataclasses.replace(attempt, **scores)


def read_predicted(connection: Connection, digests: Sequence[str]) -> dict[str, Indices]:
    """The (N,) predicted classes of submissions, in the solution's order."""
    found: dict[str, Indices] = {}
    query = select(*schema.attempts.c["submission_digest", "predicted"])
    for start in range(0, len(digests), 500):
        some = schema.attempts.c.submission_digest.in_(digests[start : start + 500])
        for row in connection.execute(query.where(some)):
            found[row.submission_digest] = np.frombuffer(row.predicted, PREDICTED).astype(np.intp)
    return found


_KEEP = {
    "postgresql": postgresql.insert(schema.files).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(schema.files).on_conflict_do_nothing(),
}


def store_file(connection: Connection, digest: str, content: bytes) -> None:
    """Store a file once, however often it is sent."""
    connection.execute(_KEEP[connection.dialect.name], {"digest": digest, "content": content})


def grade_values(grade: Grade) -> dict[str, Any]:
    """A grade as the columns that `attempts` and `old_scores` share."""
    return {
        "solution_digest": grade.solution_digest,
        "scorer": grade.scorer,
        "confusion_public": grade.public.confusion.tolist(),
        "value_public": grade.public.value,
        "log_loss_public": grade.public.log_loss,
        "confusion_private": None if grade.private is None else grade.private.confusion.tolist(),
        "value_private": None if grade.private is None else grade.private.value,
        "log_loss_private": None if grade.private is None else grade.private.log_loss,
    }


def write_log(connection: Connection, entry: dict[str, Any]) -> None:
    """Append an action of the host: action, team, reason, details, done_at."""
    connection.execute(insert(schema.host_log).values(entry))
