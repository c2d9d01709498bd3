"""What an act of the host changed, in a few characters: what was before and what is after, as the log keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from leaderboard.deadline import describe
from leaderboard.files.csv_table import format_count


def describe_change(action: str, details: Mapping[str, object]) -> str:
    """`3 → 4`, `— → Owl`, `into Formantes`, `2 attempts changed`; empty where the act says it all."""
    if action == "merge":
        return f"into {details['into']}"
    if action == "rescore":
        return f"{_counted(details['n_changed'], 'attempt')} changed"
    if action == "token revoke":
        return f"{_counted(details['n_revoked'], 'token')} revoked"
    if action == "reopen":
        return f"was closed {_told(action, details['closed_at'])}"
    if "after" in details:
        return f"{_told(action, details['before'])} → {_told(action, details['after'])}"
    return ""


def _counted(n: object, noun: str) -> str:
    return format_count(int(str(n)), noun)


def _told(action: str, value: object) -> str:
    if value is None:
        return "—"
    return describe(datetime.fromisoformat(str(value))) if action in ("extend", "reopen") else str(value)
