"""Tokens of hosts and assistants: one for each name, shown once, stored as a hash, replaced and revoked by name."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from leaderboard.actions.host import HostDecision, log_action
from leaderboard.contest.tokens import digest_token
from leaderboard.database import schema
from leaderboard.database.rows import lock_contest
from leaderboard.errors import ContestError
from leaderboard.hosts import Host, Role
from leaderboard.store import Contest

PREFIX = "host_"
_N_BYTES = 32
_MAX_NAME = 60
_RESERVED = ("host", "team")  # actors of the log that have no name
_COLUMNS = schema.host_tokens.c
_LIVE = select(*_COLUMNS["role", "name", "digest"]).where(
    _COLUMNS.digest == bindparam("of_token"), _COLUMNS.revoked_at.is_(None)
)


@dataclass(frozen=True, kw_only=True, slots=True)
class HostToken:
    """Facts about a token, which itself is stored nowhere."""

    name: str
    role: Role
    created_at: datetime  # UTC
    revoked_at: datetime | None


def give_host_token(contest: Contest, name: str, role: Role, decision: HostDecision) -> str:
    """Create the token of a host or an assistant, to be shown once.

    Raises:
        ContestError: the name cannot be given, or has a token.
    """
    tidy = _tidy_name(name)
    with contest.database.write() as connection:
        lock_contest(connection)
        if _find_role(connection, tidy) is not None:
            fault = f"a host's name has one token and {tidy!r} has it"
            raise ContestError(f"{fault}; `arena contest host-token rotate` replaces it, or give another name")
        token = _insert_token(connection, tidy, role, decision.decided_at)
        log_action(connection, "host token new", decision, {"name": tidy, "role": role.value})
    return token


def rotate_host_token(contest: Contest, name: str, decision: HostDecision) -> str:
    """Revoke the token of `name` and create another of the same role.

    Raises:
        ContestError: the name has no token.
    """
    with contest.database.write() as connection:
        tidy, role = _revoke(connection, name, decision.decided_at)
        token = _insert_token(connection, tidy, role, decision.decided_at)
        log_action(connection, "host token rotate", decision, {"name": tidy, "role": role.value})
    return token


def revoke_host_token(contest: Contest, name: str, decision: HostDecision) -> str:
    """Revoke the token of `name`, whose sessions end at once; return the name.

    Raises:
        ContestError: the name has no token.
    """
    with contest.database.write() as connection:
        tidy, role = _revoke(connection, name, decision.decided_at)
        log_action(connection, "host token revoke", decision, {"name": tidy, "role": role.value})
    return tidy


def list_host_tokens(contest: Contest) -> list[HostToken]:
    """Return all tokens, first to last, revoked ones too."""
    query = select(*_COLUMNS["name", "role", "created_at", "revoked_at"]).order_by(_COLUMNS.id)
    with contest.database.read() as connection:
        return [HostToken(**{**row._mapping, "role": Role(row.role)}) for row in connection.execute(query)]


def find_host(contest: Contest, token: str) -> Host | None:
    """Return the host of a token; None for one that is unknown, revoked or a team's.

    The search is by SHA-256, whose comparison tells a guesser nothing, and the last comparison takes constant time.
    """
    if not token.startswith(PREFIX):
        return None
    digest = digest_token(token)
    with contest.database.read() as connection:
        row = connection.execute(_LIVE, {"of_token": digest}).first()
    if row is None or not hmac.compare_digest(row.digest, digest):
        return None
    return Host(name=row.name, role=Role(row.role))


def _tidy_name(text: str) -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= _MAX_NAME or not name.isprintable():
        raise ContestError(f"a host's name has 1 to {_MAX_NAME} printable characters, not {name[:_MAX_NAME]!r}; give another")
    if name.casefold() in _RESERVED:
        raise ContestError(f"{name!r} stands in the log for others; give the host's own name")
    return name


def _find_role(connection: Connection, name: str) -> Role | None:
    role = connection.scalar(select(_COLUMNS.role).where(_COLUMNS.name == name, _COLUMNS.revoked_at.is_(None)))
    return None if role is None else Role(role)


def _revoke(connection: Connection, name: str, now: datetime) -> tuple[str, Role]:
    lock_contest(connection)
    tidy = _tidy_name(name)
    role = _find_role(connection, tidy)
    if role is None:
        raise ContestError(f"no host {tidy!r} has a token; `arena contest host-token list` shows all")
    condition = (_COLUMNS.name == tidy) & _COLUMNS.revoked_at.is_(None)
    connection.execute(update(schema.host_tokens).where(condition).values(revoked_at=now))
    return tidy, role


def _insert_token(connection: Connection, name: str, role: Role, now: datetime) -> str:
    token = PREFIX + secrets.token_urlsafe(_N_BYTES)
    values = {"name": name, "role": role.value, "digest": digest_token(token), "created_at": now}
    connection.execute(insert(schema.host_tokens).values(values))
    return token
