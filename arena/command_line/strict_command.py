"""Commands that refuse what they cannot read: an unknown word or option, and an option given twice where it takes one value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from arena.command_line.help_pages import group_options, list_examples, shorten_metavars
from arena.command_line.unknown_command import explain_command
from arena.command_line.unknown_option import explain_option

_ClickError: Any = typer.BadParameter.__base__  # a line that cannot be read; typer exports its children alone


class StrictCommand(TyperCommand):
    """A command whose options are given once, unless they can be repeated."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _check_options(self, ctx, args)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        shorten_metavars(self.get_params(ctx))
        group_options(self, self.get_params(ctx))
        self.epilog = list_examples(self.epilog)
        super().format_help(ctx, formatter)


class StrictGroup(TyperGroup):
    """A group of commands that knows the whole tree, for hints; its own options are given once, unless they can be repeated."""

    list_tree: Callable[[], list[tuple[str, ...]]]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _check_options(self, ctx, args)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        shorten_metavars(self.get_params(ctx))
        self.epilog = list_examples(self.epilog)
        super().format_help(ctx, formatter)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if not ctx.resilient_parsing and self.get_command(ctx, args[0]) is None:
            raise explain_command(self.list_tree(), tuple(ctx.command_path.split()[1:]), args)
        return super().resolve_command(ctx, args)


def _check_options(command: Any, context: Any, args: list[str]) -> None:
    if context.resilient_parsing:
        return

    def find_unknown(line: list[str]) -> str:
        try:
            command.make_parser(context).parse_args(args=line)
        except _ClickError as error:
            return error.option_name if type(error).__name__ == "NoSuchOption" else ""
        return ""

    if find_unknown(list(args)):
        raise explain_option(command, " ".join(context.command_path.split()[1:]), args, find_unknown)
    try:
        _, _, order = command.make_parser(context).parse_args(args=list(args))
    except _ClickError as error:
        error.ctx = context  # for the line of usage
        raise
    counts = Counter(parameter.name for parameter in order)
    for parameter in command.params:
        takes_value = not getattr(parameter, "is_flag", False) or bool(parameter.secondary_opts)
        is_single = parameter.param_type_name == "option" and takes_value and not getattr(parameter, "multiple", False)
        if is_single and counts[parameter.name] > 1:
            times = f"{counts[parameter.name]} times" if counts[parameter.name] > 2 else "twice"
            raise typer.BadParameter(f"{parameter.opts[0]} takes one value and is given {times}; give it once", context)


def make_strict(app: typer.Typer, list_tree: Callable[[], list[tuple[str, ...]]]) -> None:
    """Make every command of `app` a StrictCommand, and every group a StrictGroup; `list_tree` lists all words for hints."""
    strict_group = type("StrictGroup", (StrictGroup,), {"list_tree": staticmethod(list_tree)})
    app.info.cls = strict_group
    _set_classes(app, strict_group)


def _set_classes(app: typer.Typer, strict_group: type[StrictGroup]) -> None:
    for command in app.registered_commands:
        command.cls = StrictCommand
    for group in app.registered_groups:
        group.cls = strict_group
        if group.typer_instance is not None:
            _set_classes(group.typer_instance, strict_group)
