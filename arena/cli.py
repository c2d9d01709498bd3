"""`arena`: the command line. It mounts the packages' commands and turns their errors into one line and an exit code."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import arena.base.install
import arena.config
import arena.demo
import arena.doctor
import arena.starter.commands
import cnn.cli.data
import cnn.cli.data_collect
import cnn.cli.data_tiles
import cnn.cli.evaluate
import cnn.cli.export
import cnn.cli.inspect
import cnn.cli.models
import cnn.cli.pack
import cnn.cli.predict
import cnn.cli.runs
import cnn.cli.train
import cnn.cli.wandb
import leaderboard.cli.backup
import leaderboard.cli.contest
import leaderboard.cli.host
import leaderboard.cli.publish
import leaderboard.cli.remote
import leaderboard.cli.serve
import leaderboard.cli.standings
import leaderboard.cli.verify
import reports.cli.documents
import reports.cli.report
import sweeps.cli.control
import sweeps.cli.run
import sweeps.cli.status
import sweeps.cli.wandb
from arena.base.project import find_project
from arena.command_line.aliases import replace_aliases
from arena.command_line.defaults import build_defaults, export_wandb
from arena.command_line.failures import report_failure
from arena.command_line.interrupt import leave_on_interrupt, raise_on_interrupt
from arena.command_line.selected_command import select_command
from arena.command_line.strict_command import make_strict
from cnn.hardware import name_account

app = typer.Typer(
    name="arena",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Spoken digits for courses and small competitions: recordings to spectrogram tiles, two nets on four variants, "
    "sweeps, a contest with three attempts, one report.",
    epilog="Begin with `arena demo`, or with your own recordings: `arena new team --corpus FOLDER`.",
)


def _version(is_requested: bool) -> None:
    if is_requested:
        import importlib.metadata

        print(importlib.metadata.version(arena.base.install.DISTRIBUTION))
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    project = find_project()
    context.default_map = build_defaults(context.command, project)
    export_wandb(project)


cnn.cli.data.app.add_typer(cnn.cli.data_collect.app)
cnn.cli.data.app.add_typer(cnn.cli.data_tiles.app)
app.add_typer(cnn.cli.data.app, name="data", help="Recordings: make, scan, prepare, look at.")
app.add_typer(cnn.cli.train.app)
app.add_typer(cnn.cli.predict.app)
app.add_typer(cnn.cli.models.app)
app.add_typer(cnn.cli.evaluate.app)
app.add_typer(cnn.cli.export.app)
app.add_typer(cnn.cli.inspect.app)
app.add_typer(cnn.cli.runs.app, name="runs")
cnn.cli.wandb.app.add_typer(sweeps.cli.wandb.app)
app.add_typer(cnn.cli.wandb.app, name="wandb", help="Send runs to W&B, and work for its sweeps.")
sweeps.cli.run.app.add_typer(sweeps.cli.status.app)
sweeps.cli.run.app.add_typer(sweeps.cli.control.app)
app.add_typer(sweeps.cli.run.app, name="sweep", help="Tune learning rate, batch size and depth.")
leaderboard.cli.contest.app.add_typer(leaderboard.cli.standings.app)
leaderboard.cli.contest.app.add_typer(leaderboard.cli.host.app)
leaderboard.cli.contest.app.add_typer(leaderboard.cli.backup.app)
leaderboard.cli.contest.app.add_typer(leaderboard.cli.verify.app)
leaderboard.cli.contest.app.add_typer(cnn.cli.pack.app)
leaderboard.cli.contest.app.add_typer(leaderboard.cli.serve.app)
leaderboard.cli.contest.app.add_typer(leaderboard.cli.publish.app)
app.add_typer(leaderboard.cli.contest.app, name="contest", help="Teams, three attempts each, and the standings.")
app.add_typer(leaderboard.cli.remote.app)
reports.cli.report.app.add_typer(reports.cli.documents.app)
app.add_typer(reports.cli.report.app, name="report", help="One HTML file that compares it all.")
app.command("new", epilog="Examples: `arena new team --corpus recordings` · `arena new . --lang es --team Formantes`")(
    arena.starter.commands.new
)
app.add_typer(arena.starter.commands.app, name="notebook", help="Notebooks to work in.")
app.command("config", epilog="Examples: `arena config` · `arena config --json`")(arena.config.config)
app.command("demo")(arena.demo.demo)
app.command("doctor")(arena.doctor.doctor)
make_strict(app)


def main() -> None:
    """Run the command line and exit: with 1 after what is refused or fails, with 2 for a line that cannot be read."""
    name_account()
    raise_on_interrupt()
    try:
        try:
            words = replace_aliases(sys.argv[1:])
            select_command(app, "".join(words[:1]))(words, prog_name="arena")
        finally:
            leave_on_interrupt()
            sys.stdout.flush()  # or a pipe that was closed is noticed while the interpreter ends
    except BaseException as error:
        sys.exit(report_failure(error, as_json="--json" in sys.argv))
