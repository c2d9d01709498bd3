"""Hosts of a contest and their roles. What each role may do stands in one table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from leaderboard.errors import RightMissing
from leaderboard.messages import message


class Role(StrEnum):
    """What somebody is to the contest, beside the teams."""

    HOST = "host"
    ASSISTANT = "assistant"  # helps in class: looks, announces and downloads, decides nothing


class Right(StrEnum):
    """What a page, a route or an act asks for."""

    VIEW = "view"  # teams, attempts and notes, public scores, the log
    VIEW_PRIVATE = "view_private"  # private and hidden scores, e-mail addresses, grades, answers alike
    DOWNLOAD = "download"  # submissions and models
    ANNOUNCE = "announce"
    DECIDE = "decide"  # every other act: dates, attempts, teams, tokens, closing


RIGHTS = {
    Role.HOST: frozenset(Right),
    Role.ASSISTANT: frozenset({Right.VIEW, Right.DOWNLOAD, Right.ANNOUNCE}),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """A person who signed in with a host's token."""

    name: str  # in the log
    role: Role

    def may(self, right: Right) -> bool:
        return right in RIGHTS[self.role]

    def check_may(self, right: Right) -> None:
        """Refuse what the role does not allow.

        Raises:
            RightMissing: always of the same form, whatever was asked.
        """
        if not self.may(right):
            raise RightMissing(message("right_missing", name=repr(self.name)))
