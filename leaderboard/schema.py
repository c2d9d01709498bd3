"""The tables of a contest, one contest to a database, with the rules of the game as constraints."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

SCHEMA_VERSION = 1
N_ATTEMPTS = 3
ATTEMPT_LIMIT = f"attempt_number_is_1_to_{N_ATTEMPTS}"  # the constraint's name, which a refusal carries


class UtcTime(TypeDecorator[datetime]):
    """A moment with its offset, kept in UTC; SQLite stores no offset, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        assert value.tzinfo is not None, "a moment has an offset"
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", String(40), primary_key=True),  # schema_version
    Column("value", Text, nullable=False),
)

files = Table(
    "files",
    metadata,
    Column("digest", String(64), primary_key=True),  # SHA-256 of content
    Column("content", LargeBinary, nullable=False),
    CheckConstraint("length(digest) = 64", name="digest_is_sha256"),
)

contest = Table(
    "contest",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("solution_digest", ForeignKey("files.digest"), nullable=False),
    Column("deadline", UtcTime),  # the last moment that counts; null: none
    Column("created_at", UtcTime, nullable=False),
    CheckConstraint("id = 1", name="one_contest"),
)

teams = Table(
    "teams",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),  # the name as it is compared: one case, one kind of space
    Column("created_at", UtcTime, nullable=False),
    CheckConstraint("length(trim(name)) > 0", name="team_has_a_name"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("team_id", ForeignKey("teams.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("submission_digest", ForeignKey("files.digest"), nullable=False),
    Column("solution_digest", ForeignKey("files.digest"), nullable=False),
    Column("scorer", String(40), nullable=False),
    Column("confusion_public", JSON(none_as_null=True), nullable=False),  # K rows of K integers, row: truth
    Column("confusion_private", JSON(none_as_null=True)),  # null without a Usage column
    Column("predicted", LargeBinary, nullable=False),  # class of each row of the solution, two bytes each, low byte first
    Column("arrived_at", UtcTime, nullable=False),
    UniqueConstraint("team_id", "number", name="attempt_number_once"),
    UniqueConstraint("team_id", "submission_digest", name="submission_once"),
    CheckConstraint(f"number BETWEEN 1 AND {N_ATTEMPTS}", name=ATTEMPT_LIMIT),
)
