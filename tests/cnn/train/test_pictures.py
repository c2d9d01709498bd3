"""Pictures are trained on as sounds are: alone and fused, in grey and in colour, under every normalisation."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from cnn.config import RunConfig, default_config
from cnn.overrides import override
from cnn.splits import make_split
from cnn.tiles.batches import Clips
from cnn.tiles.tile_set import TileSet
from cnn.train.device import limit_threads
from cnn.train.fused.group import Stack, compute_stack_key
from cnn.train.trainer import EpochStats, Trainer

CPU = torch.device("cpu")


def configure(tiles: TileSet, *settings: str, net: str = "lenet5") -> RunConfig:
    shared = ("model.width=0.5", "train.batch_size=16", "train.epochs=2", "train.side_views=1")
    return override(default_config(tiles.info, net, "raw+aug"), [*shared, *settings])


def gather(tiles: TileSet, part: str) -> Clips:
    indices = getattr(make_split(tiles.clips, configure(tiles).split), part)[:48]
    return Clips(tiles.pictures("raw"), tiles.labels(), indices, CPU)


def train_alone(config: RunConfig, clips: Clips) -> tuple[EpochStats, float]:
    trainer = Trainer(config, CPU)
    return trainer.train_epoch(clips), trainer.score(clips)[0].loss


@pytest.mark.parametrize("normalise", ["bands", "corpus", "none"])
def test_fused_nets_of_colour_learn_what_each_learns_alone(colour_tiles: TileSet, normalise: str) -> None:
    own: Sequence[Sequence[str]] = (
        ("train.seed=1", "augment.shift=8"),
        ("train.seed=2", "augment.flip=0.5", "augment.rotate=20", "train.learning_rate=0.001"),
    )
    configs = [configure(colour_tiles, f"train.normalise={normalise}", *settings) for settings in own]
    assert compute_stack_key(configs[0]) == compute_stack_key(configs[1])
    clips = gather(colour_tiles, "train")
    with limit_threads(CPU):
        stack = Stack([Trainer(config, CPU) for config in configs])
        together = stack.train_epoch(clips)
        scores = stack.score(clips)
        for config, learnt, score in zip(configs, together, scores, strict=True):
            alone, loss = train_alone(config, clips)
            assert learnt.losses == pytest.approx(alone.losses, rel=1e-3)
            assert score.loss == pytest.approx(loss, rel=1e-2)


def test_nets_under_other_normalisations_are_no_group(colour_tiles: TileSet) -> None:
    first, second = (configure(colour_tiles, f"train.normalise={name}") for name in ("bands", "corpus"))
    assert compute_stack_key(first) != compute_stack_key(second)
    assert first.digest != second.digest


def test_raw_levels_are_learnt_worse_by_plain_descent(digit_tiles: TileSet) -> None:
    """The notes' question: what does not normalising do?"""
    clips = gather(digit_tiles, "train")
    losses = {}
    with limit_threads(CPU):
        for name in ("corpus", "none"):
            settings = ("train.optimizer=sgd", "train.learning_rate=0.01", "train.momentum=0", f"train.normalise={name}")
            trainer = Trainer(configure(digit_tiles, "train.label_smoothing=0", *settings, net="mlp"), CPU)
            for _ in range(3):
                losses[name] = trainer.train_epoch(clips).losses
    assert sum(losses["none"]) > 2 * sum(losses["corpus"])
