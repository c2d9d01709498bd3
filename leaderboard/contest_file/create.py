"""Creation of a contest from its file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from leaderboard.contest_file.keys import KEYS, PAGES, FileValue
from leaderboard.contest_file.read import ContestFile, check_downloads
from leaderboard.database.create import ContestSettings, Download
from leaderboard.files.pack_files import PackFiles, read_pack_files
from leaderboard.files.solution import Solution, parse_solution
from leaderboard.scoring.custom_metric import name_metric
from leaderboard.store import Contest, create_contest

_NO_SETTINGS = ("name", "deadline")  # columns that `create_contest` takes beside the settings


def read_solution(file: ContestFile) -> Solution:
    """Return the solution that the file names.

    Raises:
        ContestFileError: it names none, or has no name.
        SolutionError: the solution is wrong.
    """
    for key, example in (("name", "name: Digits 2026"), ("solution", "solution: solution.csv")):
        if key not in file.values:
            raise file.fail(key, f"is missing, and a new contest needs it; write {example}")
    solution: FileValue = file.values["solution"]
    return parse_solution(solution.content, solution.name)


def _read_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of keys that are columns, by the fields of the settings, which have their names."""
    settings = {}
    for name, key in KEYS.items():
        value = values.get(name)
        if key.column and name not in _NO_SETTINGS and value is not None:
            settings[key.column] = key.words[key.words.index(value)] if key.words else value  # a word becomes its enum
    return settings


def create_from_file(file: ContestFile, solution: Solution, location: str | Path, now: datetime) -> Contest:
    """Create a contest with all that the file says but a class list, and open it.

    Raises:
        ContestFileError: a file to download is the solution.
        ContestError: as `create_contest`; nothing was made.
    """
    values = file.values
    metric: FileValue | str | None = values.get("metric")  # a word is a score of strings
    pages = {name.removeprefix(PAGES): value for name, value in values.items() if name.startswith(PAGES) and value}
    teams = values.get("teams", ())
    truth: FileValue = values["solution"]
    pack = PackFiles() if truth.folder is None else read_pack_files(truth.folder / truth.name)
    check_downloads(file, {solution.digest, None if pack.hidden is None else pack.hidden.digest})
    settings = ContestSettings(
        hidden=pack.hidden,
        rate_hz=pack.rate_hz,
        teams=() if isinstance(teams, Path) else teams,
        metric=metric.content if isinstance(metric, FileValue) else None,
        metric_name=name_metric(metric.name if isinstance(metric, FileValue) else metric),
        overview=pages or None,
        downloads=tuple(
            Download(name=item.name, content=item.content, description=item.description) for item in values.get("downloads", ())
        ),
        **_read_settings(values),
    )
    return create_contest(
        location, solution=solution, name=values["name"], now=now, deadline=values.get("deadline"), settings=settings
    )
