"""A running contest as the values of a contest's file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from leaderboard.contest_file.keys import KEYS, PAGES, FileValue, KeyKind
from leaderboard.database import schema
from leaderboard.database.rows import read_rules, read_teams
from leaderboard.rules import STRING_METRICS
from leaderboard.store import Contest


def read_current(contest: Contest) -> dict[str, Any]:
    """Return the value of every key, as the contest stands now; the content of files is left out."""
    with contest.database.read() as connection:
        return read_current_values(connection)


def read_current_values(connection: Connection) -> dict[str, Any]:
    """Return the value of every key within a transaction."""
    rules = read_rules(connection)
    overview = rules.overview or {}
    values: dict[str, Any] = {}
    for name, key in KEYS.items():
        if key.column:
            value = getattr(rules, key.column)
            values[name] = str(value) if key.kind is KeyKind.WORD else value
        elif name.startswith(PAGES):
            values[name] = overview.get(name.removeprefix(PAGES))
    metric = rules.metric_digest
    values["metric"] = None if metric is None else FileValue(name=f"{rules.metric_name}.py", digest=metric)
    if rules.has_strings:
        values["metric"] = next(name for name, text in STRING_METRICS.items() if text == rules.metric_name)
    values["solution"] = FileValue(name="solution.csv", digest=rules.solution_digest)
    values["downloads"] = tuple(list_downloads(connection))
    values["teams"] = tuple(team.name for team in read_teams(connection) if not team.is_baseline)
    return {name: values[name] for name in KEYS}


def list_downloads(connection: Connection) -> Sequence[FileValue]:
    """Return the files that the site hands out, by name, without their content."""
    rows = connection.execute(select(schema.downloads).order_by(schema.downloads.c.name))
    return [FileValue(name=row.name, digest=row.digest, description=row.description) for row in rows]
