"""Names and pseudonyms of teams in one namespace: no team can pass for another, no pseudonym reveals a name.

Every change locks the contest's row first, so that two teams cannot get the same name at the same moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, insert, select, update

from leaderboard.contest.skeletons import look_alike, reveals_name
from leaderboard.database import schema
from leaderboard.database.rows import lock_contest, read_team_by_id, write_log
from leaderboard.errors import NameOften, NameRefused, TeamError
from leaderboard.messages import message
from leaderboard.teams import Team, name_key, tidy_name

TEAM = "team"  # the actor of what a team asks for itself
_ASKED = "asked by the team"
N_A_DAY = 10  # changes by a team itself: each is a line of the log and a new reading of the standings
_DAY = timedelta(days=1)
_ACTION = "pseudonym"
_NAMES = select(*schema.teams.c["id", "name", "pseudonym", "merged_into"])


def insert_team(connection: Connection, name: str, now: datetime, *, is_baseline: bool = False) -> str:
    """Add a team, or a baseline of the host, and return its name in the stored form.

    Raises:
        NameRefused: the name cannot be given, or is a team's name or pseudonym.
    """
    tidy = tidy_name(name)
    values = {"name": tidy, "name_key": name_key(tidy), "created_at": now, "is_baseline": is_baseline}
    lock_contest(connection)
    _check_free(connection, tidy, "name_taken")
    team_id = int(connection.execute(insert(schema.teams).values(values).returning(schema.teams.c.id)).scalar_one())
    _log_reuse(connection, team_id, tidy, now)
    return tidy


def rename_team(connection: Connection, team: Team, name: str, now: datetime) -> str:
    """Rename a team and return its name in the stored form.

    Raises:
        NameRefused: the name cannot be given, or is a team's name or pseudonym, be it this team's own.
    """
    tidy = tidy_name(name)
    current = _lock_and_read(connection, team)
    if current.pseudonym is not None and reveals_name(current.pseudonym, tidy):
        raise NameRefused(message("pseudonym_tells", name=repr(current.pseudonym)))
    _check_free(connection, tidy, "name_taken", but=team.id)
    values = {"name": tidy, "name_key": name_key(tidy)}
    connection.execute(update(schema.teams).where(schema.teams.c.id == team.id).values(values))
    _log_reuse(connection, team.id, tidy, now)
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
        if reveals_name(tidy, current.name):
            raise NameRefused(message("pseudonym_tells", name=repr(tidy)))
        _check_free(connection, tidy, "pseudonym_taken", but=team.id)
    connection.execute(update(schema.teams).where(schema.teams.c.id == team.id).values(pseudonym=tidy))
    entry = {"action": _ACTION, "actor": request.actor, "team": current.name, "team_id": current.id, "reason": request.reason}
    write_log(connection, entry | {"details": {"before": current.pseudonym, "after": tidy}, "done_at": request.asked_at})
    if tidy is not None:
        _log_reuse(connection, team.id, tidy, request.asked_at)


def _lock_and_read(connection: Connection, team: Team) -> Team:
    """Lock the contest and return the team as it is now."""
    lock_contest(connection)
    current = read_team_by_id(connection, team.id)
    if current is None:
        raise TeamError(message("team_merged", team=repr(team.name)))
    return current


def _check_free(connection: Connection, name: str, key: str, but: int | None = None) -> None:
    """Check that no other team has this name or one that looks like it; the name of a merged team stays its own."""
    for row in connection.execute(_NAMES):
        taken = [row.name] if row.pseudonym is None or row.merged_into is not None else [row.name, row.pseudonym]
        if row.id != but and any(look_alike(name, other) for other in taken):
            raise NameRefused(message(key, name=repr(name)))


def _log_reuse(connection: Connection, team_id: int, name: str, now: datetime) -> None:
    """Write a line where another team had this name, or one that looks like it, before: who reads old lines must know."""
    columns = schema.host_log.c
    query = select(*columns["team_id", "details"]).where(columns.action.in_(("rename", _ACTION)), columns.team_id != team_id)
    for row in connection.execute(query.order_by(columns.id.desc())):
        former = row.details.get("before")
        if former is not None and look_alike(former, name):
            holder = connection.scalar(select(schema.teams.c.name).where(schema.teams.c.id == row.team_id))
            entry = {"action": "name reused", "actor": "arena", "team": name, "team_id": team_id, "done_at": now}
            write_log(connection, entry | {"reason": "another team had it before", "details": {"name": former, "by": holder}})
            return


def _check_daily_limit(connection: Connection, team: Team, now: datetime) -> None:
    columns = schema.host_log.c
    condition = (columns.action == _ACTION) & (columns.team_id == team.id) & (columns.actor == TEAM)
    recent = select(func.count()).select_from(schema.host_log).where(condition, columns.done_at > now - _DAY)
    if int(connection.scalar(recent) or 0) >= N_A_DAY:
        raise NameOften(message("pseudonym_often", n=N_A_DAY, team=repr(team.name)))
