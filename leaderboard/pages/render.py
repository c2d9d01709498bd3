"""Templates and what every page has: words, menu, clock, the token of its forms."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from arena.base.texts import ENGLISH, Words
from leaderboard.errors import FileError, LeaderboardError

_HERE = Path(__file__).parent
STATIC = _HERE / "static"


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """What stands around every page."""

    words: Words
    contest: str
    metric: str  # macro-F1, or the name of the host's own
    now: datetime  # UTC
    deadline: datetime | None  # UTC
    is_closed: bool
    zone: tzinfo | None  # of the host; None: this machine's
    files: str = "static"  # where the style sheet lies
    root: str = ""  # path of the board behind its proxy
    here: str = ""  # path of this page
    menu: Sequence[tuple[str, str]] = ()  # key of its text, path
    languages: Sequence[tuple[str, str, str]] = ()  # the others: code, name, link
    signed_in: bool = False
    csrf: str = ""
    megabytes: str = ""  # of a submission at most
    most_bytes: int = 0  # the same
    model_megabytes: str = ""
    most_model_bytes: int = 0
    layout: str = "base.html.j2"

    @property
    def stamp(self) -> str:
        return f"?v={_stamp()}" if self.layout == "base.html.j2" else ""

    def at_host(self, moment: datetime) -> str:
        """`2026-12-01 18:00 CET`: the clock on the host's wall."""
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M %Z}"

    def until(self, moment: datetime) -> str:
        """`in 3 h 12 min`, or `2 d 3 h ago`."""
        seconds = (moment - self.now).total_seconds()
        return self.words("in" if seconds >= 0 else "ago", span=span(self.words, abs(seconds)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """What did not work."""

    what: str
    detail: str = ""
    detail_language: str = ENGLISH
    others: Sequence[str] = ()  # in the language of the detail


def problem(what: str, error: LeaderboardError, words: Words) -> Problem:
    """What did not work, with the error in the reader's language where it has one: a host's own metric speaks for itself."""
    detail = error.translate(words.language)
    others = [fault.translate(words.language) for fault in error.others] if isinstance(error, FileError) else []
    return Problem(what=what, detail=detail, detail_language=words.language if detail != str(error) else ENGLISH, others=others)


def span(words: Words, seconds: float) -> str:
    """`2 d 3 h`, `3 h 12 min` or `12 min`: days leave out the minutes."""
    minutes = int(seconds // 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [words("days", n=days)] if days else []
    parts += [words("hours", n=hours)] if days or hours else []
    parts += [] if days else [words("minutes", n=rest)]
    return " ".join(parts)


def render(template: str, frame: Frame, **values: Any) -> str:
    """A page."""
    page = _environment().get_template(template)
    return page.render(frame=frame, t=frame.words, **values)


def fragment(template: str, words: Words, **values: Any) -> Markup:
    """A part of a page."""
    return Markup(_environment().get_template(template).render(t=words, **values))


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {"score": "{:.4f}".format, "short": "{:.2f}".format, "utc": utc}
    return made


@cache
def _stamp() -> str:
    content = b"".join(path.read_bytes() for path in sorted(STATIC.iterdir()))
    return hashlib.sha256(content).hexdigest()[:12]


def utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}"


def listed(words: Words, names: Sequence[str], n_shown: int = 3) -> str:
    """`Ann, Bob and 3 more`."""
    if len(names) > n_shown:
        return f"{', '.join(names[:n_shown])} {words('and_more', n=len(names) - n_shown)}"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {words('and')} {names[-1]}"
