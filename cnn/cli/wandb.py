"""`arena wandb sync`, which sends W&B the runs that it lacks, and `view`, which shows them in W&B's terminal viewer."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.base.options import DryRun, Json, Wide
from arena.base.terminal import Column, print_json, print_table, progress, say

if TYPE_CHECKING:
    from cnn.runs.folder import RunFolder
    from cnn.runs.wandb_record import Copy

app = typer.Typer(
    no_args_is_help=True, help="Send runs to W&B, look at them, and work for its sweeps.", epilog="Example: `arena wandb sync`"
)


@app.command(epilog="Examples: `arena wandb sync --dry-run` · `arena wandb sync runs` · `arena wandb sync runs/3f2a...`")
def sync(
    folder: Annotated[Path, typer.Argument(metavar="RUNS", help="Run folders, or one run folder.")] = Path("runs"),
    deleted: Annotated[bool, typer.Option("--deleted", help="Also runs that W&B had, and that were deleted there.")] = False,
    dry_run: DryRun = False,
    wide: Wide = False,
    json: Json = False,
) -> None:
    """Send the runs to W&B that it does not have, or not wholly: trained offline, or while it was down. Twice does no harm."""
    import dataclasses

    from cnn.runs.wandb_record import list_copies

    copies = list_copies(folder)
    gone = _list_deleted(copies.complete) if deleted else []
    unsent = [*copies.unsent, *gone]
    rows = [[run.digest, copy.group, copy.project, run.state().value] for run, copy in unsent]
    _say_rest(len(copies.complete) - len(gone), copies.n_unfinished, copies.n_without)
    if dry_run or not rows:
        if json:
            return print_json({"unsent" if dry_run else "sent": [row[0] for row in rows]})
        return _print(rows, ("run", "group", "project", "state"))
    from cnn.runs.wandb_mirror import check_credentials, send_all

    check_credentials()
    with progress("sending to W&B, runs", len(rows)) as advance:
        uploads = send_all(unsent, lambda n, note: advance(n, note), say)
    if json:
        return print_json({"sent": [dataclasses.asdict(upload) for upload in uploads]})
    _print([[upload.run, upload.url] for upload in uploads], ("run", "page"))


@app.command(epilog="Examples: `arena wandb view` · `arena wandb view runs/3f2a...`")
def view(
    folder: Annotated[Path, typer.Argument(metavar="RUNS", help="Run folders, or one run folder.")] = Path("runs"),
) -> None:
    """Look at curves and settings of runs in W&B's terminal viewer: no account, no network, nothing is changed."""
    from cnn.errors import RunError

    if not sys.stdout.isatty():
        raise RunError("`arena wandb view` draws in a terminal, and this is none; `arena runs show RUN --json` prints a run")
    from cnn.runs.wandb_client import view_runs

    view_runs(folder)


def _list_deleted(complete: list[tuple[RunFolder, Copy]]) -> list[tuple[RunFolder, Copy]]:
    from cnn.runs.wandb_mirror import check_credentials, list_deleted

    check_credentials()
    return list_deleted(complete)


def _say_rest(n_sent: int, n_unfinished: int, n_without: int) -> None:
    if n_sent:
        say(f"{n_sent} are at W&B already")
    if n_unfinished:
        say(f"{n_unfinished} are unfinished: they can be sent when they end")
    if n_without:
        say(f"{n_without} were trained with --wandb off: they stay here")


def _print(rows: list[list[str]], columns: tuple[str, ...]) -> None:
    print_table([*map(Column, columns)], rows) if rows else say("nothing is left to send")
