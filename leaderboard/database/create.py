"""Creation of a contest: its tables, its solution and its rules."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, inspect

from leaderboard.database import schema
from leaderboard.database.connection import ContestDatabase
from leaderboard.database.rows import store_file
from leaderboard.database.triggers import create_triggers
from leaderboard.errors import ContestError
from leaderboard.files.solution import Solution
from leaderboard.rules import RankBy, Ties
from leaderboard.scoring.custom_metric import check_metric, load_metric


@dataclass(frozen=True, kw_only=True, slots=True)
class ContestSettings:
    """Optional rules of a new contest, beside name, solution and deadline."""

    metric: bytes | None = None  # a Python file; None: macro-F1
    metric_name: str = "macro-F1"
    is_lower_better: bool = False
    ties: Ties = Ties.SHARE
    is_ladder: bool = False
    n_refusals_per_hour: int = schema.N_REFUSALS_PER_HOUR
    rank_by: RankBy = RankBy.SCORE
    hidden: Solution | None = None  # of recordings that no team is given
    rate_hz: int | None = None  # of the test recordings; None: unknown

    def __post_init__(self) -> None:
        if self.is_lower_better and self.metric is None:
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


def fill(database: ContestDatabase, solution: Solution, values: dict[str, Any], settings: ContestSettings) -> None:
    """Create the tables and store the contest in them, as a whole or not at all; close the database.

    Raises:
        ContestError: the database holds a contest already, or cannot be written.
        MetricError: the host's metric cannot be run on the solution.
    """
    with closing(database):
        columns = _build_columns(solution, settings)
        database.enable_wal()
        with database.write() as connection:
            if inspect(connection).has_table(schema.meta.name):
                raise ContestError(f"{database.name} holds a contest and none is overwritten; choose another database")
            create_tables(connection)
            write_meta(connection)
            store_file(connection, solution.digest, solution.content)
            if settings.hidden is not None:
                store_file(connection, settings.hidden.digest, settings.hidden.content)
            if settings.metric is not None:
                store_file(connection, columns["metric_digest"], settings.metric)
            connection.execute(insert(schema.contest).values(id=1, solution_digest=solution.digest, **values, **columns))


def _build_columns(solution: Solution, settings: ContestSettings) -> dict[str, Any]:
    digest = None
    if settings.metric is not None:
        check_metric(load_metric(settings.metric, settings.metric_name), solution)
        digest = hashlib.sha256(settings.metric).hexdigest()
    return {
        "metric_digest": digest,
        "metric_name": settings.metric_name,
        "is_lower_better": settings.is_lower_better,
        "ties": settings.ties.value,
        "is_ladder": settings.is_ladder,
        "n_refusals_per_hour": settings.n_refusals_per_hour,
        "rank_by": settings.rank_by.value,
        "hidden_digest": None if settings.hidden is None else settings.hidden.digest,
        "rate_hz": settings.rate_hz,
    }


def create_tables(connection: Connection) -> None:
    """Create the missing tables of this version, with their triggers."""
    schema.metadata.create_all(connection)
    create_triggers(connection)


def write_meta(connection: Connection) -> None:
    """Write the version of the tables, and the key that signs cookies."""
    rows = {"schema_version": str(schema.SCHEMA_VERSION), "secret_key": secrets.token_hex(32)}
    connection.execute(insert(schema.meta), [{"key": key, "value": value} for key, value in rows.items()])
