"""One run of the command line, from the words typed to the exit code."""

from __future__ import annotations

import sys

import typer.main

from arena.command_line.aliases import replace_aliases
from arena.command_line.failures import report_failure
from arena.command_line.interrupt import leave_on_interrupt, raise_on_interrupt
from arena.command_line.tree import select_app
from cnn.hardware import name_account


def run_command_line() -> None:
    """Run the command line and exit: with 1 after what is refused or fails, with 2 for a line that cannot be read."""
    name_account()
    raise_on_interrupt()
    try:
        try:
            words = replace_aliases(sys.argv[1:])
            command = typer.main.get_command(select_app(words))
            with command.make_context("arena", words) as context:  # typer's own call would print errors in boxes
                command.invoke(context)
                context.exit()
        finally:
            leave_on_interrupt()
            sys.stdout.flush()  # or a pipe that was closed is noticed while the interpreter ends
    except BaseException as error:
        sys.exit(report_failure(error, as_json="--json" in sys.argv))
