"""Names and pseudonyms of teams in one namespace: no team can pass for another, no pseudonym reveals a name.

Every change locks the contest's row first, so that two teams cannot get the same name at the same moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from leaderboard.database import schema
from leaderboard.database.rows import read_team_by_id, write_log
from leaderboard.errors import NameOften, NameRefused, TeamError
from leaderboard.messages import message
from leaderboard.teams import Team, name_key, reveals_name, tidy_name

TEAM = "team"  # the actor of what a team asks for itself
_ASKED = "asked by the team"
N_A_DAY = 10  # changes by a team itself: each is a line of the log and a new reading of the standings
_DAY = timedelta(days=1)
_ACTION = "pseudonym"
_PSEUDONYMS = select(schema.teams.c.pseudonym).where(
    schema.teams.c.pseudonym.is_not(None), schema.teams.c.merged_into.is_(None), schema.teams.c.id != bindparam("but")
)


def add_team(connection: Connection, name: str, now: datetime) -> str:
    """Add a team and return its name in the stored form.

    Raises:
        NameRefused: the name cannot be given, or is a team's name or pseudonym.
    """
    tidy = tidy_name(name)
    values = {"name": tidy, "name_key": name_key(tidy), "created_at": now}
    _lock_contest(connection)
    _check_no_pseudonym(connection, tidy)
    try:
        connection.execute(insert(schema.teams).values(values))
    except IntegrityError as error:
        raise NameRefused(message("name_taken", name=repr(tidy))) from error
    return tidy


def rename_team(connection: Connection, team: Team, name: str) -> str:
    """Rename a team and return its name in the stored form.

    Raises:
        NameRefused: the name cannot be given, or is a team's name or pseudonym, be it this team's own.
    """
    tidy = tidy_name(name)
    current = _lock_and_read(connection, team)
    if current.pseudonym is not None and reveals_name(current.pseudonym, tidy):
        raise NameRefused(message("pseudonym_tells", name=repr(current.pseudonym)))
    _check_no_pseudonym(connection, tidy)
    values = {"name": tidy, "name_key": name_key(tidy)}
    try:
        connection.execute(update(schema.teams).where(schema.teams.c.id == team.id).values(values))
    except IntegrityError as error:
        raise NameRefused(message("name_taken", name=repr(tidy))) from error
    return tidy


@dataclass(frozen=True, kw_only=True, slots=True)
class NameRequest:
    """Who asks for another name or pseudonym, why and when: the team itself, unless a host is named."""

    asked_at: datetime  # UTC
    actor: str = TEAM
    reason: str = _ASKED


def set_pseudonym(connection: Connection, team: Team, pseudonym: str | None, request: NameRequest) -> None:
    """Show a team under `pseudonym`, or under its name again for None, and log it.

    Raises:
        NameRefused: it cannot be given, tells the team's name, or is a name or pseudonym of another team.
        NameOften: the team itself asks, and has changed it often within a day.
        TeamError: the team was merged into another.
    """
    tidy = None if pseudonym is None else tidy_name(pseudonym)
    current = _lock_and_read(connection, team)
    if current.pseudonym == tidy:
        return
    if request.actor == TEAM:
        _check_daily_limit(connection, current, request.asked_at)
    if tidy is not None:
        _check_pseudonym(connection, current, tidy)
    connection.execute(update(schema.teams).where(schema.teams.c.id == team.id).values(pseudonym=tidy))
    entry = {"action": _ACTION, "actor": request.actor, "team": current.name, "team_id": current.id, "reason": request.reason}
    write_log(connection, entry | {"details": {"before": current.pseudonym, "after": tidy}, "done_at": request.asked_at})


def _lock_contest(connection: Connection) -> None:
    connection.execute(select(schema.contest.c.id).with_for_update())


def _lock_and_read(connection: Connection, team: Team) -> Team:
    """Lock the contest and return the team as it is now."""
    _lock_contest(connection)
    current = read_team_by_id(connection, team.id)
    if current is None:
        raise TeamError(message("team_merged", team=repr(team.name)))
    return current


def _check_no_pseudonym(connection: Connection, name: str) -> None:
    if name_key(name) in map(name_key, connection.scalars(_PSEUDONYMS, {"but": 0})):
        raise NameRefused(message("name_taken", name=repr(name)))


def _check_pseudonym(connection: Connection, team: Team, pseudonym: str) -> None:
    if reveals_name(pseudonym, team.name):
        raise NameRefused(message("pseudonym_tells", name=repr(pseudonym)))
    key = name_key(pseudonym)
    is_name = connection.scalar(select(schema.teams.c.id).where(schema.teams.c.name_key == key)) is not None
    if is_name or key in map(name_key, connection.scalars(_PSEUDONYMS, {"but": team.id})):
        raise NameRefused(message("pseudonym_taken", name=repr(pseudonym)))


def _check_daily_limit(connection: Connection, team: Team, now: datetime) -> None:
    columns = schema.host_log.c
    condition = (columns.action == _ACTION) & (columns.team_id == team.id) & (columns.actor == TEAM)
    recent = select(func.count()).select_from(schema.host_log).where(condition, columns.done_at > now - _DAY)
    if int(connection.scalar(recent) or 0) >= N_A_DAY:
        raise NameOften(message("pseudonym_often", n=N_A_DAY, team=repr(team.name)))
