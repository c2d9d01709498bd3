"""Proposals: every option and argument of every command has a completer or a reason to have none; each finds what is there."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from arena.cli import walk_commands
from arena.command_line.failures import name_parameter
from arena.completion.answer import propose
from arena.completion.table import COMMAND_COMPLETERS, COMPLETERS, find_completer
from cnn.config import EVERY_VARIANT
from cnn.runs.marks import label_run
from support.contests import made, solution
from support.run_folders import make_result, write_run

FREE = {  # words behind which any text may stand
    "--address": "an address that only the host knows",
    "--column": "a heading of a file that is not read at a Tab",
    "--deadline": "a moment to come",
    "--digits": "digits in the order of a recording",
    "--entity": "a name at W&B, which is not asked at a Tab",
    "--gpus": "numbers",
    "--group-by": "a heading of a file that is not read at a Tab",
    "--labels": "new names",
    "--length": "a number or a range",
    "--licence": "a sentence",
    "--member": "a person, whose data no shell shows",
    "--mirror": "an address",
    "--name": "a new name",
    "--note": "a sentence",
    "--only": "a pattern of names",
    "--pattern": "a pattern of the user's paths",
    "--place": "a setting of a cluster",
    "--points": "numbers",
    "--project": "a name at W&B, which is not asked at a Tab",
    "--proxy": "addresses",
    "--reason": "a sentence",
    "--root": "a path of a site",
    "--secret": "a secret",
    "--sources": "a sentence",
    "--speaker": "a new name",
    "--storage": "a database, which is not asked at a Tab",
    "--test-speakers": "speakers of a corpus that is not read at a Tab",
    "--title": "a sentence",
    "--try": "settings with commas between them",
    "--words": "ten words",
    "DEADLINE": "a moment to come",
    "MEMBER": "a person, whose data no shell shows",
    "NAME": "a new name",
    "TEXT": "a sentence",
}


PARAMETERS = [
    (tuple(words.split()), name_parameter(parameter), parameter)
    for words, command in walk_commands()
    for parameter in command.params
    if not getattr(parameter, "is_flag", False) and not getattr(parameter, "hidden", False)
]


def test_every_word_has_a_completer_or_a_reason_to_have_none() -> None:
    kinds: dict[str, set[str]] = {}
    for path, name, parameter in PARAMETERS:
        is_choice = bool(parameter.shell_complete(None, ""))
        is_number = parameter.type_descriptor.annotation in (int, float)
        kind = "completer" if find_completer(path, name) else "choice" if is_choice else "number" if is_number else "free"
        kinds.setdefault(kind, set()).add(name)
    assert kinds["free"] == set(FREE)
    assert kinds["completer"] & kinds["free"] == set()
    assert len(PARAMETERS) > 200


def test_the_table_has_no_word_that_no_command_has() -> None:
    names = {name for _, name, _ in PARAMETERS}
    assert set(COMPLETERS) - names == set()
    assert set(COMMAND_COMPLETERS) - {f"{' '.join(path)} {name}" for path, name, _ in PARAMETERS} == set()


def values(line: str) -> list[str]:
    *words, word = line.split(" ")
    return [proposal.value for proposal in propose(words, word)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ARENA_CONTEST", raising=False)
    return tmp_path


def test_commands_options_and_choices(folder: Path) -> None:
    assert values("con") == ["config", "contest"]
    assert values("contest to") == ["token"]
    assert values("contest token ") == ["new", "revoke"]
    assert values("experiments sh") == ["show"]
    assert values("runs --st") == ["--state"]
    assert values("runs --state finished --st") == []
    assert values("train --variant raw --vari") == ["--variant"]
    assert values("sweep run lenet5 --on ") == ["local", "slurm", "ray"]
    assert values("train --variant=bi") == ["--variant=bilateral", "--variant=bilateral+aug"]
    assert values("data get f") == ["fsdd", "fashion-mnist"]
    assert values("unknown ") == []


def test_keys_and_their_values(folder: Path) -> None:
    assert values("train train.ep") == ["train.epochs="]
    assert values("train lear") == ["learning_rate="]
    kinds = ("speaker", "becker", "loso", "folds", "random", "official")
    assert values("train split.kind=") == [f"split.kind={kind}" for kind in kinds]
    assert values("train optimizer=ad") == ["optimizer=adamw", "optimizer=adam"]
    assert values("train model=mob") == ["model=mobilenet"]
    assert values("train tiles.") == []
    assert "tiles.size=" in values("data prepare corpus tiles.")
    assert not any(proposal.is_whole for proposal in propose(["train"], "train."))


def test_files_by_their_kind(folder: Path) -> None:
    for name in ("true.csv", "net.onnx", "contest.db", "a.yaml", ".hidden.csv"):
        (folder / name).touch()
    (folder / "my voices").mkdir()
    assert values("contest validate ") == ["my voices/", "true.csv"]
    assert "my voices/" in values("data prepare corpus m")
    assert values("contest submit true.csv --onnx ") == ["my voices/", "net.onnx"]
    assert values("contest log --contest ") == ["contest.db", "my voices/"]
    assert values("data scan ") == ["my voices/"]
    assert values("sweep lint a.") == ["a.yaml"]
    assert values("contest validate .h") == [".hidden.csv"]


def test_nets_of_the_project_and_of_files(folder: Path) -> None:
    (folder / "mine.py").write_text("import torch\n\nclass Wide(torch.nn.Module):\n    pass\n\nclass Helper:\n    pass\n")
    (folder / "arena.toml").write_text('[models]\nA = "lenet5"\nB = "other/nets.py:Deep"\n')
    assert values("train --model ")[-2:] == ["mine.py:Wide", "other/nets.py:Deep"]
    assert values("train --model mine.py:") == ["mine.py:Wide"]
    assert values("models res") == ["resnet"]
    assert values("sweep run mi") == ["mine.py:Wide"]


def test_runs_tags_and_studies(folder: Path) -> None:
    run = write_run(folder / "runs", "aa15dd356d7fdb09", make_result(1))
    label_run(run, "first", ["wide"])
    (folder / "studies" / "lenet5.raw").mkdir(parents=True)
    (folder / "studies" / "lenet5.raw" / "study.json").write_text("{}")
    assert values("predict ") == ["latest", "best", "first", run.digest, "lenet5.raw"]
    assert values("runs --tag ") == ["wide"]
    assert values("predict --runs elsewhere ") == []
    assert values("sweep best ") == ["lenet5.raw"]
    assert values("sweep status lenet5.raw ") == []


def test_teams_of_the_contest_at_hand(folder: Path) -> None:
    made("contest.db", solution(), "Team Alpha", "Beta").close()
    before = sorted(path.name for path in folder.iterdir())
    assert values("contest attempts ") == ["Beta", "Team Alpha"]
    assert values("contest merge Beta --into T") == ["Team Alpha"]
    assert sorted(path.name for path in folder.iterdir()) == before
    with sqlite3.connect(folder / "contest.db") as holder:
        holder.execute("BEGIN EXCLUSIVE")
        assert values("contest attempts ") in ([], ["Beta", "Team Alpha"])
    assert values("contest attempts --contest postgresql://h/d ") == []


@pytest.mark.parametrize("name", ["arena.toml", "contest.db", "runs", "studies"])
def test_what_is_broken_gives_no_proposal_and_no_error(name: str, folder: Path) -> None:
    (folder / name).write_bytes(b"\xff = [")
    assert values("train --variant ") == list(EVERY_VARIANT)
    assert values("contest attempts ") == []
    assert values("predict ") == []
    assert values("sweep best ") == []
    assert "lenet5" in values("train --model ")
