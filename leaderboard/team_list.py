"""Names of the teams in a contest's file, read in a few milliseconds, for completion. Standard library only."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

_WAIT_S = 0.2  # for a lock


def read_team_names(location: str) -> list[str]:
    """Return the names of all teams, without those that were merged into another; empty for a server's database.

    Nothing is written, and no file appears beside the contest.

    Raises:
        sqlite3.Error: the file is no contest, or somebody has locked it.
    """
    path = Path(location.removeprefix("sqlite:///"))
    if "://" in str(path) or not path.is_file():
        return []
    is_in_use = Path(f"{path}-wal").exists()  # without it a reader of WAL would make one, unless the file is taken as it is
    uri = f"file:{quote(str(path.absolute()))}?{'mode=ro' if is_in_use else 'immutable=1'}"
    with closing(sqlite3.connect(uri, uri=True, timeout=_WAIT_S)) as connection:
        rows = connection.execute("SELECT name FROM teams WHERE merged_into IS NULL ORDER BY name_key")
        return [name for (name,) in rows]
