"""Ends of a command: an error is one line on stderr, an exit code and, with `--json`, one document on stdout."""

from __future__ import annotations

import os
from traceback import format_exception

import typer

from arena.base.errors import ArenaError
from arena.base.terminal import print_json, say
from arena.command_line.interrupt import INTERRUPTED

_BROKEN_PIPE = 141  # exit code that shells give a command whose reader has left


def report_failure(error: BaseException, *, as_json: bool) -> int:
    """Print what ended a command, and return the exit code.

    Args:
        error: what left the command line; a SystemExit of typer comes after its line on stderr.
        as_json: print a document on stdout, too. A command that exits by itself has printed its own.
    """
    cause = _find_cause(error)
    if isinstance(cause, BrokenPipeError):  # `arena ... | head`
        for descriptor in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
        return _BROKEN_PIPE
    code = _read_exit_code(error)
    if cause is None:
        return code
    message, details = _explain(cause), [str(fault) for fault in getattr(cause, "others", ())]
    if isinstance(cause, KeyboardInterrupt):
        say(message)
    elif not isinstance(error, SystemExit):
        for line in (f"error: {message}", *(f"  {detail}" for detail in details)) if message else format_exception(cause):
            say(line.rstrip())
    if as_json:
        message = message or f"{type(cause).__name__}: {cause}"
        print_json({"error": message, "exit_code": code} | ({"details": details} if details else {}))
    return code


def _read_exit_code(error: BaseException) -> int:
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 0
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return error.exit_code if isinstance(error, ArenaError) else 1


def _explain(error: BaseException) -> str:
    """Return the line for a user; empty for a fault of Arena, whose traceback is to be reported."""
    if isinstance(error, typer.TyperException):
        return error.format_message()
    if isinstance(error, ImportError | OSError):
        from arena.base.install import explain

        return explain(error) or ""
    lines = {
        ArenaError: str(error),
        typer.Abort: "aborted",
        KeyboardInterrupt: "interrupted; nothing is lost: the same command goes on where it stopped",
        MemoryError: "out of memory; choose a smaller train.batch_size or fewer --jobs",
    }
    return next((line for kind, line in lines.items() if isinstance(error, kind)), "")


def _find_cause(error: BaseException) -> BaseException | None:
    """Return the error behind typer's exit; None for an exit without one."""
    if not isinstance(error, SystemExit):
        return error
    cause = error.__context__
    return cause.__cause__ if isinstance(cause, typer.Exit) else cause
