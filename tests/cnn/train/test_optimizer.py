"""Optimisers, batch sizes and losses where they train: scikit-learn's answers, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from cnn.config import RunConfig, TilesInfo, default_config
from cnn.errors import ConfigError
from cnn.overrides import override
from cnn.settings.tiles import TileSettings
from cnn.tiles.batches import Clips
from cnn.tiles.tile_set import TileSet
from cnn.train.fused.stack import FusedStack
from cnn.train.trainer import Trainer
from cnn.train.training_run import train, try_batch
from support.pictures import write_digit_tiles

CPU = torch.device("cpu")
PLAIN = ["train.schedule=constant", "train.warmup=0", "train.label_smoothing=0", "train.side_views=0", "model.dropout=0"]


def config(*assignments: str, model: str = "mlp") -> RunConfig:
    return override(default_config(TilesInfo(corpus="x", settings=TileSettings(size=32)), model, "raw"), assignments)


@pytest.fixture(scope="module")
def clips() -> Clips:
    pictures = np.random.default_rng(0).integers(0, 256, (60, 32, 32), dtype=np.uint8)
    return Clips(pictures, np.arange(60) % 10, range(60), CPU)


def answers(fit: Trainer, clips: Clips) -> torch.Tensor:
    return fit.score(clips)[1].exp()


def test_depth_0_is_scikit_learns_logistic_regression(clips: Clips) -> None:
    """Its C is 1 over the decay and the number of clips; neither decays the bias."""
    settings = ["model.depth=0", "train.optimizer=sgd", "train.batch_size=0", "train.learning_rate=0.01", "train.momentum=0.98"]
    fit = Trainer(config(*PLAIN, *settings, "train.weight_decay=2", "train.epochs=1000"), CPU)
    (batch, _), *_ = clips.iterate_batches(0, [1], fit.inputs)
    assert len(batch) == 60, "a batch of all"
    for _ in range(500):
        fit.train_epoch(clips)
    (batch, truth), *_ = clips.iterate_batches(0, [1], fit.inputs)
    features = torch.nn.functional.adaptive_avg_pool2d(batch, 28).flatten(1).numpy()
    theirs = LogisticRegression(C=1 / (2 * 60), tol=1e-8, max_iter=1000).fit(features, truth.numpy())
    with torch.no_grad():
        ours = fit.net(batch).softmax(1).numpy()
    np.testing.assert_allclose(ours, theirs.predict_proba(features), atol=1e-4)


def test_hinge_learns_margins_alone_and_in_a_group_and_its_probabilities_are_the_softmax_of_its_scores(clips: Clips) -> None:
    settings = [*PLAIN, "model.depth=0", "train.loss=hinge", "train.batch_size=20", "train.learning_rate=0.01"]
    alone = Trainer(config(*settings, "train.epochs=40"), CPU)
    stack_fits = [Trainer(config(*settings, "train.epochs=40", f"train.seed={seed}"), CPU) for seed in (0, 1)]
    (stacked, _), learnt = FusedStack(stack_fits).train_epoch(clips), alone.train_epoch(clips)
    assert stacked.losses == pytest.approx(learnt.losses, abs=1e-3)
    for _ in range(30):
        alone.train_epoch(clips)
    score, log_probabilities = alone.score(clips)
    assert (score.accuracy, score.loss) == (1.0, pytest.approx(0, abs=0.05)), "all margins are 1 or nearly"
    assert log_probabilities.exp().sum(1) == pytest.approx(1, abs=1e-5)
    assert float(log_probabilities.exp().max(1).values.min()) < 0.9, "a margin of 1 is no certainty"


def test_one_clip_an_update_is_for_nets_without_batch_normalisation(tiles: TileSet, tmp_path: Path) -> None:
    single = override(default_config(tiles.info, "lenet5", "raw"), ["train.batch_size=1"])
    for attempt in (lambda: train(single, tiles, tmp_path, device="cpu"), lambda: try_batch(single, tiles, "cpu")):
        with pytest.raises(ConfigError, match=r"^train.batch_size=1 needs a net without batch normalisation, such as mlp"):
            attempt()
    assert list(tmp_path.glob("*/config.json")) == []
    learnt = Trainer(config("train.batch_size=1"), CPU).train_epoch(clips_of(7))
    assert len(learnt.losses) == 7


def test_an_odd_number_of_clips_in_batches_of_two_is_one_clip_an_update(tmp_path: Path) -> None:
    """21 training clips make 11 equal batches of one."""
    odd = write_digit_tiles(tmp_path / "tiles", 35)
    pairs = override(default_config(odd.info, "lenet5", "raw"), ["train.batch_size=2", "train.epochs=1"])
    rule = (
        r"^train.batch_size=2 needs a net without batch normalisation, such as mlp: 21 training clips in equal batches are one "
        r"an update, and one clip is no batch to normalise by; choose another net, or train.batch_size=3 or more$"
    )
    for attempt in (lambda: train(pairs, odd, tmp_path / "runs", device="cpu"), lambda: try_batch(pairs, odd, "cpu")):
        with pytest.raises(ConfigError, match=rule):
            attempt()
    assert list(tmp_path.glob("runs/*/config.json")) == []
    three = train(override(pairs, ["train.batch_size=3"]), odd, tmp_path / "runs", device="cpu")
    assert three.epochs()[0].updates == 7
    even = write_digit_tiles(tmp_path / "even", 40)
    two = train(replace(pairs, corpus=even.corpus, data=even.data), even, tmp_path / "runs", device="cpu")
    assert two.epochs()[0].updates == 12


def clips_of(n: int) -> Clips:
    return Clips(np.zeros((n, 32, 32), np.uint8), np.arange(n) % 10, range(n), CPU)
