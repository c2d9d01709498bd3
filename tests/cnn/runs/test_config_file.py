"""Files of settings for `--config`: kinds, keys, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnn.config import RunConfig, TilesInfo, config_to_json, default_config
from cnn.errors import ConfigError
from cnn.overrides import override
from cnn.runs.config_file import read_config_file
from cnn.settings.tiles import TileSettings


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.toml", 'variant = "raw+aug"\n[train]\nepochs = 5\nlearning_rate = 1e-2\n[split]\ntest_speakers = ["ann", "bob"]\n'),
        ("a.yaml", "variant: raw+aug\ntrain:\n  epochs: 5\n  learning_rate: 1e-2\nsplit.test_speakers: [ann, bob]\n"),
        ("a.yml", "variant: raw+aug\nepochs: 5\nlr: 1e-2\ntest_speakers: 'ann,bob'\n"),
        ("a.json", '{"variant": "raw+aug", "train.epochs": 5, "lr": 0.01, "split": {"test_speakers": ["ann", "bob"]}}'),
        (
            "config.yaml",
            "wandb_version: 1\n_wandb: {}\nvariant: {value: raw+aug}\ntrain: {desc: null, value: {epochs: 5, "
            "learning_rate: 0.01}}\ntest_speakers: {value: [ann, bob]}\n",
        ),
    ],
)
def test_one_configuration_in_every_kind_of_file(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    file = read_config_file(tmp_path / name)
    assert (file.models, file.variants, file.list_tiles()) == ((), ("raw+aug",), [])
    config = override(RunConfig(corpus=""), file.list_settings())
    assert (config.train.epochs, config.train.learning_rate) == (5, 0.01)
    assert config.split.test_speakers == ("ann", "bob")


def test_a_runs_config_repeats_the_run_and_another_net_takes_its_training_alone(tmp_path: Path) -> None:
    base = default_config(TilesInfo(corpus="abc", settings=TileSettings(size=32)), "resnet", "bilateral+aug")
    config = override(base, ["epochs=3", "depth=2", "kind=loso", "fold=1", "shift=2"])
    (tmp_path / "config.json").write_text(json.dumps(config_to_json(config)))
    file = read_config_file(tmp_path / "config.json")
    again = override(
        default_config(TilesInfo(corpus="abc", settings=TileSettings(size=32)), *file.models, *file.variants),
        file.list_settings(),
    )
    assert again.digest == config.digest
    other = override(
        default_config(TilesInfo(corpus="abc", settings=TileSettings(size=32)), "lenet5", "raw"), file.list_settings(["lenet5"])
    )
    assert (other.train, other.model) == (config.train, default_config(TilesInfo(corpus=""), "lenet5", "raw").model)
    assert "tiles.size=32" in file.list_tiles()
    file.check_tiles(TileSettings(size=32))
    with pytest.raises(ConfigError, match=r"config\.json asks for tiles\.size=32, and the tiles have 64; make others with"):
        file.check_tiles(TileSettings())


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.txt", "", "a.txt is no file of settings; its name ends in .toml, .yaml, .yml, .json"),
        ("a.toml", "epochs = ", "a.toml is not TOML: Invalid value (at end of document); mend that line"),
        ("a.yaml", "- 1\n- 2\n", "a.yaml holds no settings; write keys with values, such as train.epochs"),
        ("a.yaml", "train: {epochs: }\n", "a.yaml: train.epochs has no value; write one, or leave the key out"),
        ("a.yaml", "train: {epoch: 5}\n", "a.yaml: unknown key 'train.epoch'; did you mean train.epochs=5?"),
        (
            "a.json",
            '{"lr": [0.1, 0.2]}',
            "a.json: train.learning_rate takes one value, not 0.1,0.2; to try several, write `train.learning_rate: "
            "{values: [0.1, 0.2]}` below `parameters:` of a sweep file, for `arena sweep run FILE`",
        ),
        ("a.yaml", "train:\n  batch_size: 032\n", "a.yaml line 2: 032 is read as 26 (base 8); write 32"),
        ("a.yaml", "lr: 0.1\nepochs: 1:30\n", "a.yaml line 2: 1:30 is read as 90 (base 60); write 90, or put it in quotes"),
        ("a.yaml", "train: {lr: 1, lr: 2}\n", "a.yaml line 1: lr stands there twice; keep one of them"),
        ("a.json", '{"lr": 1, "lr": 2}', "a.json has lr twice; keep one of them"),
        (
            "a.toml",
            "lr = 1\ntrain.learning_rate = 2\n",
            "a.toml: train.learning_rate is given twice, in two ways of writing it; keep one of them",
        ),
        ("a.yaml", "method: bayes\nparameters: {}\n", "a.yaml is a sweep file; tune with it: `arena sweep run a.yaml`"),
        (
            "arena.toml",
            "[settings]\ntrain.epochs = 5\n",
            "arena.toml is a project's arena.toml, which is read by itself in its folder; a file for --config has "
            "settings alone, such as train.epochs",
        ),
    ],
)
def test_what_is_no_file_of_settings_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        read_config_file(Path(name))
    assert str(refused.value) == line
