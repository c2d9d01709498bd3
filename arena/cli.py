"""The whole command line as a typer app, for documentation and tests; `arena` itself imports what is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer.main

from arena.command_line.tree import build_app

app = build_app()


def walk_commands(app: typer.Typer = app) -> Iterator[tuple[str, Any]]:
    """Yield each command and group with its words, such as "contest init"; those of the root are empty."""
    pending = [("", typer.main.get_command(app))]
    while pending:
        words, command = pending.pop()
        yield words, command
        children = getattr(command, "commands", {}).items()
        pending += [(f"{words} {name}".strip(), child) for name, child in reversed(children)]
