"""Tokens of members, each revocable alone, and the end of what is known of a member. The log never says who."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, update

from leaderboard.actions.host import HostDecision, log_action
from leaderboard.classes.members import Member, find_member, read_members
from leaderboard.contest.tokens import mark_tokens_revoked, new_token
from leaderboard.database import schema
from leaderboard.database.rows import read_team_by_id
from leaderboard.errors import ContestError
from leaderboard.store import Contest
from leaderboard.teams import Team


def give_member_token(contest: Contest, team: Team, who: str, decision: HostDecision) -> str:
    """Create a token of the team's member `who`, to be shown once.

    Raises:
        ContestError: no member is called so, or several are.
    """
    with contest.database.write() as connection:
        member = find_member(connection, who, team)
        token = new_token(connection, team.id, decision.decided_at, member.id)
        log_action(connection, "token new", decision, {"of": "a member"}, team)
    return token


def revoke_member_tokens(contest: Contest, team: Team, who: str, decision: HostDecision) -> int:
    """Revoke the tokens of the team's member `who` alone and return how many were valid.

    Raises:
        ContestError: no member is called so, or several are.
    """
    with contest.database.write() as connection:
        member = find_member(connection, who, team)
        n = mark_tokens_revoked(connection, team.id, decision.decided_at, member.id)
        log_action(connection, "token revoke", decision, {"n_revoked": n, "of": "a member"}, team)
    return n


def forget_members(contest: Contest, who: str | None, team: Team | None, decision: HostDecision) -> int:
    """Delete what is known of the member `who`, or of all members of a team, and return how many there were.

    Their tokens are revoked. Attempts stay, and the log says how many were forgotten and never who. On SQLite the bytes are
    overwritten in the file; copies that were made before keep them.

    Raises:
        ContestError: there is no such member.
    """
    with contest.database.write() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
        members = [find_member(connection, who, team)] if who is not None else _read_all(connection, team)
        n_tokens = sum(_forget(connection, member, decision) for member in members)
        owner = read_team_by_id(connection, members[0].team_id)
        log_action(connection, "team forget", decision, {"n_members": len(members), "n_tokens": n_tokens}, owner)
    contest.database.truncate_wal()
    return len(members)


def _read_all(connection: Connection, team: Team | None) -> Sequence[Member]:
    assert team is not None, "a member or a team is named"
    members = read_members(connection, team.id)
    if not members:
        raise ContestError(
            f"team {team.name!r} has no members to forget; `arena contest team show {team.name}` shows what is known"
        )
    return members


def _forget(connection: Connection, member: Member, decision: HostDecision) -> int:
    n = mark_tokens_revoked(connection, member.team_id, decision.decided_at, member.id)
    is_theirs = schema.tokens.c.member_id == member.id
    connection.execute(update(schema.tokens).where(is_theirs).values(member_id=None))
    connection.execute(delete(schema.members).where(schema.members.c.id == member.id))
    return n
