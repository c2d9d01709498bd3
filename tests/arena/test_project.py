"""A project on the command line: its defaults for every command, and `arena config`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import arena.cli
from arena.base.project import Project, read_project
from arena.command_line.defaults import build_defaults


def leaves(command: Any, words: str = "") -> dict[str, Any]:
    below = getattr(command, "commands", {})
    own = {} if below else {words: command}
    return own | {k: v for name, sub in below.items() for k, v in leaves(sub, f"{words} {name}".strip()).items()}


COMMAND = typer.main.get_command(arena.cli.app)


def value_at(defaults: dict[str, Any], words: str) -> dict[str, Any]:
    for word in words.split():
        defaults = defaults[word]
    return defaults


@pytest.fixture
def below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "arena.toml").write_text(
        'corpus = "rec"\n[contest]\naddress = "https://digits.example.org"\nteam = "F"\n[folders]\nruns = "out"\n'
        '[wandb]\nproject = "digits"\n[settings]\ntrain.epochs = 3\n'
    )
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    monkeypatch.setenv("WANDB_PROJECT", "digits")
    return tmp_path


def test_every_command_that_reads_tiles_runs_studies_or_the_contest_takes_the_projects(below: Path) -> None:
    defaults = build_defaults(COMMAND, read_project(below / "arena.toml"))
    expected = {"tiles": "../tiles", "runs": "../out", "studies": "../studies", "contest": "../contest.db"}
    for words, command in leaves(COMMAND).items():
        values = value_at(defaults, words)
        for parameter in command.params:
            if parameter.name in expected and parameter.default is not None:
                assert values[parameter.name] == expected[parameter.name], words
    assert value_at(defaults, "sweep agent") == {"studies": "../studies"}  # its tiles and runs belong to --storage
    assert value_at(defaults, "submit") == {"address": "https://digits.example.org", "team": "F"}
    assert value_at(defaults, "contest submit")["team"] == "F"
    assert value_at(defaults, "data prepare") == {"folder": "../rec", "tiles": "../tiles"}
    assert value_at(defaults, "report build") == {"runs": "../out", "tiles": "../tiles"}  # no studies yet
    (below / "studies").mkdir()
    assert value_at(build_defaults(COMMAND, read_project(below / "arena.toml")), "report build")["studies"] == "../studies"
    assert build_defaults(COMMAND, Project(folder=below / "sub")) == {}


def test_the_list_of_runs_is_that_of_the_projects_folder(below: Path) -> None:
    result = CliRunner().invoke(arena.cli.app, ["runs"], catch_exceptions=False)
    assert (result.exit_code, result.stderr) == (0, "no run in ../out; `arena train` makes one\n")


def test_no_option_of_a_group_has_the_name_of_its_command_whose_defaults_it_would_take() -> None:
    groups = [COMMAND]
    for group in groups:  # grows
        groups += [sub for sub in group.commands.values() if hasattr(sub, "commands")]
        assert {parameter.name for parameter in group.params} & set(group.commands) == set(), group.name


def test_config_says_what_holds_and_where_it_comes_from(below: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARENA_TEAM", "Mel Street")
    content = json.loads(CliRunner().invoke(arena.cli.app, ["config", "--json"], catch_exceptions=False).stdout)
    assert content["file"] == str(below / "arena.toml")
    rows = {row["key"]: (row["value"], row["from"]) for row in content["values"]}
    assert rows["corpus"] == ("rec", "arena.toml")
    assert rows["models.A"] == ("lenet5", "default")
    assert rows["contest.team"] == ("Mel Street", "ARENA_TEAM")
    assert rows["wandb.project"] == ("digits", "arena.toml")
    assert rows["settings.train.epochs"] == (3, "arena.toml")
    assert rows["install"] == ("", "not set")


def test_the_settings_that_train_would_take_are_the_projects(below: Path) -> None:
    rows = json.loads(CliRunner().invoke(arena.cli.app, ["train", "--keys", "--json"], catch_exceptions=False).stdout)
    assert next(row["default"] for row in rows if row["key"] == "train.epochs") == 3
    assert os.environ["WANDB_PROJECT"] == "digits"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("train --device cpu --device auto", "--device takes one value and is given twice; give it once"),
        ("sweep run lenet5 --variant raw --seed 1 --seed 2 --seed 3", "--seed takes one value and is given 3 times"),
        ("runs --state failed --state finished", "--state takes one value and is given twice"),
        ("sweep run lenet5 --variant raw --smoke --no-smoke", "--smoke takes one value and is given twice"),
    ],
)
def test_an_option_that_takes_one_value_is_not_dropped_in_silence(words: str, message: str) -> None:
    result = CliRunner().invoke(arena.cli.app, words.split(), env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_the_projects_address_is_said_before_the_token_goes_there(below: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (below / "submission.csv").write_text("id,label\na,1\n")
    monkeypatch.setenv("ARENA_TOKEN", "no token, ñ")  # is refused before anything is sent
    words = ["submit", str(below / "submission.csv")]
    said = "the token goes to https://digits.example.org, the address in arena.toml\n"
    result = CliRunner().invoke(arena.cli.app, words, catch_exceptions=False)
    assert (result.exit_code, result.stderr.startswith(f"{said}error: a token is one line")) == (7, True)
    result = CliRunner().invoke(arena.cli.app, [*words, "--address", "https://digits.example.org"], catch_exceptions=False)
    assert (result.exit_code, said in result.stderr) == (7, False)
