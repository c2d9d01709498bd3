"""Rules that every command of the tree keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

import arena.cli
from arena.command_line.tree import select_app
from leaderboard.errors import ContestError
from support.paths import ROOT

TREE = dict(arena.cli.walk_commands())


def test_one_command_is_built_as_it_stands_in_the_whole_tree() -> None:
    for name in TREE[""].commands:
        selected = dict(arena.cli.walk_commands(select_app([name])))
        whole = {words: command for words, command in TREE.items() if f"{words} ".startswith(f"{name} ")}
        assert {path: [param.opts for param in selected[path].params] for path in whole} == {
            path: [param.opts for param in command.params] for path, command in whole.items()
        }


def test_every_command_about_a_contest_reads_its_path_from_the_environment() -> None:
    options = {name: param for name, command in TREE.items() for param in command.params if "--contest" in param.opts}
    del options["new"]  # writes the path into arena.toml
    assert len(options) >= 30
    assert {name: param.envvar for name, param in options.items() if param.envvar != "ARENA_CONTEST"} == {}


def test_commands_act_on_the_contest_that_the_environment_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("solution.csv").write_text("id,label\n" + "".join(f"c{n},{n % 2}\n" for n in range(20)))
    monkeypatch.setenv("ARENA_CONTEST", "other.db")
    for words in (["init", "solution.csv", "--name", "Digits"], ["team", "add", "Alpha"], ["validate", "solution.csv"]):
        ended = CliRunner().invoke(arena.cli.app, ["contest", *words])
        assert (ended.exit_code, ended.exception) == (0, None)
    assert {path.name for path in tmp_path.glob("*.db")} == {"other.db"}
    ended = CliRunner().invoke(arena.cli.app, ["contest", "team", "list", "--contest", "third.db"])
    assert isinstance(ended.exception, ContestError)
    assert str(ended.exception).startswith("third.db does not exist")


def help_texts() -> Iterator[tuple[str, str]]:
    """Every text that a reader of the help or of the pages sees, with its source."""
    for name, command in TREE.items():
        yield name, f"{command.help} {command.epilog} {command.short_help}"
        yield from ((name, str(getattr(param, "help", ""))) for param in command.params)
    yield from ((path.name, path.read_text(encoding="utf-8")) for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")))


def test_no_help_text_or_page_shows_a_path_of_the_authors_machine() -> None:
    texts = list(help_texts())
    assert len(texts) > 300
    assert [source for source, text in texts if re.search(r"\.\./shared|shared/corpora", text)] == []


@pytest.mark.parametrize("path", ["train", "sweep run", "contest serve"])
def test_a_help_page_fits_80_columns_with_every_word_whole_and_each_example_in_a_line(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = CliRunner().invoke(arena.cli.app, [*path.split(), "--help"]).output
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert "<bool>" not in text
    examples = (TREE[path].epilog or "").removeprefix("Examples: ").replace("`", "").split(" · ")
    assert all(example in text for example in examples)
