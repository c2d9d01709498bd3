"""Help pages for 80 columns: short words for values, so that explanations have room, and a line for each example."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

_METAVARS = {int: "N", float: "X", str: "TEXT", list[str]: "TEXT", Path: "PATH", list[Path]: "PATH"}


def shorten_metavars(parameters: Iterable[Any]) -> None:
    """Name the value of an option `N`, `TEXT` or `PATH`, or by its choices, and that of a flag not at all."""
    for option in parameters:
        if option.param_type_name == "option" and option.metavar is None:
            kind = option.type_descriptor
            choices = "|".join(str(choice.value) for choice in kind.choices or ()) if kind.is_choice else None
            option.metavar = "" if option.is_flag else choices or _METAVARS.get(kind.annotation)


def group_options(command: Any, parameters: Iterable[Any]) -> None:
    """Set the heading of each option whose function names one in `option_panels`, as `arena.base.options.panels` writes it."""
    headings = getattr(command.callback, "option_panels", {})
    for parameter in parameters:
        parameter.rich_help_panel = headings.get(parameter.name, parameter.rich_help_panel)


def list_examples(epilog: str | None) -> str | None:
    """Return `Examples: a · b` as a list in Markdown, so that none is broken where another begins."""
    title, _, examples = (epilog or "").partition("Examples: ")
    return epilog if title or not examples else "\n".join(("Examples:\n", *(f"- {line}" for line in examples.split(" · "))))
