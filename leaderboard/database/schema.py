"""Tables of a contest, one to a database, with its rules as constraints; `triggers` has those that need a trigger."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.types import TypeDecorator

from leaderboard.rules import N_REFUSALS_PER_HOUR

SCHEMA_VERSION = 3
N_ATTEMPTS = 3


class UtcTime(TypeDecorator[datetime]):
    """A moment with its offset, stored in UTC; SQLite stores no offset, so it is restored on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        assert value is None or value.tzinfo is not None, "a moment has an offset"
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData()
_SEATED: dict[str, Any] = {"sqlite_where": text("NOT is_moving"), "postgresql_where": text("NOT is_moving")}

meta = Table(
    "meta",
    metadata,
    Column("key", String(40), primary_key=True),  # schema_version, and secret_key: 64 hex digits that sign the pages' cookies
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
    Column("metric_digest", ForeignKey("files.digest")),  # the host's own metric, a Python file; null: macro-F1
    Column("metric_name", Text, nullable=False, server_default="macro-F1"),
    Column("is_lower_better", Boolean, nullable=False, server_default=false()),
    Column("ties", String(10), nullable=False, server_default="share"),
    Column("is_ladder", Boolean, nullable=False, server_default=false()),
    Column("n_refusals_per_hour", Integer, nullable=False, server_default=str(N_REFUSALS_PER_HOUR)),
    Column("details", String(10), nullable=False, server_default="close"),  # when teams see matrices and scores by class
    Column("rank_by", String(10), nullable=False, server_default="score"),
    Column("hidden_digest", ForeignKey("files.digest")),  # solution of the recordings that nobody was given; null: none
    Column("rate_hz", Integer),  # rate of the test recordings; null: unknown
    Column("bonus", Float(53), nullable=False, server_default="10"),  # points of the gradebook for the first rank
    Column("webhook", Text),  # URL that is told of attempts and host's actions; null: none
    Column("overview", JSON(none_as_null=True)),  # the host's own texts of the site: task, rules, dates; null: none
    Column("deadline", UtcTime),  # the last moment that counts; null: none
    Column("closed_at", UtcTime),  # when the host closed it; from then on private scores are shown
    Column("created_at", UtcTime, nullable=False),
    CheckConstraint("id = 1", name="one_contest"),
    CheckConstraint("ties IN ('share', 'earlier')", name="ties_share_or_earlier"),
    CheckConstraint("details IN ('close', 'during')", name="details_after_close_or_during"),
    CheckConstraint("rank_by IN ('score', 'hidden')", name="rank_by_score_or_hidden"),
    CheckConstraint("n_refusals_per_hour > 0", name="some_refusals_are_free"),
)

teams = Table(
    "teams",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False, unique=True),  # the name in one case, with one kind of space, for comparison
    Column("pseudonym", Text),  # shown to others in its place; null: the name
    Column("deadline", UtcTime),  # its own last moment, where the host gave it more time; null: the contest's
    Column("is_baseline", Boolean, nullable=False, server_default=false()),  # the host's own: shown, without rank or bonus
    Column("class_group", Text),  # its group in the class list, whatever the team is called since
    Column("disqualified_at", UtcTime),
    Column("merged_into", ForeignKey("teams.id")),  # the team that its attempts went to
    Column("created_at", UtcTime, nullable=False),
    CheckConstraint("length(trim(name)) > 0", name="team_has_a_name"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("team_id", ForeignKey("teams.id"), nullable=False),
    Column(
        "number", Integer, nullable=False
    ),  # 1 to three and what the log grants: a trigger refuses any other, whoever writes
    Column("file_name", Text, nullable=False),
    Column("note", Text),  # the team's own words on it
    Column("submission_digest", ForeignKey("files.digest"), nullable=False),
    Column("solution_digest", ForeignKey("files.digest"), nullable=False),
    Column("scorer", String(80), nullable=False),
    Column("confusion_public", JSON(none_as_null=True), nullable=False),  # K rows of K integers, row: truth
    Column("confusion_private", JSON(none_as_null=True)),  # null without a Usage column
    Column("value_public", Float(53)),  # result of the host's own metric, unrounded; null with macro-F1
    Column("value_private", Float(53)),
    Column("log_loss_public", Float(53)),  # null when no probabilities were sent
    Column("log_loss_private", Float(53)),
    Column("predicted", LargeBinary, nullable=False),  # class of each row of the solution, two bytes each, low byte first
    Column("shown_number", Integer, nullable=False),  # in Ladder mode an earlier one, whose score is shown for it
    Column("arrived_at", UtcTime, nullable=False),
    Column("voided_at", UtcTime),  # when the host took it out of the ranking; null: it counts
    Column("is_moving", Boolean, nullable=False, server_default=false()),  # within a merger: no order keeps numbers unique
    Index("attempt_number_once", "team_id", "number", unique=True, **_SEATED),
    Index("submission_once", "team_id", "submission_digest", unique=True, **_SEATED),
    CheckConstraint("number >= 1 AND number = CAST(number AS INTEGER)", name="attempt_number_from_1"),
    CheckConstraint(
        "shown_number BETWEEN 1 AND number AND shown_number = CAST(shown_number AS INTEGER)", name="shown_attempt_is_not_later"
    ),
)

old_numbers = Table(  # append-only, written by triggers: attempts before a merger, a void or another choice of Ladder mode
    "old_numbers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("attempt_id", ForeignKey("attempts.id", deferrable=True, initially="DEFERRED"), nullable=False),
    Column("log_id", ForeignKey("host_log.id"), nullable=False),
    Column("action", String(10), nullable=False),
    Column("team_id", ForeignKey("teams.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("shown_number", Integer, nullable=False),
    UniqueConstraint("attempt_id", "log_id", "action", name="attempt_changes_once_a_line"),
)

old_scores = Table(  # append-only, written by triggers: scores of attempts before the solution was corrected
    "old_scores",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("attempt_id", ForeignKey("attempts.id", deferrable=True, initially="DEFERRED"), nullable=False),
    Column("solution_digest", ForeignKey("files.digest"), nullable=False),
    Column("scorer", String(80), nullable=False),
    Column("confusion_public", JSON(none_as_null=True), nullable=False),
    Column("confusion_private", JSON(none_as_null=True)),
    Column("value_public", Float(53)),
    Column("value_private", Float(53)),
    Column("log_loss_public", Float(53)),
    Column("log_loss_private", Float(53)),
    Column("replaced_at", UtcTime, nullable=False),
    Column("log_id", ForeignKey("host_log.id")),  # line of the rescoring; null before version 3
    UniqueConstraint("attempt_id", "log_id", name="attempt_is_rescored_once_a_line"),
)

verifications = Table(  # append-only: results of the host's runs of sent models; the last one of an attempt counts
    "verifications",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("attempt_id", ForeignKey("attempts.id", deferrable=True, initially="DEFERRED"), nullable=False),
    Column("model_digest", String(64), nullable=False),
    Column("is_verified", Boolean, nullable=False),
    Column("remark", Text, nullable=False),  # one line: the differences
    Column("confusion_rerun", JSON(none_as_null=True)),  # the model's answers on all scored rows; null: it could not be run
    Column("hidden_digest", ForeignKey("files.digest")),  # solution of the hidden part; null: there was none
    Column("confusion_hidden", JSON(none_as_null=True)),  # null: no hidden part, or the model could not be run on it
    Column("predicted_hidden", LargeBinary),  # class of each row of the hidden part, as in `attempts`
    Column("is_suspicious", Boolean, nullable=False, server_default=false()),  # the hidden score is far below the given one
    Column("verified_at", UtcTime, nullable=False),
)

models = Table(  # nets that teams sent beside attempts, run by `verify`; the last one of an attempt counts
    "models",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("attempt_id", ForeignKey("attempts.id", deferrable=True, initially="DEFERRED"), nullable=False),
    Column("digest", ForeignKey("files.digest"), nullable=False),
    Column("file_name", Text, nullable=False),
    Column("attached_at", UtcTime, nullable=False),
)

members = Table(  # the people of a team; nothing of them is public
    "members",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("team_id", ForeignKey("teams.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("login", Text),
    Column("lms_id", Text),  # the learning platform's own number, such as Canvas's ID
    Column("student_id", Text),  # the school's, such as Moodle's ID number
    Column("created_at", UtcTime, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("team_id", ForeignKey("teams.id"), nullable=False),
    Column("member_id", ForeignKey("members.id")),  # null: the whole team's
    Column("digest", String(64), nullable=False, unique=True),  # SHA-256 of the token, which is shown once and stored nowhere
    Column("created_at", UtcTime, nullable=False),
    Column("used_at", UtcTime),  # last use, to the hour; null: never
    Column("revoked_at", UtcTime),
)

host_tokens = Table(
    "host_tokens",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("role", String(10), nullable=False),
    Column("name", Text, nullable=False),  # whose it is, for the log
    Column("digest", String(64), nullable=False, unique=True),  # SHA-256 of the token, which is shown once and stored nowhere
    Column("created_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
    CheckConstraint("role IN ('host', 'assistant')", name="role_is_host_or_assistant"),
)

join_links = Table(  # by which people join a team, or make one, until they expire
    "join_links",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("team_id", ForeignKey("teams.id")),  # null: whoever comes names a team of their own
    Column("digest", String(64), nullable=False, unique=True),
    Column("n_uses", Integer, nullable=False),
    Column("n_uses_left", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
    CheckConstraint("n_uses_left >= 0", name="join_link_is_used_up_once"),
)

announcements = Table(
    "announcements",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("text", Text, nullable=False),  # Markdown
    Column("made_at", UtcTime, nullable=False),
    Column("withdrawn_at", UtcTime),
)

downloads = Table(  # files that the site hands out: data, sample submission
    "downloads",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("digest", ForeignKey("files.digest"), nullable=False),
    Column("description", Text, nullable=False, server_default=""),
)

refusals = Table(  # uploads that could not be scored, of the last hour
    "refusals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("team_id", ForeignKey("teams.id"), nullable=False),
    Column("refused_at", UtcTime, nullable=False),
    Index("refusals_by_team", "team_id", "refused_at"),
)

host_log = Table(  # append-only: the host's actions and their reasons
    "host_log",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("action", String(40), nullable=False),
    Column("actor", Text, nullable=False, server_default="host"),  # who acted: host, an assistant's name, team
    Column("team", Text),  # its name at that time; null: the whole contest
    Column("team_id", ForeignKey("teams.id")),
    Column("n_granted", Integer),  # attempts that this line gives the team beyond its three; there is no other way to any
    Column("reason", Text, nullable=False),
    Column("details", JSON(none_as_null=True), nullable=False),  # the values before and after
    Column("done_at", UtcTime, nullable=False),
    Index("host_log_by_team", "team_id"),
    CheckConstraint("length(trim(reason)) > 0", name="host_gives_a_reason"),
    CheckConstraint(
        "n_granted IS NULL OR (n_granted >= 1 AND n_granted = CAST(n_granted AS INTEGER) AND team_id IS NOT NULL)",
        name="attempts_are_granted_to_a_team",
    ),
)
