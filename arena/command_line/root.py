"""The command `arena` itself, to which commands are added: its options, and the defaults of a project."""

from __future__ import annotations

from typing import Annotated

import typer

from arena.base.project import find_project
from arena.command_line.defaults import build_defaults, export_wandb


def build_root() -> typer.Typer:
    """Return the command line without commands."""
    app = typer.Typer(
        name="arena",
        add_completion=False,  # typer's knows no values, and splits words at : and =
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Spoken digits for courses and small competitions: recordings to spectrogram tiles, two nets on four variants, "
        "sweeps, a contest with three attempts, one report.",
        epilog="Begin with `arena demo`, or with your own recordings: `arena new team --corpus FOLDER`.",
    )
    app.callback()(_root)
    return app


def _print_version(is_requested: bool) -> None:
    if is_requested:
        import importlib.metadata

        from arena.base.install import DISTRIBUTION

        print(importlib.metadata.version(DISTRIBUTION))
        raise typer.Exit


def _install_completion(is_requested: bool) -> None:
    if is_requested:
        from arena.shells.install import install_completion

        print(f"{install_completion()} is written; open a new terminal, type arena and press Tab")
        raise typer.Exit


def _show_completion(is_requested: bool) -> None:
    if is_requested:
        from arena.shells.install import read_script

        print(read_script(), end="")
        raise typer.Exit


Version = Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")]
InstallCompletion = Annotated[
    bool,
    typer.Option("--install-completion", callback=_install_completion, is_eager=True, help="Let Tab complete what you type."),
]
ShowCompletion = Annotated[
    bool,
    typer.Option("--show-completion", callback=_show_completion, is_eager=True, help="Print the shell's script for that."),
]


def _root(
    context: typer.Context,
    version: Version = False,
    install_completion: InstallCompletion = False,
    show_completion: ShowCompletion = False,
) -> None:
    project = find_project()
    context.default_map = build_defaults(context.command, project)
    export_wandb(project)
