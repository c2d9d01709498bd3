"""`arena sweep`: the commands of its parts under one name."""

from __future__ import annotations

import typer

from sweeps import control_cli, look_cli, run_cli

app = typer.Typer(no_args_is_help=True)
app.add_typer(run_cli.app)
app.add_typer(look_cli.app)
app.add_typer(control_cli.app)
