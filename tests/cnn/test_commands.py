"""The command that is shown for a run trains exactly that run."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from cnn.commands import format_train_command
from cnn.config import TilesInfo, config_to_dict, default_config
from cnn.overrides import override
from cnn.settings.tiles import TileSettings

TILES, RUNS = Path("tiles"), Path("runs")


@pytest.mark.parametrize("variant", ["raw", "bilateral+aug"])
@pytest.mark.parametrize("words", [(), ("train.epochs=3", "train.learning_rate=0.0037"), ("split.kind=loso", "split.fold=2")])
def test_its_digest_is_the_digest_of_the_run(variant: str, words: tuple[str, ...]) -> None:
    tiles = TileSettings(size=32)
    config = override(default_config(TilesInfo(corpus="c" * 16, settings=tiles), "resnet", variant), words)
    command = shlex.split(format_train_command(config.digest, config_to_dict(config), TILES, RUNS))
    assert command[:6] == ["arena", "train", "--model", "resnet", "--variant", variant]
    assert sorted(command[6:]) == sorted(words)
    assert (
        override(default_config(TilesInfo(corpus="c" * 16, settings=tiles), "resnet", variant), command[6:]).digest
        == config.digest
    )


def test_a_list_of_names_and_other_places_survive_the_shell() -> None:
    config = override(default_config(TilesInfo(corpus="c" * 16), "lenet5", "raw"), ("split.test_speakers=ann b,bob",))
    command = shlex.split(format_train_command(config.digest, config_to_dict(config), Path("my tiles"), Path("r")))
    assert command[6:] == ["--tiles", "my tiles", "--runs", "r", "split.test_speakers=ann b,bob"]


def test_there_is_none_for_a_run_that_this_version_would_train_otherwise() -> None:
    config = default_config(TilesInfo(corpus="c" * 16), "lenet5", "raw")
    assert format_train_command("0" * 16, config_to_dict(config), TILES, RUNS) == ""
    assert format_train_command(config.digest, {**config_to_dict(config), "new": {"key": 1}}, TILES, RUNS) == ""
    assert format_train_command(config.digest, {"corpus": "c"}, TILES, RUNS) == ""


def test_in_a_project_paths_are_from_its_folder_and_its_settings_stand_in_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nets.py").write_text("class MyNet: pass")
    (tmp_path / "arena.toml").write_text(
        '[models]\nA = "nets.py:MyNet"\nB = "lenet5"\n[folders]\nruns = "shelf"\n[settings]\ntrain.epochs = 5\n'
    )
    (tmp_path / "notes").mkdir()
    monkeypatch.chdir(tmp_path / "notes")
    config = default_config(TilesInfo(corpus="c" * 16), "../nets.py:MyNet", "raw")
    content = config_to_dict(config)
    command = "arena train --model nets.py:MyNet --variant raw train.epochs=20"
    assert format_train_command(config.digest, content, Path("../tiles"), tmp_path / "shelf") == command
    command = "arena train --model nets.py:MyNet --variant raw --tiles notes/tiles --runs runs train.epochs=20"
    assert format_train_command(config.digest, content, Path("tiles"), Path("../runs")) == command
    for typed in ("nets.py:MyNet", "../../elsewhere/nets.py:MyNet"):  # in the project's folder, and where it is not any more
        elsewhere = {**content, "model": {**content["model"], "name": typed}}
        assert format_train_command(config.digest, elsewhere, Path("tiles"), Path("../runs")) == command
