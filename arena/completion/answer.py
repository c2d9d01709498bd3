"""Proposals for the last word of a command line: commands, options and values."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import typer.main

from arena.command_line.aliases import replace_aliases
from arena.command_line.root import build_root
from arena.command_line.tree import TREE, select_app
from arena.completion.proposal import Proposal, TypedLine
from arena.completion.table import find_completer


def propose(words: Sequence[str], word: str) -> list[Proposal]:
    """Return what may stand in place of `word`, unfinished, behind the `words` that follow `arena`.

    No error of a project, a contest or a folder of runs leaves it: whoever presses Tab gets what was known before it.
    """
    proposals: dict[str, Proposal] = {}
    with contextlib.suppress(Exception):
        for proposal in _propose(words, word):
            if proposal.value.startswith(word):
                proposals.setdefault(proposal.value, proposal)
    return list(proposals.values())


def _propose(words: Sequence[str], word: str) -> Iterable[Proposal]:
    if words:
        words = replace_aliases(words)
    if not words:
        commands = [Proposal(entry.word, entry.summary) for entry in TREE]
        return _list_options(_build(build_root()), TypedLine()) if word.startswith("-") else commands
    if words[0] not in {entry.word for entry in TREE}:
        return []
    command, n_words = _build(select_app(words[:1])), 0
    while n_words < len(words) and (child := getattr(command, "commands", {}).get(words[n_words])):
        command, n_words = child, n_words + 1
    line, pending, only_arguments = _read_line(command, tuple(words[:n_words]), words[n_words:])
    name, equals, value = word.partition("=")
    if pending is not None:
        return _complete(pending, line, word)
    if word.startswith("--") and equals and not only_arguments:
        values = _complete(_find_option(command, name), line, value)
        return (Proposal(f"{name}={proposal.value}", proposal.help, proposal.is_whole) for proposal in values)
    if word.startswith("-") and not only_arguments:
        return _list_options(command, line)
    return [*_list_commands(command, line), *_complete(_find_argument(command, len(line.arguments)), line, word)]


def _build(app: typer.Typer) -> Any:
    return typer.main.get_command(app)


def _read_line(command: Any, path: tuple[str, ...], words: Sequence[str]) -> tuple[TypedLine, Any, bool]:
    """Return what was typed, the option whose value is next, and True where `--` has ended the options."""
    options: dict[str, list[str]] = {}
    arguments: list[str] = []
    pending, only_arguments = None, False
    for word in words:
        name, equals, value = word.partition("=")
        if pending is not None:
            options.setdefault(name_parameter(pending), []).append(word)
            pending = None
        elif only_arguments or not word.startswith("-") or word == "-":
            arguments.append(word)
        elif word == "--":
            only_arguments = True
        elif option := _find_option(command, name):
            options.setdefault(name_parameter(option), []).extend([value] if equals else [])
            pending = None if equals or option.is_flag else option
    return TypedLine(path=path, options=options, arguments=tuple(arguments)), pending, only_arguments


def _find_option(command: Any, name: str) -> Any:
    options = (option for option in command.params if option.param_type_name == "option")
    return next((option for option in options if name in (*option.opts, *option.secondary_opts)), None)


def _find_argument(command: Any, n_before: int) -> Any:
    arguments = [argument for argument in command.params if argument.param_type_name == "argument"]
    repeated = [argument for argument in arguments if argument.nargs == -1]
    return arguments[n_before] if n_before < len(arguments) else next(iter(repeated), None)


def name_parameter(parameter: Any) -> str:
    """Return the word of a parameter: `--runs` of an option, `RUN` of an argument."""
    if parameter.param_type_name == "option":
        return next((text for text in parameter.opts if text.startswith("--")), str(parameter.opts[0]))
    return re.sub(r"[\[\].]", "", parameter.metavar or parameter.name.upper()).split()[0]


def _complete(parameter: Any, line: TypedLine, word: str) -> Iterable[Proposal]:
    if parameter is None:
        return []
    if completer := find_completer(line.path, name_parameter(parameter)):
        return completer(line, word)
    choices = (item for item in parameter.shell_complete(None, word) if item.type == "plain")
    return (Proposal(str(item.value)) for item in choices)


def _list_commands(command: Any, line: TypedLine) -> Iterator[Proposal]:
    for name, child in getattr(command, "commands", {}).items():
        if not child.hidden and not line.arguments:
            yield Proposal(name, child.get_short_help_str(90))


def _list_options(command: Any, line: TypedLine) -> Iterator[Proposal]:
    """List the long options, without those that were given and cannot be repeated."""
    for option in command.params:
        if option.param_type_name == "option" and not option.hidden:
            is_open = name_parameter(option) not in line.options or option.multiple
            for text in (*option.opts, *option.secondary_opts) if is_open else ():
                yield Proposal(text, " ".join((option.help or "").split()))
    yield Proposal("--help", "Show this message and exit.")
