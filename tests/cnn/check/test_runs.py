"""Own nets of several trainings: each is tried and warned of once, and what one does not read is left out or refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cnn.check.runs import check_own_nets
from cnn.cli.train import app
from cnn.config import RunConfig, default_config
from cnn.errors import ModelError
from cnn.overrides import override
from cnn.tiles.tile_set import TileSet
from cnn.train.training_run import train
from support.own_nets import format_net, write_net

NET = format_net("return self.last(x.flatten(1)).softmax(1)", "self.last = nn.Linear(size * size, n_classes)")


def make_configs(tiles: TileSet, path: Path, *assignments: str) -> list[RunConfig]:
    cells = [(model, variant) for model in (f"{path}:Net", "lenet5") for variant in ("raw", "raw+aug")]
    return [override(default_config(tiles.info, *cell), ["train.epochs=1", *assignments]) for cell in cells]


def test_a_net_is_warned_of_once_and_trained_without_what_it_does_not_read(tmp_path: Path, tiles: TileSet) -> None:
    path = write_net(tmp_path, NET)
    said: list[str] = []
    configs = check_own_nets(make_configs(tiles, path, "model.depth=3", "model.dropout=0.5"), tmp_path / "runs", said.append)
    assert said == [
        f"warning: {path} line 9: Net: forward ends in softmax, and trains badly: the training's loss does the softmax itself; "
        "return what goes into it",
        "Net does not read settings.depth and settings.dropout: it is trained without model.depth=3 and model.dropout=0.5",
    ]
    expected = make_configs(tiles, path)[:2] + make_configs(tiles, path, "model.depth=3", "model.dropout=0.5")[2:]
    assert [config.digest for config in configs] == [config.digest for config in expected]
    train(configs[0], tiles, tmp_path / "runs", device="cpu")
    said.clear()
    check_own_nets(configs[:1], tmp_path / "runs", said.append)
    assert said == []  # finished


def test_a_setting_that_the_net_does_not_read_is_refused_where_it_is_typed(tmp_path: Path, tiles: TileSet) -> None:
    path = write_net(tmp_path, NET)
    rule = (
        f"{path}: Net does not read settings.depth, so model.depth would change nothing; leave that out, or use it in __init__"
    )
    options = ["--tiles", str(tiles.folder), "--runs", str(tmp_path / "runs"), "--device", "cpu"]
    result = CliRunner().invoke(app, ["--model", f"{path}:Net", "model.depth=2", *options])  # the default, yet typed
    assert (result.exit_code, str(result.exception)) == (1, rule)
    (config, *_) = make_configs(tiles, path)
    deep = replace(config, model=replace(config.model, depth=3))
    with pytest.raises(ModelError) as error:
        train(deep, tiles, tmp_path / "runs", device="cpu")
    assert str(error.value) == rule
