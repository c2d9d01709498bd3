"""`arena contest backup`, `restore` and `migrate`: a contest as a whole."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import CONTEST_FILE, ContestPath, DryRun
from arena.base.terminal import say
from leaderboard.cli.options import REASON_HELP, build_decision, load_contest

if TYPE_CHECKING:
    from leaderboard.actions.restore import Undone

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


@app.command(
    epilog="Examples: `arena contest restore contest-2026-11-21.db --contest contest.db` · "
    '`arena contest restore contest-2026-11-21.db --instead-of broken.db --reason "the disk failed" --dry-run`'
)
def restore(
    file: Annotated[Path, typer.Argument(metavar="BACKUP", help="What `arena contest backup` wrote.")],
    instead_of: Annotated[
        str | None,
        typer.Option("--instead-of", metavar="PATH", help="The contest of today: what is undone of it stands in the log."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help=REASON_HELP)] = "a backup was restored",
    dry_run: DryRun = False,
    contest: ContestPath = CONTEST_FILE,
) -> None:
    """Make a contest of a backup, in a new file or an empty PostgreSQL database. Never over another contest."""
    from leaderboard.actions import restore as restoring
    from leaderboard.errors import ContestError

    if not file.exists():
        raise ContestError(f"{file} does not exist; give the file that `arena contest backup` wrote")
    with ExitStack() as stack:
        backup = stack.enter_context(load_contest(file))
        today = None if instead_of is None else stack.enter_context(load_contest(instead_of))
        if dry_run:
            undone = restoring.compare(backup, today)
        else:
            undone = restoring.restore(backup, contest, today, build_decision(reason))
        _say_undone(undone, today is not None)
        if dry_run:
            return say("dry run: nothing was restored")
    with load_contest(contest) as opened:
        print(f"{contest.split('@')[-1]} holds {opened.name} with {len(opened.teams())} teams")


def _say_undone(undone: Undone, is_compared: bool) -> None:
    from leaderboard.deadline import describe
    from leaderboard.files.csv_table import format_count

    say(f"the backup knows nothing after {describe(undone.until)}")
    if not is_compared:
        return say("tokens that were revoked since are valid again; --instead-of with the contest of today keeps them revoked")
    for attempt in undone.attempts:
        say(f"undone: attempt {attempt.number} of {attempt.team}, {attempt.file_name}, of {describe(attempt.arrived_at)}")
    for entry in undone.actions:
        change = f", {entry.change}" if entry.change else ""
        say(f"undone: {entry.action} {entry.team or ''}".rstrip() + f"{change} ({describe(entry.done_at)}: {entry.reason})")
    if undone.revoked:
        say(f"{format_count(len(undone.revoked), 'token')} revoked since: not valid in the restored contest either")
    say("tokens that were given since are not valid in it; `arena contest token new` gives others")


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
