"""Pictures are trained on as sounds are: alone and fused, in grey and in colour, under every normalisation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from cnn.config import RunConfig, default_config
from cnn.inference.inspect import inspect_run
from cnn.overrides import override
from cnn.splits import make_split
from cnn.tiles.batches import Clips
from cnn.tiles.tile_set import TileSet
from cnn.train.device import limit_threads
from cnn.train.fused.stack import FusedStack, compute_stack_key
from cnn.train.trainer import EpochStats, Trainer
from cnn.train.training_run import train

CPU = torch.device("cpu")


def configure(tiles: TileSet, *settings: str) -> RunConfig:
    shared = ("model.width=0.5", "train.batch_size=16", "train.epochs=2", "train.side_views=1")
    return override(default_config(tiles.info, "lenet5", "raw+aug"), [*shared, *settings])


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
        stack = FusedStack([Trainer(config, CPU) for config in configs])
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


def test_a_run_on_pictures_in_colour_is_inspected_in_colour(colour_tiles: TileSet, tmp_path: Path) -> None:
    config = override(configure(colour_tiles), ["train.epochs=1"])
    run = train(config, colour_tiles, tmp_path, device="cpu")
    inspection = inspect_run(run, colour_tiles.folder, 4, "cpu", lambda *_: None)
    assert inspection.n_clips == 4
    with np.load(run.path / "inspection.npz") as arrays:
        assert arrays["pictures"].shape == (4, 3, 32, 32)
        assert arrays["filters"].shape[0] == 3 * 8  # every pair of a channel and a map
        for name in ("cam_label", "occlusion"):
            assert arrays[name].shape == (4, 32, 32)
        clips = json.loads((run.path / "inspection.json").read_text())["clips"]
        rows = {clip.id: number for number, clip in enumerate(colour_tiles.clips)}
        expected = colour_tiles.pictures("raw")[[rows[clip["id"]] for clip in clips]]
        np.testing.assert_array_equal(arrays["pictures"], expected)
