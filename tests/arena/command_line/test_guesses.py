"""Guesses of people who know other tools: each does what was meant, or names the line to type."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from arena.cli import walk_commands
from arena.command_line.aliases import ALIASES, replace_aliases
from arena.command_line.hints import HINTS
from arena.command_line.main import run_command_line
from arena.command_line.option_words import BY_COMMAND, FIXED, NAMES, REASONS
from arena.command_line.tree import list_commands
from cnn.overrides import spell_out

GUESSES = tomllib.loads(Path(__file__).with_name("guesses.toml").read_text(encoding="utf-8"))
TREE = [" ".join(words) for words in list_commands()]

OPTIONS = {  # options, and arguments as <name>, of every command
    words: {
        text
        for param in command.params
        for text in (*param.opts, *param.secondary_opts, f"<{param.name}>" if param.param_type_name == "argument" else "--")
    }
    for words, command in walk_commands()
}


def find_command(line: str) -> str:
    """Return the words of `line` that are a command; the longest."""
    return max((name for name in TREE if f"{line} ".startswith(f"{name} ")), key=len, default="")


def find_lines(text: str) -> list[str]:
    """Return the lines `arena ...` in an explanation, without `arena`."""
    return re.findall(r"arena ((?!has )[a-z][^,(;`]*)", text)


def test_a_guess_does_what_was_meant() -> None:
    assert {guess: shlex.join(replace_aliases(shlex.split(guess))) for guess in GUESSES["does"]} == GUESSES["does"]
    assert {guess: spell_out([guess])[0] for guess in GUESSES["sets"]} == GUESSES["sets"]


def test_a_guess_that_does_nothing_names_the_line_to_type(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    failures = {}
    for guess, line in GUESSES["names"].items():
        monkeypatch.setattr("sys.argv", ["arena", *shlex.split(guess)])
        with pytest.raises(SystemExit) as ended:
            run_command_line()
        printed = capsys.readouterr()
        if ended.value.code not in (1, 2) or printed.out or line not in printed.err or printed.err.count("\n") != 1:
            failures[guess] = (line, ended.value.code, printed.out + printed.err)
    assert failures == {}
    assert list(tmp_path.iterdir()) == []


def test_every_alias_and_every_hint_names_commands_that_exist() -> None:
    assert {words for words in (*ALIASES, *HINTS) if words in TREE} == set()
    assert set(ALIASES) & set(HINTS) == set()
    assert [line for line in ALIASES.values() if not line.startswith("--") and not find_command(line)] == []
    lines = {line for text in (*HINTS.values(), *REASONS, *BY_COMMAND.values()) for line in find_lines(text)}
    assert len(lines) > 100
    assert [line for line in lines if not find_command(line)] == []
    options = {line: set(re.findall(r"--[a-z-]+", line)) - OPTIONS[find_command(line)] for line in lines}
    assert {line: unknown for line, unknown in options.items() if unknown - {"--help"}} == {}


def test_every_option_that_another_tools_option_is_told_as_exists() -> None:
    names = {name.split()[0] for name in (*NAMES, *FIXED)}
    assert names - set().union(*OPTIONS.values()) - {"--version"} == set()
