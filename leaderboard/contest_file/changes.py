"""Differences of a contest's file from the running contest, and their application: each key is a line of the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, select, update

from leaderboard.actions.host import HostDecision, log_action
from leaderboard.contest import team_names
from leaderboard.contest_file.current import read_current, read_current_values
from leaderboard.contest_file.keys import KEYS, PAGES, FileValue
from leaderboard.contest_file.read import ContestFile, check_downloads
from leaderboard.database import schema
from leaderboard.database.create import ContestSettings, Download, write_download
from leaderboard.database.rows import count_rows, lock_contest, read_content, read_rules, store_file
from leaderboard.deadline import check_ahead, describe
from leaderboard.errors import ContestError
from leaderboard.files.solution import Solution, parse_solution
from leaderboard.rules import RankBy, Rules, Ties
from leaderboard.scoring.custom_metric import check_metric, load_metric, name_metric
from leaderboard.store import Contest
from leaderboard.teams import name_key

_MAX_SHOWN = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """A value of the file that is not the running contest's."""

    key: str  # `downloads.data.zip` for a file that is handed out, `teams` for a new team
    before: Any
    after: Any

    @property
    def words(self) -> tuple[str, str, str]:
        """Return the key and both values, shortened for a table."""
        before, after = self.shown
        return self.key, format_setting(before), format_setting(after)

    @property
    def shown(self) -> tuple[Any, Any]:
        """Return both values, of a webhook only what was done: whoever has its address may write there."""
        if self.key != "webhook":
            return self.before, self.after
        verb = "removed" if self.after is None else "set" if self.before is None else "changed"
        return None if self.before is None else "set", verb


def find_changes(file: ContestFile, contest: Contest) -> list[Change]:
    """Return the differences; keys that the file leaves out stay as they are, and no team is ever taken out.

    Raises:
        ContestFileError: a value cannot be changed while the contest runs; names the command to use.
    """
    changes = list(_compare(file, read_current(contest)))
    with contest.database.read() as connection:
        _check(file, changes, connection)
    return changes


def apply_changes(file: ContestFile, contest: Contest, decision: HostDecision) -> list[Change]:
    """Change the running contest in one transaction, with a line of the log for each key, and return the changes.

    Raises:
        ContestFileError, ContestError: nothing was changed.
    """
    solution = contest.solution
    with contest.database.write() as connection:
        lock_contest(connection)
        changes = list(_compare(file, read_current_values(connection)))
        _check(file, changes, connection)
        for change in changes:
            _apply(connection, change, decision, solution)
    return changes


def _compare(file: ContestFile, current: dict[str, Any]) -> Iterator[Change]:
    for name, value in file.values.items():
        if name == "downloads":
            before, after = ({item.name: item for item in items} for items in (current[name], value))
            for item in sorted(before.keys() | after.keys()):
                if before.get(item) != after.get(item):
                    yield Change(key=f"downloads.{item}", before=before.get(item), after=after.get(item))
        elif name == "teams":
            known = set(map(name_key, current[name]))
            names = () if isinstance(value, Path) else value
            yield from (Change(key="teams", before=None, after=team) for team in names if name_key(team) not in known)
        elif value != current[name]:
            yield Change(key=name, before=current[name], after=value)


def _check(file: ContestFile, changes: list[Change], connection: Connection) -> None:
    """Refuse changes that a running contest cannot have."""
    has_attempts = bool(connection.scalar(select(count_rows(schema.attempts))))
    for change in changes:
        key = KEYS.get(change.key)
        if key is None:
            continue
        if key.command:
            raise file.fail(change.key, f"is another file than the contest's, and `{key.command}` changes it; use that")
        if key.is_fixed and has_attempts:
            values = f"is {format_setting(change.after)} here and {format_setting(change.before)} in the contest"
            raise file.fail(
                change.key, f"stands from the first attempt on, and {values}; write the contest's value, or make a new contest"
            )
        if change.key == "deadline":
            _check_deadline(file, change, has_attempts)
    rules = read_rules(connection)
    digest = rules.hidden_digest
    check_downloads(file, {rules.solution_digest, digest})
    hidden = None if digest is None else parse_solution(read_content(connection, digest), "solution.csv")
    _check_scoring(file, changes, rules, hidden)


def _check_deadline(file: ContestFile, change: Change, has_attempts: bool) -> None:
    rule = "a deadline is extended, never shortened or taken away"
    if change.before is None and has_attempts:
        raise file.fail("deadline", "cannot be set once there are attempts; `arena contest close` ends the contest")
    if change.before is not None and (change.after is None or change.after <= change.before):
        came = f"{format_setting(change.after)} is not after {format_setting(change.before)}"
        raise file.fail("deadline", f"moves the deadline, but {rule}, and {came}; write a later one")


def _check_scoring(file: ContestFile, changes: list[Change], rules: Rules, hidden: Solution | None) -> None:
    """Check the rules on metrics and on ranking as a new contest would."""
    after = {change.key: change.after for change in changes if change.key in ("metric", "lower_is_better", "ladder", "rank")}
    if not after:
        return
    if rules.has_strings or isinstance(after.get("metric"), str):
        raise file.fail(
            next(iter(after)), "is fixed where answers are strings; write the contest's value, or make a new contest"
        )
    metric = after.get("metric", rules.metric_digest)
    try:
        ContestSettings(
            metric=None if metric is None else b"-",
            is_lower_better=after.get("lower_is_better", rules.is_lower_better),
            is_ladder=after.get("ladder", rules.is_ladder),
            ties=Ties.SHARE,
            rank_by=RankBy(after.get("rank", rules.rank_by)),
            hidden=hidden,
        )
    except ContestError as error:
        raise file.fail(next(iter(after)), f"does not fit: {error}") from error


def _apply(connection: Connection, change: Change, decision: HostDecision, solution: Solution) -> None:
    name = change.key
    if name == "deadline":
        check_ahead(change.after, decision.decided_at)
        details = {"before": _to_text(change.before), "after": _to_text(change.after)}
        connection.execute(update(schema.contest).values(deadline=change.after))
        return log_action(connection, "extend", decision, details)
    if name == "teams":
        team_names.insert_team(connection, change.after, decision.decided_at)
    elif name == "metric":
        _write_metric(connection, change.after, solution)
    elif name.startswith("downloads."):
        _write_download(connection, name.removeprefix("downloads."), change.after)
    elif name.startswith(PAGES):
        overview = dict(read_rules(connection).overview or {}) | {name.removeprefix(PAGES): change.after}
        texts = {key: text for key, text in overview.items() if text is not None}
        connection.execute(update(schema.contest).values(overview=texts or None))
    else:
        connection.execute(update(schema.contest).values({KEYS[name].column: change.after}))
    before, after = (_to_text(value) for value in change.shown)
    details = {"key": name, "before": before, "after": after}
    log_action(connection, "apply", decision, details)


def _write_metric(connection: Connection, metric: FileValue | None, solution: Solution) -> None:
    name = name_metric(None if metric is None else metric.name)
    if metric is not None:
        check_metric(load_metric(metric.content, name), solution)
        store_file(connection, metric.digest, metric.content)
    digest = None if metric is None else metric.digest
    connection.execute(update(schema.contest).values(metric_digest=digest, metric_name=name))


def _write_download(connection: Connection, name: str, file: FileValue | None) -> None:
    if file is None:
        connection.execute(delete(schema.downloads).where(schema.downloads.c.name == name))
    else:
        write_download(connection, Download(name=name, content=file.content, description=file.description))


def _to_text(value: Any) -> Any:
    """Return a value as the log stores it."""
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, FileValue) else value


def format_setting(value: Any) -> str:
    """Return a value as a table shows it, in one line."""
    formats: dict[type, Callable[[Any], str]] = {
        bool: lambda flag: str(flag).lower(),
        float: lambda number: f"{number:g}",
        datetime: describe,
    }
    if value is None or value == ():
        return "—"
    text = " ".join(formats.get(type(value), str)(value).split())
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"
