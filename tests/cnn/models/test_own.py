"""A net of a team's own: named by its content, kept with its run, tried before training, and each mistake told in one line."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cnn.config import RunConfig, config_to_dict, default_config
from cnn.corpus.recordings import find_recordings
from cnn.errors import ConfigError, ModelError
from cnn.inference.predict import predict_recordings
from cnn.models.registry import build_net, seed_generators
from cnn.overrides import apply_values, config_from_dict, override
from cnn.runs.folder import RunState
from cnn.settings.model import model_defaults
from cnn.tiles.tile_set import TileSet
from cnn.train.training_run import Decision, train
from support.own_nets import HEAD, PAGE_NET, format_net, write_net


def config(tiles: TileSet, path: Path) -> RunConfig:
    return override(default_config(tiles.info, f"{path}:MyNet", "raw"), ["train.epochs=2"])


def test_a_run_is_named_by_the_files_content_and_the_class(tmp_path: Path, tiles: TileSet) -> None:
    here, there = write_net(tmp_path / "a", PAGE_NET), write_net(tmp_path / "b", PAGE_NET, "other.py")
    assert config(tiles, here).digest == config(tiles, there).digest
    before = config(tiles, here)
    write_net(tmp_path / "a", PAGE_NET + "\nclass Other(MyNet): pass\n")
    assert config(tiles, here).digest != before.digest
    assert apply_values(before, {"model.name": f"{here}:Other"}).digest != config(tiles, here).digest
    here.unlink()
    assert config_from_dict(config_to_dict(before)) == before


def test_depth_and_width_are_free_within_wide_bounds(tmp_path: Path, tiles: TileSet) -> None:
    base = config(tiles, write_net(tmp_path, PAGE_NET))
    assert override(base, ["model.depth=900", "model.width=0.02"]).model.depth == 900
    with pytest.raises(ConfigError, match=r"model\.depth of a net of your own lies between 1 and 1000, not 1001"):
        override(base, ["model.depth=1001"])
    with pytest.raises(ConfigError, match=r"unknown key 'model\.source'"):
        override(base, ["model.source=0"])


def test_a_run_goes_on_and_predicts_when_the_original_is_gone(tmp_path: Path, tiles: TileSet, corpus_folder: Path) -> None:
    path = write_net(tmp_path / "team", PAGE_NET)
    wanted = config(tiles, path)
    whole = train(wanted, tiles, tmp_path / "whole", device="cpu")
    paused = train(wanted, tiles, tmp_path / "runs", device="cpu", on_epoch=lambda _row: Decision.PAUSE)
    assert (paused.path / "model.py").read_text() == PAGE_NET
    path.write_text("changed")
    train(wanted, tiles, tmp_path / "runs", device="cpu")
    assert paused.state() is RunState.FINISHED
    assert paused.predictions() == whole.predictions()
    path.unlink()
    clips = find_recordings(corpus_folder)[:4]
    found = predict_recordings(paused, clips, "cpu", lambda *_: None)
    assert [answer.id for answer in found.answers] == [clip.name for clip in clips]


def test_a_changed_file_without_a_copy_is_told(tmp_path: Path, tiles: TileSet) -> None:
    path = write_net(tmp_path, PAGE_NET)
    wanted = config(tiles, path)
    path.write_text("changed")
    with pytest.raises(ModelError, match=r"net\.py has changed since this run was named, and .*model\.py is no copy of it"):
        train(wanted, tiles, tmp_path / "runs", device="cpu")
    assert not (tmp_path / "runs").exists()


def test_a_class_takes_what_it_names_of_settings_size_and_n_classes(tmp_path: Path) -> None:
    text = f"""{HEAD}
class Any(nn.Linear):
    def __init__(self, {{}}):
        super().__init__(1, 1)
        self.given = {{}}
"""
    given = {}
    for parameters in ("n_classes, size", "k=3, *, size=7, settings", "hidden=8, bias=True", "*args, **others"):
        names = re.findall(r"n_classes|size|settings", parameters)
        value = ", ".join(f"{name}={name}" for name in names)
        path = write_net(tmp_path, text.format(parameters, f"dict({value})"))
        made: object = build_net(model_defaults(f"{path}:Any"), 32, 10).given
        given[parameters] = {k: getattr(v, "label", v) for k, v in made.items()}  # type: ignore[attr-defined]
    assert given == {
        "n_classes, size": {"n_classes": 10, "size": 32},
        "k=3, *, size=7, settings": {"size": 32, "settings": "Any"},
        "hidden=8, bias=True": {},
        "*args, **others": {},
    }


LAZY = format_net(
    "return self.last(self.norm(self.first(x)).relu().flatten(1))",
    "self.first, self.norm, self.last = nn.LazyConv2d(8, 5, 2), nn.LazyBatchNorm2d(), nn.LazyLinear(n_classes)",
).replace("class Net", "class MyNet")


def test_a_lazy_net_has_its_weights_before_the_optimiser_and_the_same_ones_for_a_seed(tmp_path: Path, tiles: TileSet) -> None:
    wanted = config(tiles, write_net(tmp_path, LAZY))
    nets = []
    for seed in (0, 0, 1):
        with seed_generators(seed, torch.device("cpu")):
            nets.append(build_net(wanted.model, 32, 10))
    assert [type(layer).__name__ for layer in nets[0].children()] == ["Conv2d", "BatchNorm2d", "Linear"]
    assert all(net.training for net in nets)
    same, other = (nets[0].state_dict(), nets[1].state_dict()), nets[2].state_dict()
    assert all(torch.equal(same[0][name], same[1][name]) for name in other)
    assert not torch.equal(same[0]["last.weight"], other["last.weight"])
    runs = [train(wanted, tiles, tmp_path / folder, device="cpu") for folder in ("a", "b")]
    assert runs[0].predictions() == runs[1].predictions()


DRAWS = """
import random
import numpy as np
from torch import nn

class MyNet(nn.Module):
    def __init__(self, settings, size, n_classes):
        super().__init__()
        self.last = nn.Linear(size * size, n_classes)
        self.last.weight.data *= 1 + np.random.rand()

    def forward(self, x):
        if self.training:
            x = x * (0.5 + random.random()) + 0.3 * np.random.randn()
        return self.last(x.flatten(1))
"""


def test_draws_of_numpy_and_python_are_the_same_when_repeated_and_when_gone_on_with(tmp_path: Path, tiles: TileSet) -> None:
    wanted = override(config(tiles, write_net(tmp_path, DRAWS)), ["train.epochs=3"])
    random.seed(1)
    np.random.seed(1)
    whole = train(wanted, tiles, tmp_path / "whole", device="cpu")
    drawn = random.random(), np.random.rand()
    random.seed(2)
    np.random.seed(2)
    train(wanted, tiles, tmp_path / "runs", device="cpu", on_epoch=lambda _row: Decision.PAUSE)
    np.random.seed(3)
    again = train(wanted, tiles, tmp_path / "runs", device="cpu")
    assert [replace(row, seconds=0) for row in again.epochs()] == [replace(row, seconds=0) for row in whole.epochs()]
    assert again.predictions() == whole.predictions()
    random.seed(1)
    np.random.seed(1)
    assert drawn == (random.random(), np.random.rand())  # training has left both as they were


def test_a_missing_file_and_a_missing_class_name_are_told_with_what_is_there(tmp_path: Path) -> None:
    path = write_net(tmp_path, PAGE_NET, "my_net.py")
    with pytest.raises(
        ModelError, match=r"cannot read the net in .*my_nett.py \(No such file or directory\); did you mean .*my_net.py"
    ):
        model_defaults(f"{tmp_path}/my_nett.py:MyNet")
    path.write_text(f"{PAGE_NET}\n\nclass Second(MyNet):\n    pass\n")
    with pytest.raises(ModelError, match=r"named path/to/file.py:ClassName; write .*my_net.py:MyNet or .*my_net.py:Second$"):
        model_defaults(str(path))
