"""`arena`: the one command. It mounts the rooms' command lines and turns their errors into one line and an exit code."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import arena_install

arena_install.check_packages()  # before a namesake is imported in place of one of Arena's packages

# ruff: noqa: E402
import typer

import arena_demo
import arena_doctor
import cnn.cli
import cnn.eval_cli
import cnn.export_cli
import cnn.inspect_cli
import cnn.models_cli
import cnn.pack_cli
import cnn.runs_cli
import cnn.tiles_cli
import cnn.wandb_cli
import leaderboard.cli
import leaderboard.client_cli
import leaderboard.publish_cli
import leaderboard.serve_cli
import reports.cli
import reports.deliver_cli
import sweeps.cli
import sweeps.wandb_cli
from arena_locks import PlatformError
from arena_terminal import say
from cnn.errors import CnnError
from cnn.machine import name_account
from leaderboard.errors import FileError, LeaderboardError
from reports.errors import ReportError
from sweeps.errors import SweepError

app = typer.Typer(
    name="arena",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Spoken digits for courses and small competitions: recordings to spectrogram tiles, two nets on four variants, "
    "sweeps, a contest with three attempts, one report.",
    epilog="Begin with `arena demo`, or with your own recordings: `arena data scan FOLDER`.",
)


def _version(wanted: bool) -> None:
    if wanted:
        import importlib.metadata

        print(importlib.metadata.version(arena_install.DISTRIBUTION))
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    pass


app.add_typer(cnn.tiles_cli.app, name="data", help="Recordings: make, scan, prepare, look at.")
app.add_typer(cnn.cli.app)
app.add_typer(cnn.models_cli.app)
app.add_typer(cnn.eval_cli.app)
app.add_typer(cnn.export_cli.app)
app.add_typer(cnn.inspect_cli.app)
app.add_typer(cnn.runs_cli.app)
cnn.wandb_cli.app.add_typer(sweeps.wandb_cli.app)
app.add_typer(cnn.wandb_cli.app, name="wandb", help="Send runs to W&B, and work for its sweeps.")
app.add_typer(sweeps.cli.app, name="sweep", help="Tune learning rate, batch size and depth.")
leaderboard.cli.app.add_typer(cnn.pack_cli.app)
leaderboard.cli.app.add_typer(leaderboard.serve_cli.app)
leaderboard.cli.app.add_typer(leaderboard.publish_cli.app)
app.add_typer(leaderboard.cli.app, name="contest", help="Teams, three attempts each, and the standings.")
app.add_typer(leaderboard.client_cli.app)
reports.cli.app.add_typer(reports.deliver_cli.app)
app.add_typer(reports.cli.app, name="report", help="One HTML file that compares it all.")
app.command("demo")(arena_demo.demo)
app.command("doctor")(arena_doctor.doctor)


def main() -> None:
    """Run the command line; a user's mistake is one line on stderr, further faults of a file a line each, and exit code 1."""
    name_account()
    try:
        app(prog_name="arena")
    except (CnnError, SweepError, LeaderboardError, ReportError, PlatformError) as error:
        say(f"error: {error}")
        for other in error.others if isinstance(error, FileError) else ():
            say(f"  {other}")
        sys.exit(1)
    except SystemExit as ended:
        if isinstance(getattr(ended.__context__, "__cause__", None), KeyboardInterrupt):  # typer makes exit code 130 of it
            say("interrupted; nothing is lost: the same command goes on where it stopped")
        raise
    except BrokenPipeError:  # `arena ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except (ImportError, OSError) as error:
        line = arena_install.explain(error)
        if line is None:
            raise
        say(f"error: {line}")
        sys.exit(1)
    except MemoryError:
        say("error: out of memory; choose a smaller train.batch_size or fewer --jobs")
        sys.exit(1)


if __name__ == "__main__":
    main()
