"""Pages of handouts: printable A4, one a team and all in one file, with the address as a QR code."""

from __future__ import annotations

import shlex
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from arena.base.texts import Words
from leaderboard.classes.handouts import ALL_SHEETS, Handouts, HandoutSettings, SheetToken, write_private
from leaderboard.deadline import format_local, format_utc
from leaderboard.pages.render import render_fragment
from leaderboard.pages.texts import page_words
from leaderboard.rules import DetailsFrom, Rules

_QR_SCALE = 4
_COMMAND = ("arena", "submit", "submission.csv")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Page:
    """A team's sheet as the template places it."""

    team: str
    tokens: Sequence[SheetToken]
    last: str  # the last moment that counts, in both clocks; empty: none
    rules: Sequence[str]
    command: str  # sends a file for the team


def write_handout_pages(handouts: Handouts, settings: HandoutSettings) -> tuple[list[str], list[str]]:
    """Write the sheets; return the names of those written, and of those left as they are since a token is no longer known.

    Raises:
        ContestError: the folder cannot be written.
    """
    words = page_words(settings.language)
    pages, written, left, names = [], [], [], set[str]()
    for sheet in handouts.sheets:
        name = _name_file(sheet.team.name, names)
        last = handouts.rules.find_deadline(sheet.team.deadline)
        page = _Page(
            team=sheet.team.name,
            tokens=sheet.tokens,
            last="" if last is None else _in_both_clocks(last, settings),
            rules=_list_rules(words, handouts.rules, sheet.team.n_allowed),
            command=shlex.join([*_COMMAND, "--address", settings.address, "--team", sheet.team.name]),
        )
        pages.append(page)
        if not sheet.is_complete and (settings.folder / name).exists():
            left.append(name)  # it may hold the token that is no longer known
            continue
        write_private(settings.folder / name, _render(words, [page], handouts.rules, settings))
        written.append(name)
    if not left:
        write_private(settings.folder / ALL_SHEETS, _render(words, pages, handouts.rules, settings))
        written.append(ALL_SHEETS)
    return written, left


def _render(words: Words, pages: Sequence[_Page], rules: Rules, settings: HandoutSettings) -> bytes:
    values = {"contest": rules.name, "address": settings.address, "code": draw_code(settings.address), "utc": format_utc}
    values |= {"host_rules": (rules.overview or {}).get("rules", "")}
    return str(render_fragment("handout.html.j2", words, pages=pages, **values)).encode()


def draw_code(text: str) -> Markup:
    """Return a QR code as SVG, with its quiet zone."""
    import segno

    return Markup(segno.make(text, error="m", micro=False).svg_inline(scale=_QR_SCALE))


def _in_both_clocks(moment: datetime, settings: HandoutSettings) -> str:
    local, utc = format_local(moment, settings.zone), f"{format_utc(moment)} UTC"
    return utc if local == utc else f"{local} ({utc})"


def _list_rules(words: Words, rules: Rules, n_allowed: int) -> list[str]:
    lines = [words("sheet_attempts", n=n_allowed), words("sheet_free")]
    if rules.deadline is not None:
        lines.append(words("sheet_deadline"))
    details = "sheet_details_during" if rules.details is DetailsFrom.DURING else "sheet_details_close"
    lines.append(words("sheet_details_strings" if rules.has_strings else details))
    lines += [words("sheet_secret"), words("sheet_lost")]
    return lines


def _name_file(team: str, names: set[str]) -> str:
    """Return a file name that every system takes, none of `names` in any case, and add it."""
    plain = "".join(char if char.isalnum() or char in " -_" else "_" for char in unicodedata.normalize("NFC", team))
    stem = f"team {plain.strip()[:40]}".strip()
    name, number = f"{stem}.html", 1
    while name.casefold() in names:
        number += 1
        name = f"{stem} {number}.html"
    names.add(name.casefold())
    return name
