"""Help as a newcomer reads it: commands under headings, a line for each at 80 columns, an example in every one."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

import arena.cli
from arena.command_line.summaries import SUMMARIES
from arena.command_line.tree import TREE

COMMANDS = dict(arena.cli.walk_commands())
ROOT = COMMANDS.pop("")


def test_every_command_shows_an_example() -> None:
    texts = {path: f"{command.help} {command.epilog}" for path, command in COMMANDS.items()}
    assert [path for path, text in texts.items() if "Example" not in text] == []


@pytest.mark.parametrize("group", SUMMARIES)
def test_a_group_lists_each_of_its_commands_on_one_line_under_a_heading(group: str) -> None:
    headings = SUMMARIES[group]
    assert sorted(name for lines in headings.values() for name in lines) == sorted(COMMANDS[group].commands)
    shown = CliRunner().invoke(arena.cli.app, [group, "--help"], env={"COLUMNS": "80"}).stdout
    for heading, lines in headings.items():
        assert f"─ {heading} ─" in shown
        assert [line for name, line in lines.items() if f" {line.replace('`', '')} " not in shown] == []


def test_the_first_help_lists_every_word_on_one_line() -> None:
    shown = CliRunner().invoke(arena.cli.app, ["--help"], env={"COLUMNS": "80"}).stdout
    assert [entry.word for entry in TREE if f" {entry.summary} " not in shown] == []
    assert {entry.word for entry in TREE} == set(ROOT.commands)
