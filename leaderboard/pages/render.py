"""Rendering of templates, and the frame of every page: texts, menu, clock, CSRF token of its forms."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from arena.base.texts import ENGLISH, Words
from leaderboard.deadline import format_local, format_utc
from leaderboard.errors import FileError, LeaderboardError
from leaderboard.pages.markdown import render_markdown
from leaderboard.rules import STRING_METRICS

_HERE = Path(__file__).parent
STATIC = _HERE / "static"


@dataclass(frozen=True, kw_only=True, slots=True)
class PageFrame:
    """Context that every page of the contest shares."""

    words: Words
    contest: str
    metric: str  # macro-F1, or the name of the host's own metric
    now: datetime  # UTC
    deadline: datetime | None  # UTC
    has_own_deadline: bool = False  # it is that of the reader's team, which the host gave more time
    is_closed: bool
    zone: tzinfo | None  # the host's time zone; None: this machine's
    files: str = "static"  # folder of the style sheet
    root: str = ""  # path of the contest behind its proxy
    path: str = ""  # path of this page, below the root
    menu: Sequence[tuple[str, str]] = ()  # key of the label, path
    languages: Sequence[tuple[str, str, str]] = ()  # other languages: code, name, link
    signed_in: bool = False
    csrf: str = ""
    megabytes: str = ""  # limit of a submission
    most_bytes: int = 0  # the same limit
    model_megabytes: str = ""
    most_model_bytes: int = 0
    layout: str = "base.html.j2"

    @property
    def has_strings(self) -> bool:
        """Return whether answers are strings, which take no models and have no matrix."""
        return self.metric in STRING_METRICS.values()

    @property
    def stamp(self) -> str:
        return f"?v={_stamp()}" if self.layout == "base.html.j2" else ""

    def at_host(self, moment: datetime) -> str:
        """Return the host's local time: `2026-12-01 18:00 CET`."""
        return format_local(moment, self.zone)

    def until(self, moment: datetime) -> str:
        """Return the distance from now: `in 3 h 12 min`, or `2 d 3 h ago`."""
        seconds = (moment - self.now).total_seconds()
        return self.words("in" if seconds >= 0 else "ago", span=format_span(self.words, abs(seconds)))


@dataclass(frozen=True, kw_only=True, slots=True)
class PageProblem:
    """A refusal as a page shows it."""

    title: str
    detail: str = ""
    detail_language: str = ENGLISH
    others: Sequence[str] = ()  # further faults, in the language of the detail


def describe_problem(title: str, error: LeaderboardError, words: Words) -> PageProblem:
    """Return the problem with the error in the reader's language; errors of a host's own metric have one language only."""
    detail = error.translate(words.language)
    others = [fault.translate(words.language) for fault in error.others] if isinstance(error, FileError) else []
    return PageProblem(
        title=title, detail=detail, detail_language=words.language if detail != str(error) else ENGLISH, others=others
    )


def format_span(words: Words, seconds: float) -> str:
    """Return `2 d 3 h`, `3 h 12 min` or `12 min`: days leave out the minutes."""
    minutes = int(seconds // 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [words("days", n=days)] if days else []
    parts += [words("hours", n=hours)] if days or hours else []
    parts += [] if days else [words("minutes", n=rest)]
    return " ".join(parts)


def render_page(template: str, frame: PageFrame, **values: Any) -> str:
    """Return a page as HTML."""
    page = _environment().get_template(template)
    return page.render(frame=frame, t=frame.words, **values)


def render_fragment(template: str, words: Words, **values: Any) -> Markup:
    """Return a part of a page as HTML."""
    return Markup(_environment().get_template(template).render(t=words, **values))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {"score": format_score, "short": "{:.2f}".format, "utc": format_utc, "markdown": render_markdown}
    return environment


@cache
def _stamp() -> str:
    content = b"".join(path.read_bytes() for path in sorted(STATIC.iterdir()))
    return hashlib.sha256(content).hexdigest()[:12]


def format_score(value: float, digits: int = 4) -> str:
    return f"{value:.{digits}f}"


def join_names(words: Words, names: Sequence[str], n_shown: int = 3) -> str:
    """Return `Ann, Bob and 3 more`: at most `n_shown` of the names."""
    if len(names) > n_shown:
        return f"{', '.join(names[:n_shown])} {words('and_more', n=len(names) - n_shown)}"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {words('and')} {names[-1]}"
