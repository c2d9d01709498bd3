"""`arena contest backup`, `restore` and `migrate`: a contest as a whole."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from arena.base.options import CONTEST_FILE, ContestPath
from leaderboard.cli.options import load_contest

app = typer.Typer()


@app.command(epilog="Example: arena contest backup contest-2026-11-21.db")
def backup(
    file: Annotated[
        Path, typer.Argument(metavar="OUT", help="The new file: a SQLite contest, wherever the contest itself is kept.")
    ],
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Copy the contest as it is at one moment, also while submissions arrive. Never over another file."""
    from leaderboard.database.backup import back_up
    from leaderboard.errors import ContestError

    if file.exists():
        raise ContestError(f"{file} exists and a backup is written over no other file; give another path")
    with load_contest(contest) as opened:
        back_up(opened.database, file)
    print(f"{file} holds {contest.split('@')[-1]} as it was; `arena contest restore {file}` brings it back")


@app.command(epilog="Example: arena contest restore contest-2026-11-21.db --contest contest.db")
def restore(
    file: Annotated[Path, typer.Argument(metavar="BACKUP", help="What `arena contest backup` wrote.")],
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Make a contest of a backup, in a new file or an empty PostgreSQL database. Never over another contest."""
    from leaderboard.database.backup import restore_into
    from leaderboard.errors import ContestError

    if not file.exists():
        raise ContestError(f"{file} does not exist; give the file that `arena contest backup` wrote")
    with load_contest(file) as backup:
        restore_into(backup.database, contest)
    with load_contest(contest) as opened:
        print(f"{contest.split('@')[-1]} holds {opened.name} with {len(opened.teams())} teams")


@app.command("migrate", epilog="Example: arena contest migrate --contest postgresql://arena@db.example/contest")
def migrate_command(contest: ContestPath = CONTEST_FILE) -> None:
    """Bring the tables of an older Arena up to date. A SQLite file is migrated when it is opened, with a copy beside it."""
    from leaderboard.database.connection import connect, parse_sqlite_path
    from leaderboard.database.migrate import bring_up_to_date, read_version
    from leaderboard.database.migrate import migrate as to_today
    from leaderboard.database.schema import SCHEMA_VERSION

    path = parse_sqlite_path(contest)
    with closing(connect(contest)) as database:
        copy = None if path is None else bring_up_to_date(database, path)
        before = read_version(database) if path is not None else to_today(database)
    if copy is not None:
        print(f"{database.name} is up to date; as it was before it stays in {copy}")
    elif before < SCHEMA_VERSION:
        print(f"{database.name} had tables of version {before} and is up to date")
    else:
        print(f"{database.name} was up to date; nothing was changed")
