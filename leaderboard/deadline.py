"""Deadlines: parsed, checked and described. The deadline itself still counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from leaderboard.errors import ContestError
from leaderboard.messages import message

_EXAMPLE = "2026-12-01T18:00+01:00"


def parse_deadline(text: str) -> datetime:
    """Return the moment in UTC.

    Raises:
        ContestError: not ISO 8601, or without an offset.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ContestError(message("deadline_form", text=repr(text[:60]), example=_EXAMPLE)) from error
    if moment.tzinfo is None:
        raise ContestError(message("deadline_offset", text=repr(text[:60]), example=_EXAMPLE))
    return moment.astimezone(UTC)


def check_ahead(deadline: datetime | None, now: datetime) -> None:
    """Refuse a deadline that has passed already.

    Raises:
        ContestError: it lies before `now`.
    """
    if deadline is not None and deadline <= now:
        raise ContestError(message("deadline_passed", moment=describe(deadline)))


def format_utc(moment: datetime) -> str:
    """Return `2026-12-01 17:00`."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def format_local(moment: datetime, zone: tzinfo | None) -> str:
    """Return `2026-12-01 18:00 CET`; without a zone in this machine's."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def describe(moment: datetime) -> str:
    """Return `2026-12-01 17:00 UTC`, with seconds where there are any."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%d %H:%M:%S} UTC" if utc.second else f"{format_utc(moment)} UTC"


def describe_for_reader(moment: datetime, now: datetime) -> str:
    """Return `2026-12-01 17:00 UTC (18:00 CET here), in 3 h 12 min`, with local time where it is not UTC."""
    local, utc = moment.astimezone(), moment.astimezone(UTC)
    same_day = local.date() == utc.date()
    local_time = f"{local:%H:%M}" if same_day else f"{local:%Y-%m-%d %H:%M}"
    text = describe(moment) if local.utcoffset() == timedelta(0) else f"{describe(moment)} ({local_time} {local:%Z} here)"
    return f"{text}, {describe_distance(moment, now)}"


def describe_distance(moment: datetime, now: datetime) -> str:
    """Return `in 3 h 12 min`, `in 2 d 4 h`, `5 min ago`, `in 40 s` or `now`: the two largest units, rounded down."""
    distance_s = int(abs((moment - now).total_seconds()))
    if distance_s == 0:
        return "now"
    if distance_s < 60:
        text = f"{distance_s} s"
    else:
        minutes = distance_s // 60
        sizes = (("d", minutes // 1440), ("h", minutes // 60 % 24), ("min", minutes % 60))
        first = next(index for index, (_, n) in enumerate(sizes) if n)
        text = " ".join(f"{n} {unit}" for unit, n in sizes[first : first + 2] if n)
    return f"in {text}" if moment > now else f"{text} ago"
