"""Ends of a command: an error is one line on stderr, an exit code and, with `--json`, one document on stdout."""

from __future__ import annotations

import os
import re
from traceback import format_exception
from typing import Any

import typer

from arena.base.errors import ArenaError
from arena.base.terminal import print_json, say
from arena.command_line.interrupt import INTERRUPTED

_BROKEN_PIPE = 141  # exit code that shells give a command whose reader has left


def report_failure(error: BaseException, *, as_json: bool) -> int:
    """Print what ended a command, and return the exit code.

    Args:
        error: what left the command line; the cause of a typer.Exit has its line on stderr already.
        as_json: print a document on stdout, too. A command that exits without a cause has printed its own.
    """
    if BrokenPipeError in (type(error), type(error.__context__)):  # `arena ... | head`; rich exits behind it
        for descriptor in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
        return _BROKEN_PIPE
    code = _read_exit_code(error)
    cause = error.__cause__ if isinstance(error, typer.Exit) else error
    if cause is None or isinstance(cause, SystemExit):
        return code
    message, details = _explain(cause), [str(fault) for fault in getattr(cause, "others", ())]
    if cause is error:
        for line in _format_lines(error, message, details):
            say(line)
    if as_json:
        message = message or f"{type(cause).__name__}: {cause}"
        print_json({"error": message, "exit_code": code} | ({"details": details} if details else {}))
    return code


def _format_lines(error: BaseException, message: str, details: list[str]) -> list[str]:
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return [message]
    if isinstance(error, typer.TyperException):
        context = getattr(error, "ctx", None)
        usage = [_format_usage(context)] if context else []
        return [f"error: {message}", *usage] if message else []  # a group without a command has printed its help
    if not message:
        return "".join(format_exception(error)).splitlines()
    return [f"error: {message}", *(f"  {detail}" for detail in details)]


def _format_usage(context: Any) -> str:
    """Return the line to type, with the options that it must have, and the line for more."""
    words = [context.command_path]
    for parameter in context.command.params:
        if parameter.param_type_name == "argument":
            name = f"{name_parameter(parameter)}{' ...' if parameter.nargs == -1 else ''}"
            words.append(name if parameter.required else f"[{name}]")
        elif parameter.required:
            words.append(f"{name_parameter(parameter)} {parameter.name.upper()}")
    return f"usage: {' '.join(words)}; {context.command_path} --help"


def name_parameter(parameter: Any) -> str:
    """Return the word of a parameter: `--runs` of an option, `RUN` of an argument."""
    if parameter.param_type_name == "option":
        return next((text for text in parameter.opts if text.startswith("--")), str(parameter.opts[0]))
    return re.sub(r"[\[\].]", "", parameter.metavar or parameter.name.upper()).split()[0]


def _read_exit_code(error: BaseException) -> int:
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 0
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    return error.exit_code if isinstance(error, ArenaError | typer.Exit | typer.TyperException) else 1


def _explain(error: BaseException) -> str:
    """Return the line for a user; empty for a fault of Arena, whose traceback is to be reported."""
    if isinstance(error, typer.TyperException):
        return _explain_usage(error)
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


def _explain_usage(error: typer.TyperException) -> str:
    """Return the rule and what came: `--jobs: input should be a valid integer, not 'x'`."""
    parameter = getattr(error, "param", None)
    if parameter is None or not isinstance(error, typer.BadParameter):
        hint = getattr(error, "param_hint", None)
        message = re.sub(r"Got unexpected extra argument\(s\) \((.*)\)", r"too many arguments: \1", error.message)
        return f"{hint}: {message}" if hint else _lower(message)
    name = name_parameter(parameter)
    if not error.message:
        return f"{name} is missing"
    rule, _, _ = _lower(error.message.removeprefix("Value error, ")).partition(", unable")
    came = [repr(fault["input"]) for fault in getattr(error.__cause__, "errors", list)()[:1]]
    return f"{name}: {rule}" + "".join(f", not {value}" for value in came if value not in rule)


def _lower(message: str) -> str:
    return (message[:1].lower() + message[1:]).removesuffix(".")
