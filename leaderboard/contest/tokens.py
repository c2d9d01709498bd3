"""Tokens of teams and of their members: 32 random bytes, shown once, stored as a hash, revocable."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, insert, select, update

from leaderboard.database import schema

_N_BYTES = 32
_MAX_LENGTH = 200  # characters that are hashed; a token has 43
_SAME_USE = timedelta(hours=1)  # uses within it are one, so that a reader's request writes seldom


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenHolder:
    """The team, and where the token is one member's own, the member."""

    token_id: int
    team_id: int
    member_id: int | None
    used_at: datetime | None  # UTC, to the hour


def new_token(connection: Connection, team_id: int, now: datetime, member_id: int | None = None) -> str:
    """Create a token of the team, or of its member, which nobody can read again; earlier tokens stay valid."""
    while (token := secrets.token_urlsafe(_N_BYTES)).startswith("-"):  # a spreadsheet would take it for a formula
        pass
    values = {"team_id": team_id, "member_id": member_id, "digest": digest_token(token), "created_at": now}
    connection.execute(insert(schema.tokens).values(values))
    return token


def mark_tokens_revoked(connection: Connection, team_id: int, now: datetime, member_id: int | None = None) -> int:
    """Revoke the team's tokens, or those of one member, and return how many were valid."""
    live = (schema.tokens.c.team_id == team_id) & schema.tokens.c.revoked_at.is_(None)
    if member_id is not None:
        live &= schema.tokens.c.member_id == member_id
    return int(connection.execute(update(schema.tokens).where(live).values(revoked_at=now)).rowcount)


_LIVE = select(*schema.tokens.c["id", "team_id", "member_id", "digest", "used_at"]).where(
    schema.tokens.c.digest == bindparam("of_token"), schema.tokens.c.revoked_at.is_(None)
)


def find_holder(connection: Connection, token: str) -> TokenHolder | None:
    """Return the holder of a token; None for one that is unknown or revoked.

    The database is searched by SHA-256: the time of its comparison depends on a hash that the sender cannot steer, and the
    final comparison takes constant time.
    """
    digest = digest_token(token)
    row = connection.execute(_LIVE, {"of_token": digest}).first()
    if row is None or not hmac.compare_digest(row.digest, digest):
        return None
    return TokenHolder(token_id=row.id, team_id=row.team_id, member_id=row.member_id, used_at=row.used_at)


def is_first_use(holder: TokenHolder, now: datetime) -> bool:
    """Return True if the token was not used within the last hour."""
    return holder.used_at is None or now - holder.used_at > _SAME_USE


def record_use(connection: Connection, holder: TokenHolder, now: datetime) -> None:
    """Store the moment of the last use."""
    connection.execute(update(schema.tokens).where(schema.tokens.c.id == holder.token_id).values(used_at=now))


def digest_token(token: str) -> str:
    """Return the SHA-256 by which a token of a team, a member, a host or a join link is stored."""
    return hashlib.sha256(token[:_MAX_LENGTH].encode("utf-8", "surrogatepass")).hexdigest()
