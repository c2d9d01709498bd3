"""Context of the host's pages: teams with their scores, private ones for those who may see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from leaderboard.standings import Part
from leaderboard.store import Contest


@dataclass(frozen=True, kw_only=True, slots=True)
class HostLine:
    """A team as the host sees it."""

    name: str
    pseudonym: str | None
    is_out: bool
    n_attempts: int
    n_allowed: int
    public: float | None
    private: float | None
    sent_at: datetime | None


def list_host_lines(contest: Contest, *, with_private: bool) -> list[HostLine]:
    """Return all teams, best public score first, those without a score last."""
    public = {line.team: line for line in contest.standings()}
    private = {line.team: line for line in contest.standings(Part.PRIVATE)} if with_private else {}
    lines = []
    for team in contest.teams():
        attempts, ranked = contest.attempts(team), public.get(team.name)
        lines.append(
            HostLine(
                name=team.name,
                pseudonym=team.pseudonym,
                is_out=team.disqualified_at is not None,
                n_attempts=len(attempts),
                n_allowed=team.n_allowed,
                public=None if ranked is None else ranked.score,
                private=private[team.name].score if team.name in private else None,
                sent_at=attempts[-1].arrived_at if attempts else None,
            )
        )
    order = {name: index for index, name in enumerate(public)}
    return sorted(lines, key=lambda line: order.get(line.name, len(order)))
