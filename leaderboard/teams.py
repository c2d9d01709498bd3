"""Teams and their names: one name, however it is cased or spaced."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from arena.base.suggest import did_you_mean
from leaderboard.errors import NameRefused, TeamError
from leaderboard.messages import message

_MAX_LENGTH = 60  # characters of a name or a pseudonym
_BYTE_ORDER_MARK = "\ufeff"  # begins the first line of a list that a spreadsheet saved


@dataclass(frozen=True, kw_only=True, slots=True)
class Team:
    """A team of the contest."""

    id: int
    name: str
    pseudonym: str | None  # shown to others in place of the name
    n_allowed: int  # attempts: three, and those that the host granted
    deadline: datetime | None  # UTC, its own last moment, later than the contest's; None: the contest's
    is_baseline: bool  # the host's own: shown, without rank or bonus
    disqualified_at: datetime | None  # UTC; such a team has no rank and sends nothing
    created_at: datetime  # UTC

    @property
    def shown_as(self) -> str:
        return self.pseudonym or self.name


def tidy_name(text: str) -> str:
    """Return the name in its stored form: composed characters, single spaces, none at the ends.

    Raises:
        NameRefused: the name is empty, long, or holds characters that do not print.
    """
    name = " ".join(unicodedata.normalize("NFC", text.removeprefix(_BYTE_ORDER_MARK)).split())
    if not name or len(name) > _MAX_LENGTH or not name.isprintable():
        label = repr(name if len(name) <= _MAX_LENGTH else name[:_MAX_LENGTH] + "…")
        raise NameRefused(message("name_form", most=_MAX_LENGTH, name=label))
    return name


def name_key(text: str) -> str:
    """Return the key that all spellings of a name share: one case, one kind of space."""
    return " ".join(unicodedata.normalize("NFKC", text.removeprefix(_BYTE_ORDER_MARK)).casefold().split())


def reveals_name(pseudonym: str, name: str) -> bool:
    """Return True if a pseudonym reveals the name: it is the name, or contains it word for word."""
    return f" {name_key(name)} " in f" {name_key(pseudonym)} "


def build_unknown_team(text: str, names: Iterable[str]) -> TeamError:
    """Build the error for an unknown name, with the nearest name of the contest."""
    texts = {name_key(name): repr(name) for name in names}
    hint = did_you_mean(name_key(text[:_MAX_LENGTH]), texts, "`arena contest team list` shows all, `team add` adds one")
    return TeamError(f"team {text[:_MAX_LENGTH]!r} is not in the contest{hint}")
