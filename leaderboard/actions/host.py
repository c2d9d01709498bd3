"""Actions of the host while a contest runs. Each has a reason and is written to a log that the database lets only grow."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from leaderboard.contest import team_names, tokens
from leaderboard.contest.ladder import update_shown_numbers
from leaderboard.contest.ranking import find_counting_models
from leaderboard.contest.team_names import NameRequest, rename_team, set_pseudonym
from leaderboard.database import schema
from leaderboard.database.rows import read_rules, read_team, read_team_by_id, read_teams, write_log
from leaderboard.deadline import check_ahead, describe
from leaderboard.errors import ContestError, ModelsNotRun, TeamError
from leaderboard.messages import message
from leaderboard.rules import RankBy
from leaderboard.standings import AttemptModel
from leaderboard.store import Contest
from leaderboard.teams import Team

HOST = "host"
_MAX_REASON = 500  # characters
_MAX_NAMES = 5  # teams that one message names
MAX_GRANTED = 100  # attempts in one action: more is a typing error


@dataclass(frozen=True, kw_only=True, slots=True)
class HostDecision:
    """Reason and moment of an action of the host."""

    reason: str
    decided_at: datetime  # UTC
    actor: str = HOST  # who decides: the host, or an assistant by name

    def __post_init__(self) -> None:
        if not self.reason.strip() or len(self.reason) > _MAX_REASON:
            size = "none" if not self.reason.strip() else f"{len(self.reason)}"
            raise ContestError(
                f"every act of a host has a reason of 1 to {_MAX_REASON} characters and this has {size}; give it with --reason"
            )
        check_characters(self.reason)


def check_characters(text: str) -> None:
    """Refuse control characters but blanks, which steer a terminal, and halves of characters, which no database stores.

    Raises:
        ContestError: the text has one.
    """
    odd = next((char for char in text if unicodedata.category(char) in ("Cc", "Cs") and not char.isspace()), None)
    if odd is not None:
        raise ContestError(f"a text has characters that can be read and this has {odd!r}; write it without")


def log_action(
    connection: Connection,
    action: str,
    decision: HostDecision,
    details: dict[str, Any],
    team: Team | None = None,
    *,
    n_granted: int | None = None,
) -> None:
    """Append an action to the log, in the transaction that carries it out: first, where the database asks for its line.

    Args:
        n_granted: attempts that the line gives the team; teams have those that the log gives them, and no others.
    """
    entry = {"action": action, "reason": " ".join(decision.reason.split()), "details": details, "actor": decision.actor}
    subject = {"team": None if team is None else team.name, "team_id": None if team is None else team.id}
    write_log(connection, entry | subject | {"n_granted": n_granted, "done_at": decision.decided_at})


def extend_deadline(contest: Contest, deadline: datetime, decision: HostDecision) -> None:
    """Move the deadline to a later moment.

    Raises:
        ContestError: the contest has no deadline, or the new one has passed or is not later.
    """
    check_ahead(deadline, decision.decided_at)
    with contest.database.write() as connection:
        before = read_rules(connection).deadline
        if before is None:
            raise ContestError(message("act_no_deadline"))
        if deadline <= before:
            raise ContestError(message("act_shortened", after=describe(deadline), before=describe(before)))
        connection.execute(update(schema.contest).values(deadline=deadline))
        log_action(connection, "extend", decision, {"before": before.isoformat(), "after": deadline.isoformat()})


def close_contest(contest: Contest, decision: HostDecision, *, yes: bool = False) -> None:
    """End the contest: no submission counts any more, and private or hidden scores decide and become public.

    Args:
        yes: also while models that hidden scores are of were not run.

    Raises:
        ContestError: it is closed already, or a team still has time of its own.
        ModelsNotRun: it ranks by hidden scores, and models beside attempts that count were not run, or nobody sent one.
    """
    with contest.database.write() as connection:
        rules = read_rules(connection)
        before = rules.closed_at
        if before is not None:
            raise ContestError(message("act_closed_already", moment=describe(before)))
        for team in read_teams(connection):
            if team.deadline is not None and team.deadline > decision.decided_at:
                raise ContestError(message("act_team_has_time", team=repr(team.name), moment=describe(team.deadline)))
        if rules.rank_by is RankBy.HIDDEN and rules.hidden_digest is not None and not yes:
            _check_models_run(find_counting_models(connection, contest.cache, rules))
        connection.execute(update(schema.contest).values(closed_at=decision.decided_at))
        log_action(connection, "close", decision, {})


def _check_models_run(models: Mapping[str, AttemptModel | None]) -> None:
    if models and not any(models.values()):
        raise ModelsNotRun(message("models_none"))
    n_waiting = sum(model is not None and model.waits_for_hidden for model in models.values())
    if not n_waiting:
        return
    without = [team for team, model in models.items() if model is None]
    names = ", ".join(without[:_MAX_NAMES]) + (", …" if len(without) > _MAX_NAMES else "")
    others = message("no_model_sent", teams=names) if without else ""
    raise ModelsNotRun(message("models_not_run", n=n_waiting, others=others))


def reopen_contest(contest: Contest, decision: HostDecision) -> None:
    """Accept submissions again until the deadline; private scores are hidden again, though they were seen.

    Raises:
        ContestError: it is not closed.
    """
    with contest.database.write() as connection:
        before = read_rules(connection).closed_at
        if before is None:
            raise ContestError(message("act_not_closed"))
        connection.execute(update(schema.contest).values(closed_at=None))
        log_action(connection, "reopen", decision, {"closed_at": before.isoformat()})


def grant_attempts(contest: Contest, team: Team, n: int, decision: HostDecision) -> Team:
    """Grant the team `n` more attempts and return it.

    Raises:
        ContestError: `n` is not 1 to 100.
    """
    if not 1 <= n <= MAX_GRANTED:
        raise ContestError(message("act_granted", most=MAX_GRANTED, n=n))
    with contest.database.write() as connection:
        before = _lock_team(connection, team).n_allowed
        log_action(connection, "grant", decision, {"before": before, "after": before + n}, team, n_granted=n)
    return contest.team(team.name)


def void_attempt(contest: Contest, team: Team, number: int, decision: HostDecision) -> Team:
    """Take a wrong upload out of the ranking, grant one attempt in its place, and return the team.

    The attempt stays stored under its number: its team has seen its score.

    Raises:
        TeamError: there is no such attempt, or it is voided.
    """
    columns = schema.attempts.c
    of_number = (columns.team_id == team.id) & (columns.number == number)
    with contest.database.write() as connection:
        before = _lock_team(connection, team).n_allowed
        row = connection.execute(select(columns.file_name, columns.voided_at).where(of_number)).one_or_none()
        if row is None:
            raise TeamError(message("act_no_attempt", team=repr(team.name), number=number))
        if row.voided_at is not None:
            raise TeamError(message("act_voided_already", team=repr(team.name), number=number))
        details = {"number": number, "file": row.file_name, "before": before, "after": before + 1}
        log_action(connection, "void", decision, details, team, n_granted=1)
        connection.execute(update(schema.attempts).where(of_number).values(voided_at=decision.decided_at))
        rules = read_rules(connection)
        if rules.is_ladder:
            solution = contest.cache.solution(connection, rules.solution_digest)
            update_shown_numbers(connection, contest.cache, solution, team.id)
    return contest.team(team.name)


def extend_team(contest: Contest, team: Team, deadline: datetime | None, decision: HostDecision) -> Team:
    """Give one team a later deadline of its own, or take it back for None; return the team.

    Raises:
        ContestError: the contest has no deadline, or the new one has passed or is not later.
    """
    check_ahead(deadline, decision.decided_at)
    with contest.database.write() as connection:
        before, common = _lock_team(connection, team).deadline, read_rules(connection).deadline
        if deadline is None and before is None:
            raise TeamError(message("act_no_own_deadline", team=repr(team.name)))
        if deadline is not None and common is None:
            raise ContestError(message("act_no_common"))
        if deadline is not None and common is not None and deadline <= common:
            raise ContestError(message("act_not_later", after=describe(deadline), before=describe(common)))
        _update_team(connection, team, deadline=deadline)
        moments = [None if moment is None else moment.isoformat() for moment in (before, deadline)]
        log_action(connection, "extend", decision, {"before": moments[0], "after": moments[1]}, team)
    return contest.team(team.name)


def disqualify(contest: Contest, team: Team, decision: HostDecision) -> None:
    """Remove a team from the ranking; it can submit nothing more, its attempts stay stored.

    Raises:
        TeamError: it is disqualified already.
    """
    with contest.database.write() as connection:
        if _lock_team(connection, team).disqualified_at is not None:
            raise TeamError(message("act_out_already", team=repr(team.name)))
        _update_team(connection, team, disqualified_at=decision.decided_at)
        log_action(connection, "disqualify", decision, {}, team)


def reinstate(contest: Contest, team: Team, decision: HostDecision) -> None:
    """Return a disqualified team to the ranking, with its attempts.

    Raises:
        TeamError: it is not disqualified.
    """
    with contest.database.write() as connection:
        if _lock_team(connection, team).disqualified_at is None:
            raise TeamError(message("act_not_out", team=repr(team.name)))
        _update_team(connection, team, disqualified_at=None)
        log_action(connection, "reinstate", decision, {}, team)


def add_team(contest: Contest, name: str, decision: HostDecision, *, is_baseline: bool = False) -> Team:
    """Add a team, or a baseline of the host, and return it.

    Raises:
        NameRefused: the name cannot be given, or another team has it.
    """
    with contest.database.write() as connection:
        tidy = team_names.insert_team(connection, name, decision.decided_at, is_baseline=is_baseline)
        team = read_team(connection, tidy)
        log_action(connection, "team add", decision, {"is_baseline": is_baseline}, team)
    return team


def rename(contest: Contest, team: Team, name: str, decision: HostDecision) -> Team:
    """Rename the team and return it.

    Raises:
        NameRefused: the name cannot be given, or another team has it.
    """
    with contest.database.write() as connection:
        tidy = rename_team(connection, team, name, decision.decided_at)
        log_action(connection, "rename", decision, {"before": team.name, "after": tidy}, team)
    return contest.team(tidy)


def assign_pseudonym(contest: Contest, team: Team, pseudonym: str | None, decision: HostDecision) -> Team:
    """Show the team under `pseudonym`, or under its name again for None, without a limit of changes; return it.

    Raises:
        NameRefused: it cannot be given, tells the team's name, or is a name or pseudonym of another team.
    """
    with contest.database.write() as connection:
        asked = NameRequest(reason=" ".join(decision.reason.split()), actor=decision.actor, asked_at=decision.decided_at)
        set_pseudonym(connection, team, pseudonym, asked)
    return contest.team(team.name)


def give_token(contest: Contest, team: Team, decision: HostDecision) -> str:
    """Create a token of the team, to be shown once; the log records that, never the token."""
    with contest.database.write() as connection:
        token = tokens.new_token(connection, team.id, decision.decided_at)
        log_action(connection, "token new", decision, {}, team)
    return token


def revoke_tokens(contest: Contest, team: Team, decision: HostDecision) -> int:
    """Revoke the team's tokens and return how many were valid."""
    with contest.database.write() as connection:
        n = tokens.mark_tokens_revoked(connection, team.id, decision.decided_at)
        log_action(connection, "token revoke", decision, {"n_revoked": n}, team)
    return n


def _lock_team(connection: Connection, team: Team) -> Team:
    """Lock the team's row until this transaction ends and return the team as it is now."""
    connection.execute(schema.teams.select().where(schema.teams.c.id == team.id).with_for_update())
    current = read_team_by_id(connection, team.id)
    if current is None:
        raise TeamError(f"team {team.name!r} went into another team; act on that one")
    return current


def _update_team(connection: Connection, team: Team, **values: Any) -> None:
    connection.execute(update(schema.teams).where(schema.teams.c.id == team.id).values(values))
