"""Commands that refuse an option given twice where it takes one value: otherwise the last would win without a word."""

from __future__ import annotations

from collections import Counter
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


class StrictCommand(TyperCommand):
    """A command whose options are given once, unless they can be repeated."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _check_repeated(self, ctx, args)
        return super().parse_args(ctx, args)


class StrictGroup(TyperGroup):
    """A group of commands whose own options are given once, unless they can be repeated."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _check_repeated(self, ctx, args)
        return super().parse_args(ctx, args)


def _check_repeated(command: Any, context: Any, args: list[str]) -> None:
    if context.resilient_parsing:
        return
    _, _, order = command.make_parser(context).parse_args(args=list(args))
    counts = Counter(parameter.name for parameter in order)
    for parameter in command.params:
        takes_value = not getattr(parameter, "is_flag", False) or bool(parameter.secondary_opts)
        is_single = parameter.param_type_name == "option" and takes_value and not getattr(parameter, "multiple", False)
        if is_single and counts[parameter.name] > 1:
            times = f"{counts[parameter.name]} times" if counts[parameter.name] > 2 else "twice"
            raise typer.BadParameter(f"{parameter.opts[0]} takes one value and is given {times}; give it once")


def refuse_repeated_options(app: typer.Typer) -> None:
    """Make every command of `app` a StrictCommand, and every group a StrictGroup."""
    for command in app.registered_commands:
        command.cls = StrictCommand
    for group in app.registered_groups:
        group.cls = StrictGroup
        if group.typer_instance is not None:
            refuse_repeated_options(group.typer_instance)
