"""Short descriptions of the host's logged actions: the values before and after."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from leaderboard.deadline import describe
from leaderboard.files.csv_table import format_count

_MAX_SHOWN = 60  # characters of a value
_TEXTS = {
    "merge": "into {into}",
    "void": "attempt {number}, {file}; {before} → {after} attempts",
    "withdraw": "announcement {number}",
    "name reused": "{name} was a name of {by}",
    "host token new": "{name}, {role}",
    "host token rotate": "{name}, {role}",
    "host token revoke": "{name}, {role}",
}
_COUNTS = (("n_changed", "attempt", " changed"), ("n_revoked", "token", " revoked"), ("n_tokens", "token", ""))


def describe_change(action: str, details: Mapping[str, Any]) -> str:
    """Return `3 → 4`, `— → Owl`, `into Formantes` or `2 attempts changed`; empty where the action says everything."""
    if action == "restore":
        return _describe_restore(details)
    if action == "team add":
        return "a baseline" if details["is_baseline"] else ""
    if action == "apply":
        return f"{details['key']}: {_shorten(details['before'])} → {_shorten(details['after'])}"
    if action == "announce":
        return f"{details['number']}: {_shorten(details['text'])}"
    if action == "reopen":
        return f"was closed {_format_value(action, details['closed_at'])}"
    if action in _TEXTS:
        return _TEXTS[action].format_map(details)
    if action == "team import":
        new = f"{format_count(details['n_teams'], 'team')}, {format_count(details['n_members'], 'member')} new"
        return f"{new}, {details['n_updated']} updated" if details["n_updated"] else new
    for key, noun, verb in _COUNTS:
        if key in details:
            return f"{format_count(int(details[key]), noun)}{verb}"
    if "after" in details:
        return f"{_format_value(action, details['before'])} → {_format_value(action, details['after'])}"
    return ""


def _describe_restore(details: Mapping[str, Any]) -> str:
    until = f"as of {_format_value('extend', details['until'])}"
    if not details["is_compared"]:
        return until
    attempts, actions = details["attempts"], details["actions"]
    names = [f"attempt {row['number']} of {row['team']}" for row in attempts]
    names += [f"{row['action']} {row['team'] or ''}".rstrip() for row in actions]
    stayed = f"; {format_count(details['n_revoked'], 'token')} stayed revoked" if details["n_revoked"] else ""
    return f"{until}; undone: {', '.join(names) or 'nothing'}{stayed}"


def _shorten(value: object) -> str:
    """Return a value in one line; texts of pages are long."""
    text = "—" if value is None else " ".join(str(value).split())
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def _format_value(action: str, value: object) -> str:
    if value is None:
        return "—"
    return describe(datetime.fromisoformat(str(value))) if action in ("extend", "reopen") else str(value)
