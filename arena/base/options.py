"""Command-line options that several packages share."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from arena.base.terminal import widen_tables

CONTEST_FILE = "contest.db"
RUN_HELP = "A run: its folder, name, digest or the beginning of it, latest, best, or lenet5.raw+aug."


def contest_option(**more: Any) -> Any:
    """Return the `--contest` option; the environment variable ARENA_CONTEST sets its default."""
    description = "The contest: a SQLite file, or a postgresql:// URL."
    return typer.Option("--contest", metavar="PATH", envvar="ARENA_CONTEST", help=description, **more)


ContestPath = Annotated[str, contest_option()]
Wide = Annotated[
    bool,
    typer.Option("--wide", callback=widen_tables, expose_value=False, help="Print all columns, in lines as long as needed."),
]
