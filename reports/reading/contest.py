"""The contest as facts: its standings as everybody may see them, or the host's."""

from __future__ import annotations

import dataclasses

from leaderboard.errors import LeaderboardError
from leaderboard.standings import Standing
from reports.errors import SourceError
from reports.facts.contest import ContestFacts


def read_contest(contest: str, *, private: bool = False) -> ContestFacts:
    """Read the standings of a contest, a file or a database's address: what everybody may see now, or the host's private ones.

    Raises:
        SourceError: there is no such contest, or it has no private part.
    """
    from leaderboard.standings import Part
    from leaderboard.store import open_contest

    try:
        with open_contest(contest) as board:
            public = board.board()
            lines = board.standings(Part.PRIVATE) if private else public.lines
            return ContestFacts(
                name=board.name,
                deadline=board.deadline,
                standings=tuple(lines if private else map(_hide_team, lines)),
                n_waiting=len(board.teams()) - len(lines),
                is_private=private and not public.is_final,
                is_final=public.is_final,
            )
    except LeaderboardError as error:
        raise SourceError(str(error)) from error


def _hide_team(standing: Standing) -> Standing:
    """Return the standing under the team's pseudonym, if it has one, and without files, whose names may say more."""
    attempts = tuple(dataclasses.replace(attempt, file_name="", model=None) for attempt in standing.attempts)
    return dataclasses.replace(standing, team=standing.shown_as, model=None, attempts=attempts)
