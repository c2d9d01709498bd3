"""Every training setting does what its name says: schedule, decay, smoothing, augmentation, and nothing leaks out."""

from __future__ import annotations

import copy
import math
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch

from cnn.config import VARIANTS, RunConfig, TilesInfo, default_config
from cnn.overrides import override
from cnn.settings.augment import AugmentSettings
from cnn.settings.tiles import TileSettings
from cnn.settings.train import TrainSettings
from cnn.tiles.augment import SoundAugment
from cnn.tiles.batches import Clips
from cnn.train.device import limit_threads
from cnn.train.optimizer import Optimizer, learning_rate_at
from cnn.train.trainer import Trainer

CPU = torch.device("cpu")


def config(*assignments: str, variant: str = "raw") -> RunConfig:
    return override(default_config(TilesInfo(corpus="x", settings=TileSettings(size=32)), "lenet5", variant), assignments)


def clips() -> Clips:
    rng = np.random.default_rng(0)
    return Clips(rng.integers(0, 256, (64, 32, 32), dtype=np.uint8), rng.integers(0, 10, 64), range(64), CPU)


def weights_after(*assignments: str, variant: str = "raw") -> torch.Tensor:
    """All weights after one pass over random clips."""
    fit = Trainer(config("train.batch_size=16", "train.epochs=1", "model.dropout=0", *assignments, variant=variant), CPU)
    with limit_threads(CPU):
        fit.train_epoch(clips())
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


@pytest.mark.parametrize(
    ("settings", "kind", "more"),
    [
        (["train.optimizer=adamw"], torch.optim.AdamW, {}),
        (["train.optimizer=adam"], torch.optim.Adam, {}),
        (["train.optimizer=rmsprop"], torch.optim.RMSprop, {}),
        (["train.optimizer=sgd"], torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
        (["train.optimizer=sgd", "train.momentum=0"], torch.optim.SGD, {}),
        (["train.optimizer=sgd", "train.momentum=0.5", "train.nesterov=0"], torch.optim.SGD, {"momentum": 0.5}),
    ],
)
def test_the_optimiser_steps_as_torchs_of_that_name_and_decays_filters_alone(
    settings: list[str], kind: Callable[..., torch.optim.Optimizer], more: dict[str, float]
) -> None:
    chosen = config(*settings, "train.weight_decay=0.3")
    ours, theirs = Trainer(chosen, CPU).net, Trainer(chosen, CPU).net
    filters, others = ([p for p in theirs.parameters() if (p.ndim > 1) == is_filter] for is_filter in (True, False))
    assert filters
    assert others
    reference = kind([{"params": filters, "weight_decay": 0.3}, {"params": others, "weight_decay": 0.0}], **more)
    optimizer = Optimizer(ours, chosen.train)
    generator = torch.Generator().manual_seed(1)
    for number, rate in enumerate((0.01, 0.003, 0.02)):
        if number == 2:  # from what is saved
            state = copy.deepcopy(optimizer.state_dict())
            optimizer = Optimizer(ours, chosen.train)
            optimizer.load_state_dict(state)
        for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
            one.grad = torch.empty_like(one).copy_(torch.randn(one.shape, generator=generator))  # in the weights' layout
            other.grad = one.grad.clone()
        optimizer.step(rate)
        for group in reference.param_groups:
            group["lr"] = rate
        reference.step()
        optimizer.zero_grad()
        assert all(parameter.grad is None for parameter in ours.parameters())
    for (key, one), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-7, msg=lambda text, key=key: f"{key}: {text}")


def test_training_loads_no_compiler() -> None:
    """torch's own optimisers load it: a second and 60 MB for every process."""
    code = """
import sys, numpy, torch
from cnn.tiles.batches import Clips
from cnn.config import RunConfig
from cnn.train.trainer import Trainer
places = range(8)
clips = Clips(numpy.zeros((8, 64, 64), numpy.uint8), numpy.arange(8) % 2, places, torch.device("cpu"))
Trainer(RunConfig(corpus="c", variant="raw+aug"), torch.device("cpu")).run_epoch(clips, clips)
print(sorted(name for name in sys.modules if name in ("torch._dynamo", "torch._inductor", "sympy")))
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


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
    off = "freq_masks", "time_masks", "tract", "tract_bend", "tempo", "tempo_bend", "shift", "blur", "equaliser"
    still = [*(f"augment.{name}=0" for name in off), "augment.noise_db=120"]
    for variant in VARIANTS:
        same = torch.equal(plain, weights_after(variant=variant))
        assert same == (not variant.endswith("+aug"))
    torch.testing.assert_close(weights_after(*still, variant="raw+aug"), plain, rtol=0, atol=1e-3)


def test_bands_of_mel_and_of_time_have_their_own_widths() -> None:
    settings = AugmentSettings(freq_masks=1, freq_width=6, time_masks=1, time_width=24)

    def zeros(size: int) -> torch.Tensor:
        augment = SoundAugment([settings], TileSettings(size=size))
        return augment.mask(torch.ones(1000, 1, size, size), augment.draw(1000, [torch.Generator().manual_seed(0)]))[:, 0] == 0

    assert int(zeros(64).all(2).sum(1).max()) == 6
    assert int(zeros(64).all(1).sum(1).max()) == 24
    assert int(zeros(32).all(2).sum(1).max()) == 3


def test_training_leaves_the_callers_random_numbers_and_threads_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    with limit_threads(CPU) as n_threads:
        Trainer(config(), CPU).train_epoch(clips())
        assert n_threads == torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)
    assert torch.equal(torch.rand(3), expected)
