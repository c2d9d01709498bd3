"""The command line with the one command that was asked for: typer takes 0.1 s of processor time to build all hundred."""

from __future__ import annotations

import copy

import typer
from typer.models import CommandInfo, TyperInfo


def select_command(app: typer.Typer, word: str) -> typer.Typer:
    """Return `app` with the command or group called `word` alone; whole where it has none, so that help and hints know all."""
    selected = copy.copy(app)
    selected.registered_commands = [command for command in app.registered_commands if _name(command) == word]
    selected.registered_groups = [group for group in app.registered_groups if word in _names(group)]
    return selected if selected.registered_commands or selected.registered_groups else app


def list_commands(app: typer.Typer, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """List the words of all commands and groups of `app`, such as ("contest", "init"), without building them."""
    words = [(*path, _name(command)) for command in app.registered_commands if not command.hidden]
    for group in app.registered_groups:
        below = path
        if isinstance(group.name, str):
            below = (*path, group.name)
            words.append(below)
        if group.typer_instance:
            words += list_commands(group.typer_instance, below)
    return words


def _names(group: TyperInfo) -> set[str]:
    """Return the names by which a group adds itself: its own, or those of its commands where it has none."""
    if isinstance(group.name, str):
        return {group.name}
    return {_name(command) for command in group.typer_instance.registered_commands} if group.typer_instance else set()


def _name(command: CommandInfo) -> str:
    return command.name or (command.callback.__name__.replace("_", "-") if command.callback else "")
