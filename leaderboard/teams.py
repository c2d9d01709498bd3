"""Teams and their names: one name, however it is cased or spaced."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from leaderboard.errors import TeamError

_MAX_LENGTH = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Team:
    """Who takes part."""

    id: int
    name: str
    pseudonym: str | None  # shown to others in place of the name
    n_allowed: int  # attempts: three, and those that the host granted
    disqualified_at: datetime | None  # UTC; such a team has no rank and sends nothing
    created_at: datetime  # UTC

    @property
    def shown_as(self) -> str:
        return self.pseudonym or self.name


def tidy_name(text: str) -> str:
    """The name as it is kept: composed characters, single spaces, none at the ends.

    Raises:
        TeamError: the name is empty, long, or holds characters that do not print.
    """
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name or len(name) > _MAX_LENGTH or not name.isprintable():
        shown = repr(name if len(name) <= _MAX_LENGTH else name[:_MAX_LENGTH] + "…")
        raise TeamError(f"a team's name has 1 to {_MAX_LENGTH} printable characters, not {shown}; give another")
    return name


def name_key(text: str) -> str:
    """What two writings of one name have in common."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def unknown_team(text: str, names: Iterable[str]) -> TeamError:
    """The refusal of a name, with the nearest one of the contest."""
    by_key = {name_key(name): name for name in names}
    near = difflib.get_close_matches(name_key(text[:_MAX_LENGTH]), by_key, n=1)
    hint = f"did you mean {by_key[near[0]]!r}?" if near else "`arena contest team list` shows all, `team add` adds one"
    return TeamError(f"team {text[:_MAX_LENGTH]!r} is not in the contest; {hint}")
