"""Rate limit on files that cannot be scored: each is free, many within an hour are abuse."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, insert, select

from leaderboard.database import schema
from leaderboard.errors import TooManyRefusals
from leaderboard.teams import Team

_HOUR = timedelta(hours=1)
_RECENT = (
    select(schema.refusals.c.refused_at)
    .where(schema.refusals.c.team_id == bindparam("of_team"), schema.refusals.c.refused_at > bindparam("since"))
    .order_by(schema.refusals.c.refused_at.desc())
    .limit(bindparam("n_most"))
)


def check_rate(connection: Connection, team: Team, n_per_hour: int, now: datetime) -> None:
    """Refuse a team that has reached the limit of refused files in the last hour.

    Raises:
        TooManyRefusals: with the seconds until the oldest of them is an hour old.
    """
    moments = connection.scalars(_RECENT, {"of_team": team.id, "since": now - _HOUR, "n_most": n_per_hour}).all()
    if len(moments) >= n_per_hour:
        wait_s = (moments[-1] + _HOUR - now).total_seconds()
        raise TooManyRefusals(team.name, n_per_hour, math.ceil(wait_s))


def count_refusal(connection: Connection, team: Team, now: datetime) -> None:
    """Count a refused file; those older than an hour are deleted."""
    columns = schema.refusals.c
    connection.execute(delete(schema.refusals).where(columns.team_id == team.id, columns.refused_at <= now - _HOUR))
    connection.execute(insert(schema.refusals).values(team_id=team.id, refused_at=now))
