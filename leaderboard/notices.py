"""Notices to the webhook: a thread of the service reads what is new in the database and tells of it.

Submissions neither wait for it nor fail with it, and what commands do beside the service is told too. Told are public facts
alone: attempts by the name that others see and their public score, the first place, and what the host does to all teams.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, func, select

from arena.base.texts import Message
from leaderboard.contest import ranking
from leaderboard.contest.disclosure import choose_digits, disclose_attempt
from leaderboard.database import schema
from leaderboard.database.rows import read_log, read_revision, read_rules, read_teams
from leaderboard.deadline import describe
from leaderboard.errors import LeaderboardError
from leaderboard.messages import message
from leaderboard.rules import Rules
from leaderboard.standings import Part
from leaderboard.store import Contest
from leaderboard.webhook import NotDelivered, parse_webhook, send_text

_INTERVAL_S = 2.0
_WAITS_S = (1.0, 4.0)  # before the second and the third try
_MOST_LINES = 10  # events of a message; the rest is counted
_log = logging.getLogger("uvicorn.error")


@dataclass(frozen=True, kw_only=True, slots=True)
class Notice:
    """One event, as a sentence and as facts for programs."""

    sentence: Message
    facts: Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """What was told: the last attempt and line of the log, and who was first."""

    revision: str
    attempt: int
    entry: int
    leaders: tuple[str, ...]


def read_position(contest: Contest) -> Position:
    """Return the position after everything that is stored."""
    with contest.database.read() as connection:
        return _read_position(contest, connection)


def collect_notices(contest: Contest, since: Position) -> tuple[Position, list[Notice]]:
    """Return the events after a position, and the position after them."""
    with contest.database.read() as connection:
        if read_revision(connection) == since.revision:
            return since, []
        now, rules = _read_position(contest, connection), read_rules(connection)
        notices = [*_list_attempts(contest, connection, rules, since, now), *_list_acts(connection, rules, since)]
        if now.leaders != since.leaders and now.leaders and not rules.is_closed:
            facts = {"event": "first", "teams": list(now.leaders)}
            notices.append(Notice(sentence=message("notice_first", teams=", ".join(now.leaders)), facts=facts))
    return now, notices


def _read_position(contest: Contest, connection: Connection) -> Position:
    attempt, entry = (int(connection.scalar(select(func.max(t.c.id))) or 0) for t in (schema.attempts, schema.host_log))
    lines = ranking.read_standings(connection, contest.cache, Part.PUBLIC)
    leaders = tuple(line.shown_as for line in lines if line.rank == 1)
    return Position(revision=read_revision(connection), attempt=attempt, entry=entry, leaders=leaders)


def _list_attempts(contest: Contest, connection: Connection, rules: Rules, since: Position, now: Position) -> Sequence[Notice]:
    columns = schema.attempts.c
    query = select(columns.team_id, columns.number).where(columns.id > since.attempt, columns.id <= now.attempt)
    teams = {team.id: team for team in read_teams(connection)}
    notices = []
    for row in connection.execute(query.order_by(columns.id)):
        attempts = contest.cache.attempts(connection, Part.PUBLIC).get(row.team_id, ())
        attempt = next((attempt for attempt in attempts if attempt.number == row.number), None)
        if attempt is not None and row.team_id in teams:
            name = teams[row.team_id].shown_as
            public = disclose_attempt(attempt, rules).score
            score = f"{rules.metric_name} {public:.{choose_digits(rules).score}f}"
            facts = {"event": "attempt", "team": name, "number": row.number, "score": public}
            notices.append(Notice(sentence=message("notice_attempt", team=name, number=row.number, score=score), facts=facts))
    return notices


def _list_acts(connection: Connection, rules: Rules, since: Position) -> Sequence[Notice]:
    notices = []
    for entry in read_log(connection):
        if entry.id <= since.entry or entry.team is not None:
            continue
        values: dict[str, object] = {}
        if entry.action == "extend" and rules.deadline is not None:
            values = {"deadline": describe(rules.deadline)}
            sentence = message("notice_extend", **values)
        elif entry.action == "announce":
            values = {"text": entry.details["text"]}
            sentence = message("notice_announce", **values)
        elif entry.action == "close":
            sentence = message("notice_close")
        elif entry.action == "reopen":
            sentence = message("notice_reopen")
        else:
            continue
        notices.append(Notice(sentence=sentence, facts={"event": entry.action, **values}))
    return notices


def send_notices(address: str, title: str, notices: Sequence[Notice], password: str | None) -> None:
    """Send events as one message, in the language that the address asks for.

    Raises:
        NotDelivered: the receiver did not take it.
        ContestError: the address is none.
    """
    webhook = parse_webhook(address)
    lines = [notice.sentence.translate(webhook.language) for notice in notices[:_MOST_LINES]]
    if len(notices) > _MOST_LINES:
        lines.append(message("notice_more", n=len(notices) - _MOST_LINES).translate(webhook.language))
    send_text(webhook, title, "\n".join(lines), [notice.facts for notice in notices], password)


@dataclass(slots=True)
class Notifier:
    """The thread. It tells of what happens while it runs; a message that three tries did not deliver is dropped."""

    contest: Contest
    password: str | None = field(default=None, repr=False)  # the mail account's
    interval_s: float = _INTERVAL_S
    _ended: threading.Event = field(default_factory=threading.Event)
    _position: Position | None = None
    _failed: str = ""  # what was logged last: the same failure is logged once

    def start(self) -> None:
        """Start; whatever is stored from now on is told."""
        self._position = self._read_first()
        threading.Thread(target=self._run, name="webhook", daemon=True).start()

    def stop(self) -> None:
        """Tell the thread to end; a message that is being sent may be lost."""
        self._ended.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            try:
                self._tell()
            except LeaderboardError as error:
                self._log_once(str(error))
            self._ended.wait(self.interval_s)

    def _read_first(self) -> Position | None:
        """Return the position now; None while there is no webhook."""
        return None if self.contest.rules().webhook is None else read_position(self.contest)

    def _tell(self) -> None:
        rules = self.contest.rules()
        if rules.webhook is None or self._position is None:
            self._position = self._read_first()
            return
        self._position, notices = collect_notices(self.contest, self._position)
        if notices:
            self._send(rules, notices)

    def _send(self, rules: Rules, notices: Sequence[Notice]) -> None:
        assert rules.webhook is not None
        for wait_s in (*_WAITS_S, None):
            try:
                send_notices(rules.webhook, rules.name, notices, self.password)
                self._failed = ""
                return
            except NotDelivered as error:
                if wait_s is None or self._ended.wait(wait_s):
                    self._log_once(str(error))
                    return
            except LeaderboardError as error:
                self._log_once(str(error))
                return

    def _log_once(self, failure: str) -> None:
        if failure != self._failed:
            _log.warning("%s", failure)
        self._failed = failure
