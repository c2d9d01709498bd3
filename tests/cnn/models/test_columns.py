"""The multi-column net: each column learns as it would alone, and all vote."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from cnn.models.columns import Columns
from cnn.nets import WIDTHS
from cnn.settings.model import model_defaults
from cnn.settings.train import TrainSettings
from cnn.train.optimizer import Optimizer
from support.nets import sum_losses

SMALL = replace(model_defaults("columns"), width=0.5, dropout=0.0)  # a mask would be drawn for all columns in turn


def fresh(depth: int = 3) -> Columns:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Columns(replace(SMALL, depth=depth), 32, 10)


def pictures(seed: int = 0) -> torch.Tensor:
    return torch.randn(6, 1, 32, 32, generator=torch.Generator().manual_seed(seed))


def test_each_column_learns_as_it_would_alone() -> None:
    net, truth = fresh().train(), torch.arange(6)
    alone = [copy.deepcopy(column) for column in net.columns]
    optimizer, *optimizers = (Optimizer(one, TrainSettings()) for one in (net, *alone))
    for seed in range(3):
        optimizer.zero_grad()
        sum_losses(net(pictures(seed)), truth).backward()
        optimizer.step(0.01)
        for column, its_own in zip(alone, optimizers, strict=True):
            its_own.zero_grad()
            (F.cross_entropy(column(pictures(seed)), truth) * len(truth)).backward()
            its_own.step(0.01)
    for together, column in zip(net.columns, alone, strict=True):
        for (name, value), other in zip(together.state_dict().items(), column.state_dict().values(), strict=True):
            assert torch.equal(value, other), name


def test_the_loss_of_a_column_has_no_gradient_in_another() -> None:
    net = fresh().train()
    F.cross_entropy(net(pictures())[:, 1], torch.arange(6)).backward()
    learning = {name.split(".")[1] for name, p in net.named_parameters() if p.grad is not None and p.grad.any()}
    assert learning == {"1"}


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_answer_is_the_mean_of_the_columns_probabilities(depth: int) -> None:
    net = fresh(depth).eval()
    with torch.no_grad():
        mean = torch.stack([column(pictures()).softmax(1) for column in net.columns]).mean(0)
        torch.testing.assert_close(net(pictures()).exp(), mean)


@pytest.mark.parametrize("width", WIDTHS)
def test_every_width_makes_columns_that_learn(width: float) -> None:
    net = Columns(replace(SMALL, width=width, depth=2), 32, 10).train()
    assert net(pictures()).shape == (6, 2, 10)
