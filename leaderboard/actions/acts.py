"""Acts of hosts, one table for pages and API: the right that each asks for, the value that it takes, when it makes sense.

The rules of an act stand in the function that carries it out; commands call the same ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from threading import Lock

from leaderboard.actions import host
from leaderboard.actions.announcements import announce, withdraw_announcement
from leaderboard.actions.host import HostDecision
from leaderboard.database.rows import LogEntry
from leaderboard.deadline import parse_deadline
from leaderboard.errors import ActedMeanwhile, ContestError
from leaderboard.hosts import Right
from leaderboard.messages import message
from leaderboard.rules import Rules
from leaderboard.store import Contest
from leaderboard.teams import Team

_acting = Lock()  # a form that is sent twice at one moment acts once


class ActName(StrEnum):
    """Words of acts in paths."""

    EXTEND = "extend"
    CLOSE = "close"
    REOPEN = "reopen"
    ANNOUNCE = "announce"
    WITHDRAW = "withdraw"
    MORE_TIME = "more-time"
    COMMON_TIME = "common-time"
    GRANT = "grant"
    VOID = "void"
    DISQUALIFY = "disqualify"
    REINSTATE = "reinstate"
    RENAME = "rename"
    PSEUDONYM = "pseudonym"
    NEW_TOKEN = "new-token"
    REVOKE_TOKENS = "revoke-tokens"


class Value(StrEnum):
    """Kinds of the one value that an act takes beside its reason."""

    NONE = "none"
    MOMENT = "moment"
    COUNT = "count"
    ATTEMPT = "attempt"  # number of an attempt of the team
    ANNOUNCEMENT = "announcement"  # number of one
    NAME = "name"
    PSEUDONYM = "pseudonym"  # may be empty
    TEXT = "text"


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What a host asks for."""

    contest: Contest
    decision: HostDecision
    team: Team | None = None
    value: str = ""  # as it was written
    yes: bool = False  # close also while models were not run
    zone: tzinfo | None = None  # zone of a moment without an offset; None: this machine's


Run = Callable[[Order], str | None]  # returns what is shown once, if anything
Condition = Callable[[Rules, Team | None], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """One line of the table."""

    name: ActName
    action: str  # in the log
    run: Run
    is_of_team: bool = False
    right: Right = Right.DECIDE
    value: Value = Value.NONE
    is_offered: Condition = lambda rules, team: True


@dataclass(frozen=True, kw_only=True, slots=True)
class ActOutcome:
    """What became of an act."""

    secret: str | None = field(repr=False)  # a new token, which is shown once
    entry: LogEntry | None  # None: everything was so already


def find_last_entry(contest: Contest, team: Team | None) -> LogEntry | None:
    """Return the last line of the log on a team, or on all teams together."""
    team_id = None if team is None else team.id
    return next((entry for entry in reversed(contest.log()) if entry.team_id == team_id), None)


def perform(act: Act, order: Order, seen: int | None = None) -> ActOutcome:
    """Carry out an act.

    Args:
        seen: number of the last line of the log that whoever decides has seen, 0 for none; None: as it may be.

    Raises:
        ActedMeanwhile: there is another line since.
        LeaderboardError: the act's rule refuses it, or its value is none.
    """
    if act.is_of_team is (order.team is None):
        fault = "needs a team and names none" if act.is_of_team else "is for all teams and names one"
        raise ContestError(f"the act {act.name.value!r} {fault}; send `team` with acts on a team alone")
    with _acting:
        before = find_last_entry(order.contest, order.team)
        if seen is not None and seen != (0 if before is None else before.id):
            raise ActedMeanwhile("something was done since you looked; read what holds now and decide again")
        secret = act.run(order)
        after = find_last_entry(order.contest, order.team)
    return ActOutcome(secret=secret, entry=None if after == before else after)


def _read_number(order: Order) -> int:
    text = order.value.strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise ContestError(message("act_number", text=repr(text[:40])))
    return int(text)


def _read_moment(order: Order) -> datetime:
    """Return the moment; one without an offset, as browsers write it, is in the host's zone.

    Raises:
        ContestError: no moment, or one that the change of the clocks has twice or never.
    """
    try:
        moment = datetime.fromisoformat(order.value.strip())
    except ValueError:
        return parse_deadline(order.value)
    if moment.tzinfo is not None:
        return parse_deadline(order.value)
    first, second = (
        (local.replace(tzinfo=order.zone) if order.zone else local).astimezone(UTC)
        for local in (moment, moment.replace(fold=1))
    )
    if first != second:
        raise ContestError(message("act_clocks", moment=f"{moment:%Y-%m-%d %H:%M}"))
    return first


def _team(order: Order) -> Team:
    assert order.team is not None, "checked in perform"
    return order.team


def _extend(order: Order) -> None:
    host.extend_deadline(order.contest, _read_moment(order), order.decision)


def _close(order: Order) -> None:
    host.close_contest(order.contest, order.decision, yes=order.yes)


def _reopen(order: Order) -> None:
    host.reopen_contest(order.contest, order.decision)


def _announce(order: Order) -> None:
    announce(order.contest, order.value, order.decision)


def _withdraw(order: Order) -> None:
    withdraw_announcement(order.contest, _read_number(order), order.decision)


def _give_time(order: Order) -> None:
    host.extend_team(order.contest, _team(order), _read_moment(order), order.decision)


def _take_time(order: Order) -> None:
    host.extend_team(order.contest, _team(order), None, order.decision)


def _grant(order: Order) -> None:
    host.grant_attempts(order.contest, _team(order), _read_number(order), order.decision)


def _void(order: Order) -> None:
    host.void_attempt(order.contest, _team(order), _read_number(order), order.decision)


def _disqualify(order: Order) -> None:
    host.disqualify(order.contest, _team(order), order.decision)


def _reinstate(order: Order) -> None:
    host.reinstate(order.contest, _team(order), order.decision)


def _rename(order: Order) -> None:
    host.rename(order.contest, _team(order), order.value, order.decision)


def _set_pseudonym(order: Order) -> None:
    host.assign_pseudonym(order.contest, _team(order), order.value if order.value.strip() else None, order.decision)


def _give_token(order: Order) -> str:
    return host.give_token(order.contest, _team(order), order.decision)


def _revoke_tokens(order: Order) -> None:
    host.revoke_tokens(order.contest, _team(order), order.decision)


def _is_out(rules: Rules, team: Team | None) -> bool:
    return team is not None and team.disqualified_at is not None


_LINES: tuple[Act, ...] = (
    Act(
        name=ActName.EXTEND,
        action="extend",
        run=_extend,
        value=Value.MOMENT,
        is_offered=lambda rules, _: rules.deadline is not None and not rules.is_closed,
    ),
    Act(name=ActName.CLOSE, action="close", run=_close, is_offered=lambda rules, _: not rules.is_closed),
    Act(name=ActName.REOPEN, action="reopen", run=_reopen, is_offered=lambda rules, _: rules.is_closed),
    Act(name=ActName.ANNOUNCE, action="announce", run=_announce, right=Right.ANNOUNCE, value=Value.TEXT),
    Act(
        name=ActName.WITHDRAW,
        action="withdraw",
        run=_withdraw,
        right=Right.ANNOUNCE,
        value=Value.ANNOUNCEMENT,
        is_offered=lambda rules, _: False,  # beside each announcement
    ),
    Act(
        name=ActName.MORE_TIME,
        action="extend",
        run=_give_time,
        is_of_team=True,
        value=Value.MOMENT,
        is_offered=lambda rules, _: rules.deadline is not None and not rules.is_closed,
    ),
    Act(
        name=ActName.COMMON_TIME,
        action="extend",
        run=_take_time,
        is_of_team=True,
        is_offered=lambda _, team: team is not None and team.deadline is not None,
    ),
    Act(name=ActName.GRANT, action="grant", run=_grant, is_of_team=True, value=Value.COUNT),
    Act(
        name=ActName.VOID,
        action="void",
        run=_void,
        is_of_team=True,
        value=Value.ATTEMPT,
        is_offered=lambda rules, _: False,  # beside each attempt
    ),
    Act(name=ActName.RENAME, action="rename", run=_rename, is_of_team=True, value=Value.NAME),
    Act(name=ActName.PSEUDONYM, action="pseudonym", run=_set_pseudonym, is_of_team=True, value=Value.PSEUDONYM),
    Act(name=ActName.NEW_TOKEN, action="token new", run=_give_token, is_of_team=True),
    Act(name=ActName.REVOKE_TOKENS, action="token revoke", run=_revoke_tokens, is_of_team=True),
    Act(
        name=ActName.DISQUALIFY,
        action="disqualify",
        run=_disqualify,
        is_of_team=True,
        is_offered=lambda rules, team: not _is_out(rules, team),
    ),
    Act(name=ActName.REINSTATE, action="reinstate", run=_reinstate, is_of_team=True, is_offered=_is_out),
)
ACTS = {act.name: act for act in _LINES}
