"""Context of the host's pages: teams, one team with its attempts and members, and the form of an act.

Private scores and e-mail addresses are read only for those who may see them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from leaderboard.actions.acts import ACTS, Act, ActName, Value
from leaderboard.database import schema
from leaderboard.database.rows import LogEntry
from leaderboard.hosts import Host, Right
from leaderboard.rules import Rules
from leaderboard.standings import Attempt, Part
from leaderboard.store import Contest
from leaderboard.teams import Team


@dataclass(frozen=True, kw_only=True, slots=True)
class HostLine:
    """A team as the host sees it."""

    id: int
    name: str
    pseudonym: str | None
    is_out: bool
    is_baseline: bool
    n_attempts: int
    n_allowed: int
    public: float | None
    private: float | None
    hidden: float | None  # macro-F1 of the model beside the attempt that counts, on recordings that nobody was given
    sent_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class HostAttempt:
    """An attempt as the host sees it."""

    attempt: Attempt  # with the public score
    private: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class HostTeam:
    """A team with everything that the host may see of it."""

    team: Team
    attempts: Sequence[HostAttempt]
    members: Sequence[tuple[str, str | None]]  # name and e-mail address
    n_tokens: int  # valid ones


@dataclass(frozen=True, kw_only=True, slots=True)
class ActTexts:
    """Keys of the texts of an act."""

    title: str
    effect: str
    value: str  # empty where the act takes none


def _name_texts(act: Act) -> ActTexts:
    title = f"act_{act.name.replace('-', '_')}"
    return ActTexts(title=title, effect=f"{title}_effect", value="" if act.value is Value.NONE else f"value_{act.value}")


TEXTS = {name: _name_texts(act) for name, act in ACTS.items()}


def list_host_lines(contest: Contest, host: Host) -> list[HostLine]:
    """Return all teams, best public score first, those without a score last; private and hidden scores for a host alone."""
    may_see = host.may(Right.VIEW_PRIVATE)
    public = {line.team: line for line in contest.standings()}
    private = {line.team: line for line in contest.standings(Part.PRIVATE)} if may_see and contest.solution.has_private else {}
    lines = []
    for team in contest.teams():
        attempts, ranked = contest.attempts(team), public.get(team.name)
        model = ranked.model if ranked and may_see else None
        lines.append(
            HostLine(
                id=team.id,
                name=team.name,
                pseudonym=team.pseudonym,
                is_out=team.disqualified_at is not None,
                is_baseline=team.is_baseline,
                n_attempts=len(attempts),
                n_allowed=team.n_allowed,
                public=None if ranked is None else ranked.score,
                private=private[team.name].score if team.name in private else None,
                hidden=None if model is None else model.hidden_score,
                sent_at=attempts[-1].arrived_at if attempts else None,
            )
        )
    order = {name: index for index, name in enumerate(public)}
    return sorted(lines, key=lambda line: order.get(line.name, len(order)))


def read_host_team(contest: Contest, team: Team, *, with_private: bool, with_emails: bool) -> HostTeam:
    """Return a team with its attempts, first to last, and its members."""
    members, tokens = schema.members.c, schema.tokens.c
    with contest.database.read() as connection:
        public = contest.cache.attempts(connection, Part.PUBLIC).get(team.id, ())
        private = contest.cache.attempts(connection, Part.PRIVATE).get(team.id, ()) if with_private else ()
        people = connection.execute(select(members.name, members.email).where(members.team_id == team.id).order_by(members.id))
        n_tokens = select(func.count()).where(tokens.team_id == team.id, tokens.revoked_at.is_(None))
        final = {attempt.number: attempt.score for attempt in private}
        return HostTeam(
            team=team,
            attempts=[HostAttempt(attempt=attempt, private=final.get(attempt.number)) for attempt in public],
            members=[(row.name, row.email if with_emails else None) for row in people],
            n_tokens=int(connection.scalar(n_tokens) or 0),
        )


def list_acts(host: Host, rules: Rules, team: Team | None) -> list[tuple[Act, str]]:
    """Return the acts that make sense now and that the host's role allows, with the keys of their titles."""
    return [
        (act, TEXTS[act.name].title)
        for act in ACTS.values()
        if act.is_of_team is (team is not None) and host.may(act.right) and act.is_offered(rules, team)
    ]


def find_title(entry: LogEntry) -> str | None:
    """Return the key of the title of the act that a line of the log is of; None for one that no page does."""
    is_of_team = entry.team_id is not None
    if entry.action == "extend" and entry.details["after"] is None:
        return TEXTS[ActName.COMMON_TIME].title
    return next(
        (TEXTS[act.name].title for act in ACTS.values() if (act.action, act.is_of_team) == (entry.action, is_of_team)), None
    )
