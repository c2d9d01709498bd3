"""The whole command line as a typer app, for documentation and tests; `arena` itself imports what is asked for."""

from __future__ import annotations

from arena.command_line.tree import build_app

app = build_app()
