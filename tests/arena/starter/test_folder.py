"""A team's folder: complete, equal in both languages, made once."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

import arena.cli
from arena.base.project import KEYS, ProjectError, read_project
from sweeps.linting.lint import read_sweep

FILES = {"arena.toml", "nets.py", "sweep-a.yaml", "sweep-b.yaml", "project.ipynb", "README.md", ".gitignore"}


def make(*words: str) -> str:
    result = CliRunner().invoke(arena.cli.app, ["new", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return " ".join(result.output.split())


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_folder_has_every_key_two_nets_and_a_sweep_file_for_each(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("recordings").mkdir()
    printed = make("team", "--lang", language, "--corpus", "recordings", "--team", "Formantes")
    assert {path.name for path in Path("team").iterdir()} == FILES
    assert "next: cd team; arena data prepare" in printed
    text = Path("team/arena.toml").read_text()
    every = tomllib.loads(re.sub(r"^# (?=[\w.]+ = )", "", text, flags=re.MULTILINE))
    keys = {f"{table}.{key}" for table, values in every.items() if isinstance(values, dict) for key in values}
    assert set(KEYS) <= keys | set(every)
    project = read_project(Path("team/arena.toml"))
    assert (project.text("corpus"), project.text("contest.team"), project.page) == ("recordings", "Formantes", "")
    assert project.models == ("team/nets.py:MyLeNet", "team/nets.py:MyMobileNet")
    monkeypatch.chdir("team")
    for net, file in (("MyLeNet", "sweep-a.yaml"), ("MyMobileNet", "sweep-b.yaml")):
        sweep = read_sweep(file)
        assert sweep.constants["model.name"] == f"nets.py:{net}"
        assert [parameter.name for parameter in sweep.parameters if parameter.distribution != "constant"] == [
            *("train.learning_rate", "train.batch_size", "model.depth")
        ]


def test_the_nets_of_both_languages_are_the_same_code_with_other_words() -> None:
    make("team")
    make("equipo", "--lang", "es")
    texts = [Path(folder, "nets.py").read_text() for folder in ("team", "equipo")]
    english, spanish = (re.sub(r'"""[^"]+"""', "", ast.unparse(ast.parse(text))) for text in texts)
    assert english == spanish
    assert "Model B, after MobileNet" in texts[0]
    assert "Modelo B, según MobileNet" in texts[1]
    assert "lenet5" not in texts[0]


def test_nothing_is_replaced_and_this_folder_can_be_the_teams() -> None:
    Path("nets.py").write_text("ours\n")
    with pytest.raises(ProjectError, match=r"^\. has nets.py already, and nothing is replaced"):
        make(".")
    assert [path.name for path in Path().iterdir()] == ["nets.py"]
    Path("nets.py").unlink()
    assert "recordings is no folder yet: fill it, or name another in arena.toml; then arena data prepare" in make(".")


def test_recordings_contest_and_settings_are_those_of_the_project_around() -> None:
    Path("arena.toml").write_text(
        'corpus = "train"\n[contest]\naddress = "https://digits.example.org"\n[settings]\nsplit.kind = "random"\n'
    )
    make("team")
    project = read_project(Path("team/arena.toml"))
    assert (project.text("corpus"), project.page) == ("train", "https://digits.example.org")
    assert project.settings == {"train.epochs": 20, "split.kind": "random"}
