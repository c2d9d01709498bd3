"""Every training setting does what its name says: schedule, decay, smoothing, augmentation, and nothing leaks out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from cnn.augment import Augment
from cnn.batches import Clips
from cnn.config import VARIANTS, AugmentSettings, RunConfig, TileSettings, TrainSettings, default_config
from cnn.device import one_thread
from cnn.fit import Fit
from cnn.optim import build_optimizer, learning_rate_at
from cnn.overrides import override

CPU = torch.device("cpu")


def config(*assignments: str, variant: str = "raw") -> RunConfig:
    return override(default_config("x", TileSettings(size=32), "lenet5", variant), assignments)


def clips() -> Clips:
    rng = np.random.default_rng(0)
    return Clips(rng.integers(0, 256, (64, 32, 32), dtype=np.uint8), rng.integers(0, 10, 64), range(64), CPU)


def weights_after(*assignments: str, variant: str = "raw") -> torch.Tensor:
    """All weights after one pass over random clips."""
    fit = Fit(config("train.batch_size=16", "train.epochs=1", "model.dropout=0", *assignments, variant=variant), CPU)
    with one_thread(CPU):
        fit.learn(clips())
    return torch.cat([p.detach().flatten() for p in fit.net.parameters()])


def test_the_learning_rate_rises_then_follows_its_schedule() -> None:
    for schedule, middle, end in (("cosine", 0.5, 0.0), ("linear", 0.5, 0.0), ("constant", 1.0, 1.0)):
        settings = TrainSettings(learning_rate=2.0, schedule=schedule, warmup=0.2)
        rates = [learning_rate_at(step, 100, settings) for step in range(101)]
        assert rates[:20] == pytest.approx([0.1 * (step + 1) for step in range(20)])
        assert rates[20] == pytest.approx(2.0)
        assert rates[60] == pytest.approx(2.0 * middle)
        assert rates[100] == pytest.approx(2.0 * end)
    cosine = TrainSettings(learning_rate=1.0, schedule="cosine", warmup=0)
    assert learning_rate_at(25, 100, cosine) == pytest.approx((1 + math.cos(math.pi / 4)) / 2)


@pytest.mark.parametrize(("name", "kind"), [("adamw", torch.optim.AdamW), ("adam", torch.optim.Adam), ("sgd", torch.optim.SGD)])
def test_the_optimiser_is_the_one_named_and_decays_filters_alone(name: str, kind: type[torch.optim.Optimizer]) -> None:
    fit = Fit(config(f"train.optimizer={name}", "train.weight_decay=0.3"), CPU)
    optimizer = build_optimizer(fit.net, fit.config.train)
    assert type(optimizer) is kind
    decays = {p.ndim > 1: group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    assert decays == {True: 0.3, False: 0.0}
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(list(fit.net.parameters()))


@pytest.mark.parametrize(
    "setting",
    ["train.label_smoothing=0.4", "train.weight_decay=5", "train.schedule=constant", "train.warmup=0.5", "train.optimizer=adam",
     "train.learning_rate=0.004", "train.seed=1", "train.batch_size=32", "model.dropout=0.5"],
)  # fmt: skip
def test_every_setting_changes_what_is_learnt(setting: str) -> None:
    assert torch.equal(weights_after(), weights_after())
    assert not torch.equal(weights_after(), weights_after(setting))


def test_only_augmented_variants_are_augmented() -> None:
    plain = weights_after()
    off = ("freq_masks=0", "time_masks=0", "tract=0", "tract_bend=0", "tempo=0", "tempo_bend=0", "shift=0", "noise_db=120")
    still = [f"augment.{setting}" for setting in off]
    for variant in VARIANTS:
        same = torch.equal(plain, weights_after(variant=variant))
        assert same == (not variant.endswith("+aug"))
    torch.testing.assert_close(weights_after(*still, variant="raw+aug"), plain, rtol=0, atol=1e-3)


def test_bands_of_mel_and_of_time_have_their_own_widths() -> None:
    settings = AugmentSettings(freq_masks=1, freq_width=6, time_masks=1, time_width=24)

    def zeros(size: int) -> torch.Tensor:
        augment = Augment([settings], TileSettings(size=size))
        return augment.masked(torch.ones(1000, size, size), augment.drawn(1000, [torch.Generator().manual_seed(0)])) == 0

    assert int(zeros(64).all(2).sum(1).max()) == 6
    assert int(zeros(64).all(1).sum(1).max()) == 24
    assert int(zeros(32).all(2).sum(1).max()) == 3


def test_training_leaves_the_callers_random_numbers_and_threads_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with one_thread(CPU) as n_threads:
        Fit(config(), CPU).learn(clips())
        assert n_threads == torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)
    assert torch.equal(torch.rand(3), expected)
