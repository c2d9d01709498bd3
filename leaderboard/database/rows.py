"""Queries for rules, teams and attempts. Every function takes a connection within a transaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    ScalarSelect,
    Select,
    Subquery,
    Table,
    bindparam,
    case,
    func,
    insert,
    null,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from arena.base.scores import Indices, macro_f1
from leaderboard.database import schema
from leaderboard.database.log_text import describe_change
from leaderboard.rules import DetailsFrom, RankBy, Rules, Ties
from leaderboard.scoring.grading import Grade
from leaderboard.standings import Attempt, AttemptModel, ModelState, Part, compute_metrics
from leaderboard.string_scores import score_counts
from leaderboard.teams import Team, build_unknown_team, name_key

PREDICTED = np.dtype("<u2")


@dataclass(frozen=True, kw_only=True, slots=True)
class LogEntry:
    """An action of the host."""

    id: int
    action: str
    actor: str  # host, the name of an assistant, or team
    team: str | None  # its name at that time
    team_id: int | None
    reason: str
    details: dict[str, Any]
    done_at: datetime  # UTC

    @property
    def change(self) -> str:
        """Return a description of the values before and after."""
        return describe_change(self.action, self.details)


_RULES = select(*(column for column in schema.contest.c if column.name != "id"))
_LOCKED_RULES = _RULES.with_for_update(read=True)


def read_rules(connection: Connection, *, is_locked: bool = False) -> Rules:
    """Read the host's decisions; `is_locked` keeps them as they are until this transaction ends."""
    row = connection.execute(_LOCKED_RULES if is_locked else _RULES).one()
    values = dict(row._mapping)
    kinds = {"ties": Ties, "details": DetailsFrom, "rank_by": RankBy}
    return Rules(**values | {key: kind(values[key]) for key, kind in kinds.items()})


def lock_contest(connection: Connection) -> None:
    """Let no other transaction change the contest's row until this one ends."""
    connection.execute(select(schema.contest.c.id).with_for_update())


_N_GRANTED = select(func.coalesce(func.sum(schema.host_log.c.n_granted), 0)).where(
    schema.host_log.c.team_id == schema.teams.c.id
)
_TEAMS = (
    select(
        *schema.teams.c["id", "name", "pseudonym", "deadline", "is_baseline", "disqualified_at", "created_at"],
        (schema.N_ATTEMPTS + _N_GRANTED.scalar_subquery()).label("n_allowed"),
    )
    .where(schema.teams.c.merged_into.is_(None))
    .order_by(schema.teams.c.id)
)


_BY_ID = _TEAMS.where(schema.teams.c.id == bindparam("of_id"))
_BY_NAME = _TEAMS.where(schema.teams.c.name_key == bindparam("key"))


def read_teams(connection: Connection) -> list[Team]:
    """Read the teams in the order they were added, without those that were merged into another."""
    return [Team(**row._mapping) for row in connection.execute(_TEAMS)]


def read_team_by_id(connection: Connection, team_id: int) -> Team | None:
    """Read the team of that id; None for one that was merged into another."""
    row = connection.execute(_BY_ID, {"of_id": team_id}).first()
    return None if row is None else Team(**row._mapping)


def read_team(connection: Connection, name: str) -> Team:
    """Read the team of that name, whatever its case and spaces.

    Raises:
        TeamError: there is none.
    """
    row = connection.execute(_BY_NAME, {"key": name_key(name)}).first()
    if row is None:
        raise build_unknown_team(name, [team.name for team in read_teams(connection)])
    return Team(**row._mapping)


def read_log(connection: Connection) -> list[LogEntry]:
    """Read the host's actions, first to last."""
    columns = schema.host_log.c["id", "action", "actor", "team", "team_id", "reason", "details", "done_at"]
    return [LogEntry(**row._mapping) for row in connection.execute(select(*columns).order_by(schema.host_log.c.id))]


def count_rows(table: Table, *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    """Build a count of rows; in a table that only grows it changes with every commit, whatever their order."""
    return select(func.count()).select_from(table).where(*conditions).scalar_subquery()


_REVISION = select(*map(count_rows, (schema.attempts, schema.host_log, schema.teams, schema.verifications, schema.models)))


def read_revision(connection: Connection) -> str:
    """Read a text that changes with every change of standings and pages."""
    return ".".join(str(value) for value in connection.execute(_REVISION).one())


def _select_last(table: Table, *by: str) -> Subquery:
    """Build a query for the last row of each attempt, and of each value of further columns."""
    columns = table.c["attempt_id", *by]
    return select(*columns, func.max(table.c.id).label("id")).group_by(*columns).subquery()


# Joined as tables, which are read once and not for every attempt.
_LAST_MODEL, _LAST_RUN = _select_last(schema.models), _select_last(schema.verifications, "model_digest")
_WITH_MODELS = (
    schema.attempts.join(schema.teams)
    .outerjoin(_LAST_MODEL, _LAST_MODEL.c.attempt_id == schema.attempts.c.id)
    .outerjoin(schema.models, schema.models.c.id == _LAST_MODEL.c.id)
    .outerjoin(
        _LAST_RUN, (_LAST_RUN.c.attempt_id == schema.attempts.c.id) & (_LAST_RUN.c.model_digest == schema.models.c.digest)
    )
    .outerjoin(schema.verifications, schema.verifications.c.id == _LAST_RUN.c.id)
)


def _select_scores(part: Part) -> list[ColumnElement[Any]]:
    """Build the scores of a part; hidden ones are of verified models that answered the contest's present hidden part."""
    if part is not Part.HIDDEN:
        return [schema.attempts.c[f"{name}_{part}"].label(name) for name in ("confusion", "value", "log_loss")]
    hidden_digest = select(schema.contest.c.hidden_digest).scalar_subquery()
    counts = schema.verifications.c.is_verified & (schema.verifications.c.hidden_digest == hidden_digest)
    confusion = case((counts, schema.verifications.c.confusion_hidden))
    return [confusion.label("confusion"), null().label("value"), null().label("log_loss")]


def _select_attempts(part: Part) -> Select[Any]:
    columns = schema.attempts.c
    return (
        select(
            *columns["team_id", "number", "shown_number", "arrived_at", "submission_digest", "file_name", "note", "voided_at"],
            *_select_scores(part),
            select(schema.contest.c.metric_name).scalar_subquery().label("metric_name"),
            schema.models.c.digest.label("model_digest"),
            schema.models.c.file_name.label("model_name"),
            *schema.verifications.c["is_verified", "is_suspicious", "remark", "confusion_rerun", "confusion_hidden"],
        )
        .select_from(_WITH_MODELS)
        .where(schema.teams.c.merged_into.is_(None))
        .order_by(columns.team_id, columns.number)
    )


_ATTEMPTS = {part: _select_attempts(part) for part in Part}


def read_attempts(connection: Connection, part: Part) -> dict[int, tuple[Attempt, ...]]:
    """Return attempts with their scores in `part`, by number, of each team that sent one.

    A hidden score is 0 where no model was verified.
    """
    attempts: dict[int, tuple[Attempt, ...]] = {}
    for row in connection.execute(_ATTEMPTS[part]):
        earlier, attempt = attempts.get(row.team_id, ()), _build_attempt(row)
        if part is Part.PUBLIC and not attempt.is_shown:
            attempt = _copy_scores(attempt, earlier[row.shown_number - 1])
        attempts[row.team_id] = (*earlier, attempt)
    return attempts


def _build_attempt(row: Row[Any]) -> Attempt:
    confusion = np.array(row.confusion or [[0]], dtype=np.int64)
    f1 = score_counts(confusion, row.metric_name)
    return Attempt(
        number=row.number,
        score=f1 if row.value is None else row.value,
        macro_f1=f1,
        metrics=compute_metrics(confusion, row.log_loss, row.metric_name),
        arrived_at=row.arrived_at,
        digest=row.submission_digest,
        file_name=row.file_name,
        note=row.note,
        voided_at=row.voided_at,
        shown_number=row.shown_number,
        model=None if row.model_digest is None else _build_model(row),
    )


def _build_model(row: Row[Any]) -> AttemptModel:
    equal = ModelState.VERIFIED if row.confusion_hidden else ModelState.SAME
    states = {None: ModelState.CARRIED, True: equal, False: ModelState.DIFFERS}
    state = ModelState.DOUBTED if row.is_suspicious else states[None if row.is_verified is None else bool(row.is_verified)]
    rerun, hidden = (
        macro_f1(np.array(confusion, dtype=np.int64)) if confusion else None
        for confusion in (row.confusion_rerun, row.confusion_hidden)
    )
    return AttemptModel(
        file_name=row.model_name,
        digest=row.model_digest,
        state=state,
        remark=row.remark or "",
        rerun_score=rerun,
        hidden_score=hidden,
    )


def read_hidden_predicted(connection: Connection, hidden_digest: str, digests: Sequence[str]) -> dict[str, Indices]:
    """Read the (N,) classes that models, by their digests, predicted for the hidden part of that digest."""
    columns = schema.verifications.c
    is_asked = (
        columns.model_digest.in_(digests) & (columns.hidden_digest == hidden_digest) & columns.predicted_hidden.is_not(None)
    )
    query = select(columns.model_digest, columns.predicted_hidden).where(is_asked).order_by(columns.id)
    return {
        row.model_digest: np.frombuffer(row.predicted_hidden, PREDICTED).astype(np.intp) for row in connection.execute(query)
    }


def _copy_scores(attempt: Attempt, source: Attempt) -> Attempt:
    scores = {name: getattr(source, name) for name in ("score", "macro_f1", "metrics")}
    return dataclasses.replace(attempt, **scores)


def read_predicted(connection: Connection, digests: Sequence[str]) -> dict[str, Indices]:
    """Read the (N,) predicted classes of submissions, in the solution's order."""
    predicted: dict[str, Indices] = {}
    query = select(*schema.attempts.c["submission_digest", "predicted"])
    for start in range(0, len(digests), 500):
        condition = schema.attempts.c.submission_digest.in_(digests[start : start + 500])
        for row in connection.execute(query.where(condition)):
            predicted[row.submission_digest] = np.frombuffer(row.predicted, PREDICTED).astype(np.intp)
    return predicted


_INSERT_FILE = {
    "postgresql": postgresql.insert(schema.files).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(schema.files).on_conflict_do_nothing(),
}


def read_content(connection: Connection, digest: str) -> bytes:
    """Return a stored file; `digest` is one that the contest names."""
    content = connection.scalar(select(schema.files.c.content).where(schema.files.c.digest == digest))
    assert content is not None, "a digest in the contest is one of a stored file"
    return bytes(content)


def store_file(connection: Connection, digest: str, content: bytes) -> None:
    """Store a file once, however often it is sent."""
    connection.execute(_INSERT_FILE[connection.dialect.name], {"digest": digest, "content": content})


def grade_values(grade: Grade) -> dict[str, Any]:
    """Return a grade as the columns that `attempts` and `old_scores` share."""
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
    """Append an action: action, actor, team, team_id, reason, details, done_at, and n_granted where it gives attempts."""
    connection.execute(insert(schema.host_log).values(entry))
