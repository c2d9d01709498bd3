"""Reference of the command line, from the tree of commands: a page for each group, a section for each command."""

from __future__ import annotations

import functools
import re
from typing import Any

from arena.cli import walk_commands
from arena.command_line.aliases import ALIASES

_TYPES = {"str": "TEXT", "path": "PATH", "int": "N", "float": "X"}
_LEAVES = "arena"  # page of the commands that belong to no group
_EXAMPLES = re.compile(r"\s*Examples?:\s*")


@functools.cache
def list_commands() -> dict[str, Any]:
    """Return all commands and groups by their full names, `arena contest team add`."""
    return {f"arena {words}".strip(): command for words, command in walk_commands()}


def choose_page(name: str) -> str:
    """Return the page of a command: that of its group, nested groups on the page of the first."""
    words = name.split()
    is_group = len(words) > 1 and hasattr(list_commands()[" ".join(words[:2])], "commands")
    return words[1] if is_group else _LEAVES


def write_pages() -> dict[str, str]:
    """Return the text of each page by its name."""
    pages: dict[str, list[str]] = {}
    for name, command in list_commands().items():
        pages.setdefault(choose_page(name), []).append(_write_section(name, command))
    return {page: _write_head(page) + "\n".join(sections) for page, sections in pages.items()}


def _write_head(page: str) -> str:
    commands = {
        name: command for name, command in list_commands().items() if choose_page(name) == page and is_runnable(command)
    }
    title = "arena" if page == _LEAVES else f"arena {page}"
    rows = [f"| [`{name}`](#{anchor(name)}) | {_summarize(command)} |" for name, command in commands.items()]
    label = [] if title in commands else [f"({anchor(title)})="]
    return "\n".join([*label, f"# {title}", "", "| Command | Purpose |", "|---|---|", *rows, "", ""])


def anchor(name: str) -> str:
    return name.replace(" ", "-")


def is_runnable(command: Any) -> bool:
    """Return False for a group that does nothing by itself."""
    return not hasattr(command, "commands") or command.invoke_without_command


def _summarize(command: Any) -> str:
    text = " ".join(str(command.help).split())
    return re.split(r"(?<=[.!?])\s", text)[0].rstrip(".").replace("|", r"\|")


def _write_section(name: str, command: Any) -> str:
    if not is_runnable(command):
        return ""
    context = command.context_class(command, info_name=name)
    usage = re.sub(r"^Usage: ", "", command.get_usage(context))
    parameters = [_write_parameter(parameter, context) for parameter in command.params if not parameter.hidden]
    lines = [f"({anchor(name)})=", f"## {name}", "", str(command.help), "", "```text", " ".join(usage.split()), "```", ""]
    lines += [f"```{{program}} {name}", "```", "", *parameters]
    return "\n".join([*lines, *_write_epilog(command.epilog or ""), *_write_aliases(name)])


def _write_aliases(name: str) -> list[str]:
    others = [f"`arena {words}`" for words, command in ALIASES.items() if f"arena {command}" == name]
    return [f"Other words for it: {', '.join(others)}.", ""] if others else []


def _write_parameter(parameter: Any, context: Any) -> str:
    names, text = parameter.get_help_record(context)
    text, _, facts = text.partition("  [")
    names = re.sub(r"<(.*?)>", lambda match: _name_type(match[1]), names)
    if parameter.param_type_name == "argument":
        names = (parameter.metavar or parameter.name).upper()
    notes = " ".join(f"({fact})" for fact in facts.removesuffix("]").split("; ") if fact)
    return f":::{{option}} {names}\n{text.replace('<', '&lt;')} {notes}\n:::\n"


def _name_type(words: str) -> str:
    name = re.sub(r"^list\[(.*)\]$", r"\1", words).removesuffix(" range")
    return _TYPES.get(name, name)


def _write_epilog(epilog: str) -> list[str]:
    before, *examples = _EXAMPLES.split(epilog.strip(), maxsplit=1)
    lines = [before, ""] if before else []
    if examples:
        items = [item.strip().removeprefix("- ") for item in re.split(r" · |\n", examples[0]) if item.strip()]
        lines += ["Examples:", "", *(f"- {item if '`' in item else f'`{item}`'}" for item in items), ""]
    return lines
