"""Hours that agents worked on a study, as a union of intervals: agents that work at once count once, and a break not at all.

A killed agent loses what it worked since its last write, at most some seconds or the running epoch.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from cnn.errors import RunError
from cnn.files import write_json
from sweeps.errors import StudyError
from sweeps.study.folder import StudyFolder

ATTRIBUTE = "arena_work"  # attribute of a study in a database

Interval = tuple[float, float]  # seconds since 1970


def read_hours(folder: StudyFolder) -> float:
    """Return the hours that were written; raises StudyError for a damaged file."""
    return _sum_hours(_read(folder))


def add_work(folder: StudyFolder, started: datetime, now: datetime) -> float:
    """Write that an agent worked from `started` until now, and return the hours of all; call it inside `folder.lock()`."""
    intervals = _merge([*_read(folder), (started.timestamp(), now.timestamp())])
    database = folder.find_database()
    if database is not None:
        database.set_attribute(folder.name, ATTRIBUTE, intervals)
        return _sum_hours(intervals)
    try:
        write_json(folder.path / "work.json", {"intervals": intervals})
    except (OSError, RunError) as error:
        raise StudyError(f"study {folder.name}: {error}") from error
    return _sum_hours(intervals)


class WorkClock:
    """Clock of one agent's work on a study."""

    def __init__(self, folder: StudyFolder, now: datetime) -> None:
        self._folder = folder
        self._since: datetime | None = now  # last time of work that was counted; None: at rest

    def count(self, now: datetime) -> float:
        """Count the work until `now`, and return the hours of all agents; call it inside `folder.lock()`."""
        hours = add_work(self._folder, self._since or now, now)
        self._since = now
        return hours

    def stop(self) -> None:
        self._since = None


def _read(folder: StudyFolder) -> Sequence[Interval]:
    database = folder.find_database()
    if database is not None:
        return [(start, end) for start, end in database.read_attribute(folder.name, ATTRIBUTE) or ()]
    path = folder.path / "work.json"
    try:
        return [(float(start), float(end)) for start, end in json.loads(path.read_bytes())["intervals"]]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudyError(f"{path} is damaged ({error!r}); delete it, and the hours of work count from zero") from error


def _merge(intervals: Sequence[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _sum_hours(intervals: Sequence[Interval]) -> float:
    return sum(end - start for start, end in intervals) / 3600
