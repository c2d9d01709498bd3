"""Announcements of the host to all teams; one that was withdrawn stays stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from leaderboard.actions.host import HostDecision, check_characters, log_action
from leaderboard.database import schema
from leaderboard.errors import ContestError
from leaderboard.messages import message
from leaderboard.store import Contest

_MAX_LENGTH = 2000  # characters


@dataclass(frozen=True, kw_only=True, slots=True)
class Announcement:
    """A text for all teams, in Markdown."""

    id: int
    text: str
    made_at: datetime  # UTC
    withdrawn_at: datetime | None  # UTC


def announce(contest: Contest, text: str, decision: HostDecision) -> Announcement:
    """Show a text to all teams and return it as stored.

    Raises:
        ContestError: it is empty, too long or has characters that cannot be read.
    """
    tidy = text.strip()
    if not tidy or len(tidy) > _MAX_LENGTH:
        raise ContestError(message("act_announcement", most=_MAX_LENGTH, n=len(tidy)))
    check_characters(tidy)
    values = {"text": tidy, "made_at": decision.decided_at}
    with contest.database.write() as connection:
        number = connection.execute(
            insert(schema.announcements).values(values).returning(schema.announcements.c.id)
        ).scalar_one()
        log_action(connection, "announce", decision, {"number": number, "text": tidy})
    return Announcement(id=number, text=tidy, made_at=decision.decided_at, withdrawn_at=None)


def withdraw_announcement(contest: Contest, number: int, decision: HostDecision) -> None:
    """Show an announcement no more.

    Raises:
        ContestError: there is none of that number, or it is withdrawn.
    """
    is_shown = schema.announcements.c.withdrawn_at.is_(None)
    is_live = (schema.announcements.c.id == number) & is_shown
    with contest.database.write() as connection:
        if not connection.execute(
            update(schema.announcements).where(is_live).values(withdrawn_at=decision.decided_at)
        ).rowcount:
            live = (
                ", ".join(str(row) for row in connection.scalars(select(schema.announcements.c.id).where(is_shown))) or "none"
            )
            raise ContestError(message("act_no_announcement", number=number, live=live))
        log_action(connection, "withdraw", decision, {"number": number})


def read_announcements(contest: Contest) -> list[Announcement]:
    """Read the announcements that teams see, newest first."""
    is_live = schema.announcements.c.withdrawn_at.is_(None)
    query = select(schema.announcements).where(is_live).order_by(schema.announcements.c.id.desc())
    with contest.database.read() as connection:
        return [Announcement(**row._mapping) for row in connection.execute(query)]
