"""The net from scratch as a training: files, checkpoints and answers are those of its twin in torch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from cnn.config import RunConfig, default_config
from cnn.errors import ConfigError
from cnn.models.registry import build_net
from cnn.overrides import apply_values, config_from_dict, override
from cnn.runs.folder import RunState
from cnn.tiles.tile_set import TileSet
from cnn.train.scratch_trainer import ScratchTrainer
from cnn.train.trainer import Trainer
from cnn.train.trainers import make_trainer
from cnn.train.training_run import Decision, SplitData, train
from cnn.train.weights_file import load_checksummed, load_weights

CPU = torch.device("cpu")


def config(tiles: TileSet, *assignments: str, model: str = "scratch") -> RunConfig:
    chosen = ("split.kind=official", "model.hidden=16,8", "train.epochs=3", "train.learning_rate=0.2", *assignments)
    return override(default_config(tiles.info, model, "raw"), chosen)


def test_the_defaults_are_the_notes_recipe(digit_tiles: TileSet) -> None:
    train = default_config(digit_tiles.info, "scratch", "raw").train
    assert (train.optimizer, train.momentum, train.schedule, train.batch_size, train.learning_rate) == (
        *("sgd", 0, "constant", 32),
        0.0035,
    )
    assert (train.warmup, train.weight_decay, train.label_smoothing, train.side_views, train.normalise) == (0, 0, 0, 0, "unit")
    sizes = [tuple(p.shape) for p in build_net(default_config(digit_tiles.info, "scratch", "raw").model, 32, 10).parameters()]
    assert sizes == [(512, 1024), (512,), (32, 512), (32,), (10, 32), (10,)]


def test_another_net_brings_its_recipe_and_leaves_what_was_set(digit_tiles: TileSet) -> None:
    base = override(default_config(digit_tiles.info, "mlp", "raw"), ["split.kind=official", "train.learning_rate=0.5"])
    scratch = apply_values(base, {"model.name": "scratch"})
    assert (scratch.train.optimizer, scratch.train.learning_rate, scratch.model.dropout) == ("sgd", 0.5, 0)
    assert apply_values(scratch, {"model.name": "mlp"}) == base


def test_a_hundred_updates_are_those_of_plain_sgd_in_torch(digit_tiles: TileSet) -> None:
    chosen = config(digit_tiles, "train.batch_size=9", "train.epochs=5", "train.learning_rate=0.0035")
    ours, theirs = make_trainer(chosen, CPU), Trainer(chosen, CPU)
    assert isinstance(ours, ScratchTrainer)
    theirs.net.load_state_dict(ours.net.state_dict())
    clips = SplitData(digit_tiles, chosen, CPU).clips
    for _ in range(5):
        rows = [trainer.run_epoch(clips["train"], clips["val"]) for trainer in (ours, theirs)]
    assert rows[0].updates == 100
    for name in ("train_loss", "val_loss", "val_macro_f1", "gradient_norm"):
        assert getattr(rows[0], name) == pytest.approx(getattr(rows[1], name), abs=1e-4), name
    for name, value in ours.net.state_dict().items():
        torch.testing.assert_close(value, theirs.net.state_dict()[name], rtol=0, atol=1e-4)


def test_a_paused_training_goes_on_to_the_same_weights_which_its_twin_reads(digit_tiles: TileSet, tmp_path: Path) -> None:
    chosen = config(digit_tiles, "train.looks_every=10", "split.validation=speakers")
    whole = train(chosen, digit_tiles, tmp_path / "whole")
    paused = train(chosen, digit_tiles, tmp_path / "paused", on_epoch=lambda _row: Decision.PAUSE)
    assert paused.state() is RunState.UNFINISHED
    paused = train(chosen, digit_tiles, tmp_path / "paused")
    assert [r.val_loss for r in whole.epochs()] == [r.val_loss for r in paused.epochs()]
    states = [load_checksummed(run.path / "model.pt", CPU) for run in (whole, paused)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    net = build_net(config_from_dict(whole.config()).model, 32, 10).eval()
    load_weights(net, whole.path, CPU)
    data = SplitData(digit_tiles, chosen, CPU)
    pictures = data.clips["test"][slice(None)].float() / 255
    result = whole.result()
    assert result is not None
    loss = F.cross_entropy(net(pictures), data.clips["test"].labels).item()
    assert loss == pytest.approx(result.scores["test"].loss, abs=1e-5)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("train.optimizer=adam", "train.optimizer of the net from scratch is sgd, not adam"),
        ("train.momentum=0.9", "train.momentum of the net from scratch is 0, not 0.9"),
        ("train.label_smoothing=0.1", "train.label_smoothing of the net from scratch is 0, not 0.1"),
        ("train.balance=weights", "train.balance of the net from scratch is none or draws, not weights"),
        ("model.activation=gelu", "model.activation of the net from scratch is relu or sigmoid, not gelu"),
    ],
)
def test_what_it_cannot_do_is_refused_in_a_line(digit_tiles: TileSet, setting: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(digit_tiles, setting)
    assert str(caught.value) == f"{message}; leave it out, or choose --model mlp"


def test_a_gpu_is_refused_in_a_line(digit_tiles: TileSet) -> None:
    with pytest.raises(ConfigError, match="--model scratch is NumPy, which knows no meta; train it with --device cpu"):
        make_trainer(config(digit_tiles), torch.device("meta"))
