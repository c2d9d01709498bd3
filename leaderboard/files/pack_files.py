"""Files of a contest pack beside its solution: the solution of the hidden part, and the rate of the recordings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from leaderboard.errors import ContestError, SolutionError
from leaderboard.files.csv_table import quote_short, read_file
from leaderboard.files.solution import LabelList, Solution, parse_solution

SOLUTION_NAME = "solution.csv"
_HIDDEN, _FACTS = "hidden", "pack.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class PackFiles:
    """Facts that lie beside the solution of a pack."""

    hidden: Solution | None = None  # recordings that no team was given; None: there is none
    rate_hz: int | None = None  # rate of the recordings; None: unknown


def read_pack_files(path: Path) -> PackFiles:
    """Read the facts beside the solution at `path`; a solution that no pack wrote has none.

    Raises:
        SolutionError: the hidden part's solution is wrong.
    """
    folder = path.parent / _HIDDEN
    hidden = read_hidden_solution(folder) if (folder / SOLUTION_NAME).is_file() else None
    try:
        rate_hz = json.loads((path.parent / _FACTS).read_bytes())["format"]["rate_hz"]
    except (OSError, ValueError, KeyError, TypeError):
        rate_hz = None
    return PackFiles(hidden=hidden, rate_hz=rate_hz if isinstance(rate_hz, int) else None)


def format_pack_files(hidden: bytes | None, rate_hz: int | None) -> dict[str, bytes]:
    """Return the files, by path, that `read_pack_files` reads beside a solution."""
    files = {} if hidden is None else {f"{_HIDDEN}/{SOLUTION_NAME}": hidden}
    return files if rate_hz is None else files | {_FACTS: json.dumps({"format": {"rate_hz": rate_hz}}).encode()}


def find_hidden_folder(audio: Path) -> Path | None:
    """Return the hidden part of the pack whose test recordings lie in `audio`; None where there is none."""
    folder = audio.parent.parent / "host" / _HIDDEN
    return folder if (folder / SOLUTION_NAME).is_file() else None


def read_hidden_solution(folder: Path) -> Solution:
    """Read the solution of a hidden part.

    Raises:
        SolutionError: it is wrong.
    """
    return parse_solution(read_file(folder / SOLUTION_NAME, SolutionError), f"{folder.name}/{SOLUTION_NAME}")


def check_hidden(hidden: Solution, solution: Solution) -> None:
    """Check that a hidden part has the labels of the contest's own solution and no clip of it.

    Raises:
        ContestError: it does not fit.
    """
    again = "; give the folder `host/hidden` of the contest's pack"
    if hidden.labels != solution.labels:
        labels = f"{LabelList(hidden.labels)} and not {LabelList(solution.labels)}"
        raise ContestError(f"the hidden part has the contest's labels, and this one has {labels}{again}")
    if hidden.has_usage:
        raise ContestError(f"all rows of a hidden part count, and this one has a Usage column{again}")
    if shared := sorted(hidden.row_by_id.keys() & solution.row_by_id.keys()):
        raise ContestError(f"no clip of a hidden part is given to teams, and {quote_short(shared[0])} is in both{again}")
