"""Models that teams sent beside their attempts, and the results of running them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, insert, select

from leaderboard.database import schema
from leaderboard.database.rows import PREDICTED, read_predicted, store_file
from leaderboard.errors import ModelRefused, NoFurtherModel
from leaderboard.messages import message
from leaderboard.store import Contest
from leaderboard.teams import Team
from leaderboard.verification.verify import Verification

N_MODELS = 10  # beside one attempt: they are free, and each is stored

_IS_FINAL = schema.verifications.c.is_verified & ~schema.verifications.c.is_suspicious
_IS_VERIFIED = select(_IS_FINAL).order_by(schema.verifications.c.id.desc()).limit(1)


@dataclass(frozen=True, kw_only=True, slots=True)
class SentModel:
    """The last model that was sent beside one attempt."""

    attempt_id: int
    team: str
    number: int  # number of the attempt
    digest: str  # SHA-256
    file_name: str
    predicted: npt.NDArray[np.intp] = field(repr=False)  # (N,) the submission's index into the solution's labels
    is_verified: bool | None  # None: the model was never run
    hidden_digest: str | None  # the hidden part that it was run on; None: there was none


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredModel:
    """A model stored beside an attempt."""

    digest: str  # SHA-256
    file_name: str
    size_bytes: int
    is_new: bool  # False: it is equal to the attempt's last model


def attach_model(contest: Contest, team: Team, number: int, model: tuple[bytes, str], now: datetime) -> StoredModel:
    """Store a model, content and file name, beside the attempt of that number.

    Raises:
        ModelRefused: no such attempt, its score is verified already, or it has the most models allowed.
    """
    with contest.database.write() as connection:
        of_number = (schema.attempts.c.team_id == team.id) & (schema.attempts.c.number == number)
        attempt_id = connection.scalar(select(schema.attempts.c.id).where(of_number).with_for_update())
        if attempt_id is None:
            raise ModelRefused(f"team {team.name!r} has no attempt {number}; `arena contest attempts` lists them")
        return insert_model(connection, attempt_id, (team, number), model, now)


def insert_model(
    connection: Connection, attempt_id: int, attempt: tuple[Team, int], model: tuple[bytes, str], now: datetime
) -> StoredModel:
    """Store a model beside a locked attempt, `attempt` of which is team and number; an equal last model stays.

    Raises:
        NoFurtherModel: its score is verified already, or it has the most models allowed.
    """
    team, number = attempt
    content, file_name = model
    digest = hashlib.sha256(content).hexdigest()
    of_attempt = schema.models.c.attempt_id == attempt_id
    earlier = connection.execute(
        select(*schema.models.c["digest", "file_name"]).where(of_attempt).order_by(schema.models.c.id)
    ).all()
    if earlier and earlier[-1].digest == digest:
        return StoredModel(digest=digest, file_name=earlier[-1].file_name, size_bytes=len(content), is_new=False)
    if connection.scalar(_IS_VERIFIED.where(schema.verifications.c.attempt_id == attempt_id)):
        raise NoFurtherModel(message("model_verified", n=number, team=repr(team.name)))
    if len(earlier) >= N_MODELS:
        raise NoFurtherModel(message("model_too_many", most=N_MODELS, n=number, team=repr(team.name)))
    store_file(connection, digest, content)
    values = {"attempt_id": attempt_id, "digest": digest, "file_name": file_name, "attached_at": now}
    connection.execute(insert(schema.models).values(values))
    return StoredModel(digest=digest, file_name=file_name, size_bytes=len(content), is_new=True)


def read_sent_models(contest: Contest, teams: Sequence[Team]) -> list[SentModel]:
    """Read the last models of those teams, by team and attempt."""
    names = {team.id: team.name for team in teams}
    models, attempts = schema.models.c, schema.attempts.c
    query = (
        select(*models["attempt_id", "digest", "file_name"], *attempts["team_id", "number", "submission_digest"])
        .join_from(schema.models, schema.attempts)
        .where(attempts.team_id.in_(names))
        .order_by(attempts.team_id, attempts.number, models.id)
    )
    with contest.database.read() as connection:
        last = {row.attempt_id: row for row in connection.execute(query)}
        results = {
            (row.attempt_id, row.model_digest): row
            for row in connection.execute(select(schema.verifications).order_by(schema.verifications.c.id))
        }
        predicted = read_predicted(connection, [row.submission_digest for row in last.values()])
    return [
        SentModel(
            attempt_id=row.attempt_id,
            team=names[row.team_id],
            number=row.number,
            digest=row.digest,
            file_name=row.file_name,
            predicted=predicted[row.submission_digest],
            is_verified=None if result is None else bool(result.is_verified),
            hidden_digest=None if result is None else result.hidden_digest,
        )
        for row in last.values()
        for result in [results.get((row.attempt_id, row.digest))]
    ]


def read_model_content(contest: Contest, digest: str) -> bytes:
    """Read the content of a model."""
    with contest.database.read() as connection:
        content: bytes = connection.execute(select(schema.files.c.content).where(schema.files.c.digest == digest)).scalar_one()
    return content


def record_verification(contest: Contest, model: SentModel, verification: Verification, now: datetime) -> None:
    """Store the result of running a model, for good: later results stand beside earlier ones."""
    rerun, hidden = verification.rerun, verification.hidden
    values = {
        "attempt_id": model.attempt_id,
        "model_digest": model.digest,
        "is_verified": verification.is_verified,
        "remark": verification.remark,
        "confusion_rerun": None if rerun is None else rerun.tolist(),
        "is_suspicious": verification.is_suspicious,
        "verified_at": now,
    }
    if hidden is not None:
        values |= {
            "hidden_digest": hidden.solution.digest,
            "confusion_hidden": hidden.confusion().tolist(),
            "predicted_hidden": hidden.predicted.astype(PREDICTED).tobytes(),
        }
    with contest.database.write() as connection:
        connection.execute(insert(schema.verifications).values(values))
