"""One word, one meaning: every option and argument of the command line is in a table, of one kind in all commands."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_origin

import arena.cli
from support.paths import ROOT

TABLE = tomllib.loads((ROOT / "tests" / "arena" / "options.toml").read_text(encoding="utf-8"))
KINDS = {bool: "flag", int: "count", float: "number", Path: "path", str: "text"}


def parameters() -> Iterator[tuple[str, Any]]:
    """Every option by its long word, and every argument by the word that help shows for it, of the whole tree."""
    for parameter in (parameter for _, command in arena.cli.walk_commands() for parameter in command.params):
        if parameter.name != "help":
            yield parameter.opts[0] if parameter.param_type_name == "option" else parameter.metavar or parameter.name, parameter


def kind(parameter: Any) -> str:
    annotation = parameter.type_descriptor.annotation
    if get_origin(annotation) is list:
        (annotation,) = get_args(annotation)
    return "choice" if issubclass(annotation, Enum) else KINDS[annotation]


def test_a_word_of_the_command_line_has_one_kind_and_says_one_thing_in_every_command() -> None:
    kinds: dict[str, set[str]] = {}
    texts: dict[str, set[str]] = {}
    for word, parameter in parameters():
        kinds.setdefault(word, set()).add(kind(parameter))
        texts.setdefault(word, set()).add(parameter.help or "")
    table = {**TABLE["option"], **TABLE["argument"]}
    assert {word: sorted(values) for word, values in sorted(kinds.items())} == {
        word: [line["kind"]] for word, line in sorted(table.items())
    }
    assert {word: len(values) for word, values in sorted(texts.items())} == {
        word: line.get("ways", 1) for word, line in sorted(table.items())
    }


def test_two_words_of_the_table_do_not_mean_the_same() -> None:
    for section in TABLE.values():
        meanings = [line["meaning"] for line in section.values()]
        assert sorted(meanings) == sorted(set(meanings))
