"""Tokens of teams: 32 random bytes, shown once, stored as a hash, revocable."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from leaderboard.database import schema

_N_BYTES = 32
_MAX_LENGTH = 200  # characters that are hashed; a token has 43


def new_token(connection: Connection, team_id: int, now: datetime) -> str:
    """Create a token of the team, which nobody can read again; earlier tokens stay valid."""
    token = secrets.token_urlsafe(_N_BYTES)
    connection.execute(insert(schema.tokens).values(team_id=team_id, digest=_digest(token), created_at=now))
    return token


def mark_tokens_revoked(connection: Connection, team_id: int, now: datetime) -> int:
    """Revoke the team's tokens and return how many were valid."""
    live = (schema.tokens.c.team_id == team_id) & schema.tokens.c.revoked_at.is_(None)
    return int(connection.execute(update(schema.tokens).where(live).values(revoked_at=now)).rowcount)


_LIVE = select(*schema.tokens.c["team_id", "digest"]).where(
    schema.tokens.c.digest == bindparam("of_token"), schema.tokens.c.revoked_at.is_(None)
)


def find_team_id(connection: Connection, token: str) -> int | None:
    """Return the id of a token's team; None for one that is unknown or revoked.

    The database is searched by SHA-256: the time of its comparison depends on a hash that the sender cannot steer, and the
    final comparison takes constant time.
    """
    digest = _digest(token[:_MAX_LENGTH])
    row = connection.execute(_LIVE, {"of_token": digest}).first()
    if row is None or not hmac.compare_digest(row.digest, digest):
        return None
    return int(row.team_id)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
