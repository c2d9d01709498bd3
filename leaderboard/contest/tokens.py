"""A team's token: 32 random bytes, shown once, kept as a hash, revocable."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from leaderboard.database import schema

_N_BYTES = 32
_MAX_LENGTH = 200  # characters of what is looked at; a token has 43


def new_token(connection: Connection, team_id: int, now: datetime) -> str:
    """A token of the team that nobody can read again; the ones before it stay good."""
    token = secrets.token_urlsafe(_N_BYTES)
    connection.execute(insert(schema.tokens).values(team_id=team_id, digest=_digest(token), created_at=now))
    return token


def mark_tokens_revoked(connection: Connection, team_id: int, now: datetime) -> int:
    """How many tokens of the team were good until now."""
    live = (schema.tokens.c.team_id == team_id) & schema.tokens.c.revoked_at.is_(None)
    return int(connection.execute(update(schema.tokens).where(live).values(revoked_at=now)).rowcount)


_LIVE = select(*schema.tokens.c["team_id", "digest"]).where(
    schema.tokens.c.digest == bindparam("of_token"), schema.tokens.c.revoked_at.is_(None)
)


def find_team_id(connection: Connection, token: str) -> int | None:
    """Whose token it is; None for one that is unknown or revoked.

    Tokens are found by their SHA-256: what a comparison inside the database tells by its time is about a hash that its
    sender cannot steer, and the last word is a comparison in constant time.
    """
    digest = _digest(token[:_MAX_LENGTH])
    row = connection.execute(_LIVE, {"of_token": digest}).first()
    if row is None or not hmac.compare_digest(row.digest, digest):
        return None
    return int(row.team_id)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
