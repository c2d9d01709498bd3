"""The last moment that counts: read, checked, held."""

from __future__ import annotations

from datetime import UTC, datetime

from leaderboard.errors import ContestClosed, ContestError

_EXAMPLE = "2026-12-01T18:00+01:00"


def parse_deadline(text: str) -> datetime:
    """The moment in UTC.

    Raises:
        ContestError: not ISO 8601, or without an offset.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ContestError(f"a deadline is a date, a time and an offset, not {text[:60]!r}; write it as {_EXAMPLE}") from error
    if moment.tzinfo is None:
        raise ContestError(f"a deadline carries its offset and {text[:60]!r} has none; write it as {_EXAMPLE}")
    return moment.astimezone(UTC)


def check_ahead(deadline: datetime | None, now: datetime) -> None:
    """Refuse a deadline that has passed already.

    Raises:
        ContestError: it lies before `now`.
    """
    if deadline is not None and deadline <= now:
        raise ContestError(f"a deadline lies ahead and {describe(deadline)} has passed; give a later one")


def check_open(deadline: datetime | None, now: datetime) -> None:
    """Refuse what arrives after the deadline; the deadline itself still counts.

    Raises:
        ContestClosed: `now` is later.
    """
    if deadline is not None and now > deadline:
        raise ContestClosed(f"the contest closed at {describe(deadline)} and it is {describe(now)}; ask its host for more time")


def describe(moment: datetime) -> str:
    """`2026-12-01 17:00 UTC`; with seconds where there are any."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%d %H:%M:%S} UTC" if utc.second else f"{utc:%Y-%m-%d %H:%M} UTC"
