"""`arena sweep`: the commands of its parts under one name."""

from __future__ import annotations

import typer

from sweeps.cli import control as control_cli
from sweeps.cli import run as run_cli
from sweeps.cli import status as look_cli

app = typer.Typer(no_args_is_help=True)
app.add_typer(run_cli.app)
app.add_typer(look_cli.app)
app.add_typer(control_cli.app)
