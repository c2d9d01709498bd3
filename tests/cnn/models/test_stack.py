"""Spelled nets in torch: published totals, fields and costs of the notes, and what training, fusing and inspecting need."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnn.config import TilesInfo, default_config
from cnn.inference.saliency import compute_features, first_filters, map_layers
from cnn.models.registry import build_net, count_multiply_adds, count_parameters
from cnn.nets import NETS
from cnn.overrides import override
from cnn.settings.data import DataKind, DataSettings
from cnn.settings.model import ModelSettings, model_defaults
from cnn.settings.stack import plan_stack
from cnn.summary.layers import LayerSummary, list_layers
from cnn.train.fused.stack import compute_stack_key

SPELLED = [name for name, net in NETS.items() if net.spelling]
PAPERS = model_defaults("stack")
# One tower with padding and pools as torchvision's, and as the paper's figure 2 in one tower.
ALEXNET = {
    "conv11/64/4/2-relu-pool3/2/0-conv5/192-relu-pool3/2/0-conv3/384-relu-(conv3/256-relu)*2-pool3/2/0-(fc4096-relu)*2-fc": (
        224,
        61_100_840,
    ),
    "conv11/96/4/0-relu-pool3/2/0-conv5/256-relu-pool3/2/0-(conv3/384-relu)*2-conv3/256-relu-pool3/2/0-(fc4096-relu)*2-fc": (
        227,
        62_378_344,
    ),
}


def spell(text: str, **settings: object) -> ModelSettings:
    return replace(PAPERS, stack=text, **settings)  # type: ignore[arg-type]


def count_published(settings: ModelSettings, size: int) -> int:
    """Count the parameters of the paper's maps on its pictures, without memory for them."""
    with torch.device("meta"):
        return count_parameters(build_net(replace(settings, width=1.0, norm="none", n_channels=3), size, 1000))


def test_published_totals_come_out() -> None:
    assert count_parameters(build_net(model_defaults("lenet5-1998"), 32, 10)) == 61_706  # C3 fully connected
    assert count_published(model_defaults("vgg11"), 224) == 132_863_336
    assert count_published(model_defaults("vgg16"), 224) == 138_357_544
    for text, (size, total) in ALEXNET.items():
        assert count_published(spell(text), size) == total


def test_a_dense_table_is_a_stack_too() -> None:
    """256-128-96-64-48-32-16-10 on 3,072 inputs; the dropout before the last layer has no parameters."""
    widths = "-".join(f"fc{width}-relu" for width in (256, 128, 96, 64, 48, 32, 16))
    assert count_parameters(build_net(spell(f"{widths}-fc", n_channels=3), 32, 10)) == 843_562


@pytest.mark.parametrize("name", SPELLED)
def test_the_plan_counts_what_torch_counts_and_every_weight_learns(name: str) -> None:
    settings = replace(model_defaults(name), width=0.25, n_channels=3) if name != "lenet5-1998" else model_defaults(name)
    net = build_net(settings, 32, 10)
    assert count_parameters(net) == sum(layer.n_parameters for layer in plan_stack(settings, 32, 10))
    logits = net(torch.randn(3, settings.n_channels, 32, 32))
    F.cross_entropy(logits, torch.arange(3)).backward()
    assert [key for key, p in net.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []


def list_convolutions(text: str) -> list[LayerSummary]:
    return [layer for layer in list_layers(spell(text), 32) if layer.kind == "Conv2d"]


def test_three_3_x_3_see_3_5_and_7_cells_with_27_c2_weights_and_one_7_x_7_with_49_c2() -> None:
    c = 8
    small, large = list_convolutions(f"conv1/{c}-(conv3-relu)*3-fc")[1:], list_convolutions(f"conv1/{c}-conv7-relu-fc")[1:]
    assert [layer.field for layer in small] == [(3, 3), (5, 5), (7, 7)]
    assert [layer.field for layer in large] == [(7, 7)]
    assert sum(layer.n_parameters for layer in small) == 27 * c**2
    assert sum(layer.n_parameters for layer in large) == 49 * c**2
    assert sum(layer.n_multiply_adds for layer in small) == 27 * c**2 * 32 * 32


def test_layers_have_their_kind_and_number_for_names() -> None:
    net = build_net(spell("[(conv-act)*1-pool]*2-fc12-tanh-fc", activation="tanh"), 32, 10)
    assert [(name, type(layer)) for name, layer in net.named_children()] == [
        *(("conv1", nn.Conv2d), ("norm1", nn.BatchNorm2d), ("act1", nn.Tanh), ("pool1", nn.MaxPool2d)),
        *(("conv2", nn.Conv2d), ("norm2", nn.BatchNorm2d), ("act2", nn.Tanh), ("pool2", nn.MaxPool2d)),
        *(("flatten", nn.Flatten), ("fc1", nn.Linear), ("tanh1", nn.Tanh), ("dropout", nn.Dropout), ("fc2", nn.Linear)),
    ]
    assert not any(isinstance(m, nn.BatchNorm2d) for m in build_net(spell("conv-relu-fc", norm="none"), 32, 10).modules())


def test_inspection_names_the_layers_and_shows_the_first_filters() -> None:
    net = build_net(spell("conv5/6-relu-pool-conv-relu-pool-fc20-relu-fc"), 32, 10).eval()
    batch = torch.randn(2, 1, 32, 32)
    assert [(layer.name, layer.n_channels, layer.n_bins) for layer in map_layers(net, batch)] == [
        ("relu1", 6, 32),
        ("relu2", 12, 16),
        ("pool2", 12, 8),
    ]
    layer = first_filters(net)
    assert layer is not None
    assert (layer[0].split(",")[0], len(layer[1])) == ("conv1", 6)
    assert compute_features(net, [batch]).values.shape == (2, 20)


def test_a_stack_costs_what_is_counted_by_hand() -> None:
    net = build_net(spell("conv5/6/1/0-relu-pool-conv5/16/1/0-relu-pool-fc120-relu-fc84-relu-fc", norm="none"), 32, 10)
    assert count_multiply_adds(net, 32) == 6 * 25 * 28 * 28 + 16 * 6 * 25 * 10 * 10 + 400 * 120 + 120 * 84 + 84 * 10


def test_trainings_of_equal_stacks_are_fused_and_of_different_ones_are_not() -> None:
    base = default_config(TilesInfo(corpus="c", data=DataSettings(kind=DataKind.PICTURES)), "stack", "raw")
    keys = [
        compute_stack_key(override(base, words))
        for words in ([], ["model.dropout=0.5", "train.learning_rate=0.01"], ["model.stack=(conv-relu-pool)*2-fc"])
    ]
    assert keys[0] == keys[1] != keys[2]
