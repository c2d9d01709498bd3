"""Creation of a contest: its tables, its solution and its rules."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, insert, inspect

from leaderboard.database import schema
from leaderboard.database.connection import ContestDatabase
from leaderboard.database.rows import store_file
from leaderboard.database.triggers import create_triggers
from leaderboard.errors import ContestError
from leaderboard.files.pack_files import check_hidden
from leaderboard.files.solution import Solution
from leaderboard.rules import DIGIT_ERROR_RATE, EXACT_MATCH, N_REFUSALS_PER_HOUR, STRING_METRICS, DetailsFrom, RankBy, Ties
from leaderboard.scoring.custom_metric import check_metric, load_metric


@dataclass(frozen=True, kw_only=True, slots=True)
class Download:
    """A file that the site hands out."""

    name: str
    content: bytes = field(repr=False)
    description: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ContestSettings:
    """Optional rules of a new contest, beside name, solution and deadline."""

    metric: bytes | None = None  # a Python file; None: macro-F1
    metric_name: str = "macro-F1"
    is_lower_better: bool = False
    ties: Ties = Ties.SHARE
    is_ladder: bool = False
    n_refusals_per_hour: int = N_REFUSALS_PER_HOUR
    details: DetailsFrom = DetailsFrom.CLOSE
    rank_by: RankBy = RankBy.SCORE
    hidden: Solution | None = None  # recordings that no team is given
    rate_hz: int | None = None  # rate of the test recordings; None: unknown
    bonus: float = 10.0
    webhook: str | None = None
    overview: dict[str, str] | None = None  # texts of the site
    downloads: tuple[Download, ...] = ()
    teams: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.is_lower_better and self.metric is None and self.metric_name != DIGIT_ERROR_RATE:
            raise ContestError("a higher macro-F1 is better; --lower-is-better goes with --metric FILE.py")
        if self.is_ladder and self.metric is not None:
            raise ContestError("Ladder mode needs the standard error of macro-F1; leave out --ladder or --metric")
        if self.rank_by is RankBy.HIDDEN and self.hidden is None:
            raise ContestError(
                "ranking by hidden scores needs a hidden part, and no `hidden` folder lies beside the solution; "
                "`arena contest pack` writes one"
            )
        if self.rank_by is RankBy.HIDDEN and self.metric is not None:
            raise ContestError("hidden scores are macro-F1; leave out the metric, or rank by score")
        if self.n_refusals_per_hour < 1:
            raise ContestError(f"at least 1 refused file an hour is free, not {self.n_refusals_per_hour}; give a larger number")


def fill(
    database: ContestDatabase,
    solution: Solution,
    values: dict[str, Any],
    settings: ContestSettings,
    add_team: Callable[[Connection, str], object],
) -> None:
    """Create the tables and store the contest in them, as a whole or not at all; close the database.

    Raises:
        ContestError: the database holds a contest already, or cannot be written.
        MetricError: the host's metric cannot be run on the solution.
    """
    with closing(database):
        if settings.hidden is not None:
            check_hidden(settings.hidden, solution)
        columns = _build_columns(solution, settings)
        database.enable_wal()
        with database.write() as connection:
            if inspect(connection).has_table(schema.meta.name):
                raise ContestError(f"{database.name} holds a contest and none is overwritten; choose another database")
            create_tables(connection)
            create_triggers(connection)
            write_meta(connection)
            store_file(connection, solution.digest, solution.content)
            if settings.hidden is not None:
                store_file(connection, settings.hidden.digest, settings.hidden.content)
            if settings.metric is not None:
                store_file(connection, columns["metric_digest"], settings.metric)
            connection.execute(insert(schema.contest).values(id=1, solution_digest=solution.digest, **values, **columns))
            for download in settings.downloads:
                write_download(connection, download)
            for team in settings.teams:
                add_team(connection, team)


def write_download(connection: Connection, download: Download) -> None:
    """Store a file that the site hands out, in place of one of the same name."""
    digest = hashlib.sha256(download.content).hexdigest()
    store_file(connection, digest, download.content)
    connection.execute(delete(schema.downloads).where(schema.downloads.c.name == download.name))
    values = {"name": download.name, "digest": digest, "description": download.description}
    connection.execute(insert(schema.downloads).values(values))


def choose_metric_name(solution: Solution, settings: ContestSettings) -> str:
    """Return the name of the contest's metric: of strings that of their scores which is asked for, else exact match.

    Raises:
        ContestError: the settings and the kind of answers do not fit.
    """
    is_of_strings = settings.metric_name in STRING_METRICS.values()
    if not solution.strings:
        if is_of_strings:
            raise ContestError(f"{settings.metric_name} scores strings, and this solution has labels; leave out --metric")
        return settings.metric_name
    if settings.metric is not None or settings.is_ladder or settings.rank_by is RankBy.HIDDEN or settings.hidden is not None:
        raise ContestError(
            f"a contest of strings is ranked by {' or '.join(STRING_METRICS)}, without Ladder mode and hidden recordings; "
            "leave the other rules out"
        )
    return settings.metric_name if is_of_strings else EXACT_MATCH


def _build_columns(solution: Solution, settings: ContestSettings) -> dict[str, Any]:
    digest, metric_name = None, choose_metric_name(solution, settings)
    if settings.metric is not None:
        check_metric(load_metric(settings.metric, settings.metric_name), solution)
        digest = hashlib.sha256(settings.metric).hexdigest()
    return {
        "metric_digest": digest,
        "metric_name": metric_name,
        "is_lower_better": settings.is_lower_better or metric_name == DIGIT_ERROR_RATE,
        "ties": settings.ties.value,
        "is_ladder": settings.is_ladder,
        "n_refusals_per_hour": settings.n_refusals_per_hour,
        "details": settings.details.value,
        "rank_by": settings.rank_by.value,
        "hidden_digest": None if settings.hidden is None else settings.hidden.digest,
        "rate_hz": settings.rate_hz,
        "bonus": settings.bonus,
        "webhook": settings.webhook,
        "overview": settings.overview,
    }


def create_tables(connection: Connection) -> None:
    """Create the missing tables of this version; `create_triggers` follows when they are filled."""
    schema.metadata.create_all(connection)


def write_meta(connection: Connection) -> None:
    """Write the version of the tables, and the key that signs cookies."""
    rows = {"schema_version": str(schema.SCHEMA_VERSION), "secret_key": secrets.token_hex(32)}
    connection.execute(insert(schema.meta), [{"key": key, "value": value} for key, value in rows.items()])
