"""Creation of a contest from its file."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from leaderboard.contest_file.keys import PAGES, FileValue
from leaderboard.contest_file.read import ContestFile, check_downloads
from leaderboard.database.create import ContestSettings, Download
from leaderboard.files.pack_files import PackFiles, read_pack_files
from leaderboard.files.solution import Solution, parse_solution
from leaderboard.rules import DetailsFrom, RankBy, Ties
from leaderboard.scoring.custom_metric import name_metric
from leaderboard.store import Contest, create_contest

_FIELDS: dict[str, tuple[str, Callable[[Any], Any]]] = {  # key of the file: field of the settings, its type
    "lower_is_better": ("is_lower_better", bool),
    "ties": ("ties", Ties),
    "ladder": ("is_ladder", bool),
    "refusals": ("n_refusals_per_hour", int),
    "bonus": ("bonus", float),
    "details": ("details", DetailsFrom),
    "rank": ("rank_by", RankBy),
    "webhook": ("webhook", lambda url: url),
}


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


def create_from_file(file: ContestFile, solution: Solution, location: str | Path, now: datetime) -> Contest:
    """Create a contest with all that the file says but a class list, and open it.

    Raises:
        ContestFileError: a file to download is the solution.
        ContestError: as `create_contest`; nothing was made.
    """
    values = file.values
    metric: FileValue | None = values.get("metric")
    pages = {name.removeprefix(PAGES): value for name, value in values.items() if name.startswith(PAGES) and value}
    teams = values.get("teams", ())
    truth: FileValue = values["solution"]
    pack = PackFiles() if truth.folder is None else read_pack_files(truth.folder / truth.name)
    check_downloads(file, {solution.digest, None if pack.hidden is None else pack.hidden.digest})
    settings = ContestSettings(
        hidden=pack.hidden,
        rate_hz=pack.rate_hz,
        teams=() if isinstance(teams, Path) else teams,
        metric=None if metric is None else metric.content,
        metric_name=name_metric(None if metric is None else metric.name),
        overview=pages or None,
        downloads=tuple(
            Download(name=item.name, content=item.content, description=item.description) for item in values.get("downloads", ())
        ),
        **{name: kind(values[key]) for key, (name, kind) in _FIELDS.items() if values.get(key) is not None},
    )
    return create_contest(
        location, solution=solution, name=values["name"], now=now, deadline=values.get("deadline"), settings=settings
    )
