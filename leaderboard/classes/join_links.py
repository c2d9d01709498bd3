"""Join links: by one a person joins a team, or makes a team, until it expires or the uses that the database counts are over."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from leaderboard.actions.host import HostDecision, log_action
from leaderboard.classes.members import Person, insert_member, read_members, tidy_email, tidy_person_name
from leaderboard.contest.team_names import insert_team
from leaderboard.contest.tokens import digest_token, new_token
from leaderboard.database import schema
from leaderboard.database.rows import read_rules, read_team, read_team_by_id, write_log
from leaderboard.deadline import format_utc
from leaderboard.errors import ContestError, JoinRefused
from leaderboard.messages import message
from leaderboard.store import Contest
from leaderboard.teams import Team

MAX_HOURS, MAX_USES = 24 * 183, 1000
_N_BYTES = 24
_LINKS = schema.join_links.c


@dataclass(frozen=True, kw_only=True, slots=True)
class JoinLink:
    """A join link, without its token."""

    id: int
    team: str | None  # None: whoever comes names a team of their own
    n_uses: int
    n_uses_left: int
    expires_at: datetime  # UTC
    revoked_at: datetime | None  # UTC

    def describe_state(self, now: datetime) -> str:
        """Return `open`, `revoked`, `expired` or `used up`."""
        if self.revoked_at is not None:
            return "revoked"
        if now >= self.expires_at:
            return "expired"
        return "open" if self.n_uses_left else "used up"

    def check(self, now: datetime) -> None:
        """Refuse a link that no longer serves.

        Raises:
            JoinRefused: it is revoked, expired or used up.
        """
        if self.revoked_at is not None:
            raise JoinRefused(message("link_revoked"))
        if now >= self.expires_at:
            raise JoinRefused(message("link_expired", time=format_utc(self.expires_at)))
        if not self.n_uses_left:
            raise JoinRefused(message("link_used_up"))


@dataclass(frozen=True, kw_only=True, slots=True)
class JoinRequest:
    """The form of a person who joins."""

    name: str = field(repr=False)
    email: str = field(repr=False, default="")
    team: str = ""  # where the link is for new teams


def new_join_link(contest: Contest, team: Team | None, n_hours: float, n_uses: int, decision: HostDecision) -> tuple[int, str]:
    """Create a join link; return its number and its token, which is shown once.

    Raises:
        ContestError: hours or uses are out of range, or the team takes nobody.
    """
    if not 0 < n_hours <= MAX_HOURS or not 1 <= n_uses <= MAX_USES:
        rule = f"a join link lasts up to {MAX_HOURS} hours and serves 1 to {MAX_USES} people"
        raise ContestError(f"{rule}, not {n_hours:g} hours and {n_uses} people; give other numbers")
    token = secrets.token_urlsafe(_N_BYTES)
    with contest.database.write() as connection:
        values = {
            "team_id": None if team is None else team.id,
            "digest": digest_token(token),
            "n_uses": n_uses,
            "n_uses_left": n_uses,
            "created_at": decision.decided_at,
            "expires_at": decision.decided_at + timedelta(hours=n_hours),
        }
        result = connection.execute(insert(schema.join_links).values(values))
        log_action(connection, "join-link new", decision, {"n_hours": n_hours, "n_uses": n_uses}, team)
        assert result.inserted_primary_key is not None
        return int(result.inserted_primary_key[0]), token


def list_join_links(contest: Contest) -> list[JoinLink]:
    """Return all join links, oldest first."""
    with contest.database.read() as connection:
        return [_read_link(connection, row) for row in connection.scalars(select(_LINKS.id).order_by(_LINKS.id))]


def revoke_join_link(contest: Contest, number: int, decision: HostDecision) -> None:
    """Let a link serve nobody more.

    Raises:
        ContestError: there is no such link, or it is revoked already.
    """
    with contest.database.write() as connection:
        is_live = (_LINKS.id == number) & _LINKS.revoked_at.is_(None)
        if not connection.execute(update(schema.join_links).where(is_live).values(revoked_at=decision.decided_at)).rowcount:
            raise ContestError(f"no join link has the number {number} and is not revoked; see `arena contest join-link list`")
        log_action(connection, "join-link revoke", decision, {"number": number})


def find_join_link(contest: Contest, token: str, now: datetime) -> JoinLink:
    """Return the link of a token that still serves.

    Raises:
        JoinRefused: it is unknown, revoked, expired or used up, or the contest is over.
    """
    with contest.database.read() as connection:
        return _find_link(connection, token, now)


def join(contest: Contest, token: str, request: JoinRequest, now: datetime) -> tuple[Team, str]:
    """Let a person join; return their team and their own token. One transaction counts the use, or nothing is stored.

    Raises:
        JoinRefused: the link no longer serves, the contest is over, or the person is a member already.
        TeamError: the name, e-mail or team name cannot be given.
    """
    person = Person(name=tidy_person_name(request.name), email=tidy_email(request.email))
    with contest.database.write() as connection:
        link = _find_link(connection, token, now)
        is_left = (_LINKS.id == link.id) & (_LINKS.n_uses_left > 0)
        used = update(schema.join_links).where(is_left).values(n_uses_left=_LINKS.n_uses_left - 1)
        if not connection.execute(used).rowcount:
            raise JoinRefused(message("link_used_up"))
        team = read_team(connection, link.team or insert_team(connection, request.team, now))
        if link.team is None:
            entry = {"action": "team add", "actor": "join link", "team": team.name, "team_id": team.id, "done_at": now}
            write_log(connection, entry | {"reason": "named by who joined", "details": {"is_baseline": False}})
        if any(member.person.is_same(person) for member in read_members(connection, team.id)):
            raise JoinRefused(message("member_already"))
        member_id = insert_member(connection, team.id, person, now)
        return team, new_token(connection, team.id, now, member_id)


def _find_link(connection: Connection, token: str, now: datetime) -> JoinLink:
    link_id = connection.scalar(select(_LINKS.id).where(_LINKS.digest == digest_token(token)))
    if link_id is None:
        raise JoinRefused(message("link_unknown"))
    link = _read_link(connection, link_id)
    link.check(now)
    if not read_rules(connection).is_open(now):
        raise JoinRefused(message("link_contest_over"))
    return link


def _read_link(connection: Connection, link_id: int) -> JoinLink:
    row = connection.execute(select(schema.join_links).where(_LINKS.id == link_id)).one()
    team = None if row.team_id is None else read_team_by_id(connection, _follow(connection, row.team_id))
    values = {key: getattr(row, key) for key in ("id", "n_uses", "n_uses_left", "expires_at", "revoked_at")}
    return JoinLink(team=None if team is None else team.name, **values)


def _follow(connection: Connection, team_id: int) -> int:
    """Return the team that a merged one went into."""
    query = select(schema.teams.c.merged_into)
    while (target := connection.scalar(query.where(schema.teams.c.id == team_id))) is not None:
        team_id = int(target)
    return team_id
