"""The nets: shapes, sizes against the papers, costs against arithmetic, and what their settings change."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnn import metrics
from cnn.config import ACTIVATIONS, MODEL_DEFAULTS, ModelSettings
from cnn.models.table import build, n_multiply_adds, n_parameters
from tests import reference

DEPTHS = [("lenet5", 2), ("lenet5", 3), ("lenet5", 4), ("resnet", 1), ("resnet", 2), ("resnet", 4)]


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize(("name", "depth"), DEPTHS)
@pytest.mark.parametrize("width", [0.25, 1.0, 2.0])
def test_every_size_depth_and_width_gives_one_logit_a_class(name: str, depth: int, width: float, size: int) -> None:
    net = build(ModelSettings(name=name, depth=depth, width=width), size, 10)
    assert net(torch.randn(3, 1, size, size)).shape == (3, 10)


def test_lenet5_has_the_papers_layers_and_61706_numbers() -> None:
    net = build(MODEL_DEFAULTS["lenet5"], 32, 10)
    convolutions = [(m.out_channels, m.kernel_size) for m in net.modules() if isinstance(m, nn.Conv2d)]
    linear = [(m.in_features, m.out_features) for m in net.modules() if isinstance(m, nn.Linear)]
    assert convolutions == [(6, (5, 5)), (16, (5, 5))]
    assert linear == [(400, 120), (120, 84), (84, 10)]
    assert n_parameters(net) == 61_706  # 156 + 2,416 + 48,120 + 10,164 + 850, the paper's C3 fully connected
    assert n_multiply_adds(net, 32) == 6 * 25 * 28 * 28 + 16 * 6 * 25 * 10 * 10 + 400 * 120 + 120 * 84 + 84 * 10


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_resnet_has_six_weighted_layers_a_block_of_depth_and_two_more(depth: int) -> None:
    net = build(ModelSettings(name="resnet", depth=depth), 64, 10)
    weighted = [m for m in net.modules() if isinstance(m, nn.Linear) or (isinstance(m, nn.Conv2d) and m.kernel_size != (1, 1))]
    assert len(weighted) == 6 * depth + 2


def test_a_resnet_for_64_costs_no_more_than_for_32_thanks_to_its_stem() -> None:
    small, large = (build(MODEL_DEFAULTS["resnet"], size, 10) for size in (32, 64))
    assert n_parameters(small) == n_parameters(large)
    assert n_multiply_adds(large, 64) == n_multiply_adds(small, 32)


def test_counting_leaves_the_net_as_it_was() -> None:
    net = build(MODEL_DEFAULTS["resnet"], 32, 10).train()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    n_multiply_adds(net, 32)
    assert net.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", ["lenet5", "resnet"])
def test_the_activation_is_the_one_asked_for(name: str, activation: str) -> None:
    kinds = {"relu": nn.ReLU, "tanh": nn.Tanh, "leaky_relu": nn.LeakyReLU}
    net = build(ModelSettings(name=name, activation=activation), 32, 10)
    assert {type(m) for m in net.modules() if isinstance(m, tuple(kinds.values()))} == {kinds[activation]}


@pytest.mark.parametrize("seed", range(20))
def test_scores_equal_scikit_learns(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    truth = torch.randint(0, 2 + seed % 9, (50,), generator=generator)
    predicted = torch.where(torch.rand(50, generator=generator) < 0.5, truth, torch.randint(0, 10, (50,), generator=generator))
    confusion = metrics.confusion_of(truth, predicted, 10)
    expected = reference.f1_score(truth.numpy(), predicted.numpy(), average="macro", labels=range(10), zero_division=0)
    assert metrics.macro_f1(confusion) == pytest.approx(expected, abs=1e-12)
    assert metrics.accuracy(confusion) == reference.accuracy_score(truth.numpy(), predicted.numpy())
