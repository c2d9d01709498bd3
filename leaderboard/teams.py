"""Teams and their names: one name, however it is cased or spaced."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from arena.base.suggest import did_you_mean
from leaderboard.errors import NameRefused, TeamError
from leaderboard.messages import message

_MAX_LENGTH = 60  # characters of a name or a pseudonym
_MOST_MARKS = 2  # on a letter: Vietnamese has two
_SELECTOR = re.compile("[\ufe00-\ufe0f]")  # chooses a character's look, as of an emoji; the names with and without are one
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\U0001d159\U000e0100-\U000e01ef]")
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
        NameRefused: the name is empty, long, holds characters that do not print or are not seen, has no letter and no digit,
            or more than two marks on a letter.
    """
    name = " ".join(unicodedata.normalize("NFC", _SELECTOR.sub("", text.removeprefix(_BYTE_ORDER_MARK))).split())
    if not name or len(name) > _MAX_LENGTH or not name.isprintable() or not _is_readable(name):
        label = repr(name if len(name) <= _MAX_LENGTH else name[:_MAX_LENGTH] + "…")
        raise NameRefused(message("name_form", most=_MAX_LENGTH, name=label))
    return name


def _is_readable(name: str) -> bool:
    """Return True if the name has a letter or a digit, no invisible character and no pile of marks."""
    has_sign = any(unicodedata.category(character)[0] in "LN" for character in name)
    return has_sign and not _INVISIBLE.search(name) and not _has_pile(unicodedata.normalize("NFD", name))


def _has_pile(decomposed: str) -> bool:
    n_marks = _MOST_MARKS  # a mark has a letter before it
    for character in decomposed:
        is_mark = unicodedata.category(character) in ("Mn", "Me")
        n_marks = n_marks + 1 if is_mark else 0
        if n_marks > _MOST_MARKS:
            return True
    return False


def name_key(text: str) -> str:
    """Return the key that all spellings of a name share: one case, one kind of space."""
    return " ".join(unicodedata.normalize("NFKC", text.removeprefix(_BYTE_ORDER_MARK)).casefold().split())


def build_unknown_team(text: str, names: Iterable[str]) -> TeamError:
    """Build the error for an unknown name, with the nearest name of the contest."""
    texts = {name_key(name): repr(name) for name in names}
    hint = did_you_mean(name_key(text[:_MAX_LENGTH]), texts, "`arena contest team list` shows all, `team add` adds one")
    return TeamError(f"team {text[:_MAX_LENGTH]!r} is not in the contest{hint}")
