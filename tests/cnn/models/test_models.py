"""The nets: shapes, sizes against the papers, costs against arithmetic, and what every net has to keep to."""

from __future__ import annotations

import copy
import re
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from cnn.errors import ConfigError
from cnn.models import blocks
from cnn.models.blocks import InvertedResidual, Shape, SqueezeExcite
from cnn.models.registry import build_net, count_multiply_adds, count_parameters
from cnn.nets import BASELINE, MODEL_A, MODEL_B, NETS, PAIR
from cnn.settings.model import ModelSettings, model_defaults
from cnn.settings.spelling import ACTIVATIONS
from support.nets import WRITTEN, sum_losses

CASES = [
    (name, size, depth, width)
    for name in WRITTEN
    for size in (32, 64)
    for depth, width in zip(NETS[name].depths, (2.0, 0.5), strict=True)  # the deepest net at full width takes seconds
]
DEFAULTS = [(name, size) for name in WRITTEN for size in (32, 64)]


def settings_of(name: str, depth: int, width: float) -> ModelSettings:
    return replace(model_defaults(name), depth=depth, width=width)


def pictures(n: int, size: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, 1, size, size, generator=torch.Generator().manual_seed(seed))


def fresh(settings: ModelSettings, size: int, seed: int = 0) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build_net(settings, size, 10)


@pytest.mark.parametrize(("name", "size", "depth", "width"), CASES)
def test_every_size_depth_and_width_learns_in_all_its_weights(name: str, size: int, depth: int, width: float) -> None:
    net = fresh(settings_of(name, depth, width), size).train()
    logits = net(pictures(3, size))
    assert logits.shape == ((3, depth, 10) if name == "columns" else (3, 10))
    sum_losses(logits, torch.arange(3)).backward()
    assert [key for key, p in net.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []


@pytest.mark.parametrize(("name", "size", "depth", "width"), CASES)
def test_the_layout_of_memory_changes_no_result(name: str, size: int, depth: int, width: float) -> None:
    net = fresh(settings_of(name, depth, width), size).eval()
    batch = pictures(2, size)
    with torch.no_grad():
        plain = net(batch)
        placed = net.to(memory_format=torch.channels_last)(batch.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(placed, plain, rtol=1e-4, atol=1e-4 * float(plain.abs().max()))


@pytest.mark.parametrize(("name", "size"), DEFAULTS)
def test_a_clips_logits_know_nothing_of_its_neighbours(name: str, size: int) -> None:
    net = fresh(model_defaults(name), size)
    net.train()(pictures(4, size, seed=1))  # batch statistics that are not those of a fresh net
    net.eval()
    batch = pictures(4, size).requires_grad_()
    together = net(batch)
    (gradient,) = torch.autograd.grad(together[1].sum(), batch)
    assert [bool(clip.any()) for clip in gradient] == [False, True, False, False]
    torch.testing.assert_close(net(batch[1:2]), together[1:2], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", WRITTEN)
def test_a_seed_is_a_net_and_its_weights_load_into_another(name: str) -> None:
    one, same, other = (fresh(model_defaults(name), 32, seed) for seed in (3, 3, 4))
    batch = pictures(3, 32)
    with torch.no_grad():
        logits, again, unlike = (net.eval()(batch) for net in (one, same, other))
        other.load_state_dict(one.state_dict())
        loaded = other(batch)
    assert torch.equal(logits, again)
    assert not torch.equal(logits, unlike)
    assert torch.equal(logits, loaded)


@pytest.mark.parametrize("name", WRITTEN)
def test_twenty_glides_are_learnt_by_heart(name: str) -> None:
    torch.manual_seed(0)
    truth = torch.arange(20) % 10
    grey = 0.3 * torch.randn(20, 1, 32, 32)
    for clip, digit in enumerate(truth.tolist()):
        start, end = 2 + 3 * digit, 2 + 3 * ((7 * digit + 3) % 10)
        for frame in range(32):
            grey[clip, 0, round(start + (end - start) * frame / 31), frame] += 4
    net = build_net(replace(model_defaults(name), dropout=0.0), 32, 10).train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    for _ in range(25):
        optimizer.zero_grad()
        loss = sum_losses(net(grey), truth) / len(truth)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.2


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("name", WRITTEN)
def test_the_activation_is_the_one_asked_for(name: str, activation: str) -> None:
    kinds = {"relu": nn.ReLU, "tanh": nn.Tanh, "leaky_relu": nn.LeakyReLU, "relu6": nn.ReLU6, "silu": nn.SiLU, "elu": nn.ELU}
    kinds |= {"sigmoid": nn.Sigmoid, "gelu": nn.GELU}
    net = build_net(replace(model_defaults(name), activation=activation), 32, 10)
    found = {type(m) for m in net.modules() if isinstance(m, tuple(kinds.values()))}
    # The paper of one has swish in one place alone; the gates of the other are sigmoids.
    fixed = {"bcresnet": {nn.ReLU}, "efficientnet": {nn.Sigmoid}}.get(name, set())
    assert found == {kinds[activation]} | fixed


@pytest.mark.parametrize("name", WRITTEN)
def test_no_layer_sums_in_an_order_that_a_gpu_chooses(name: str) -> None:
    """As listed with torch.use_deterministic_algorithms; the baseline's pooling gets no gradient."""
    net = build_net(model_defaults(name), 64, 10)
    pools = [m for m in net.modules() if isinstance(m, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d)]
    assert pools == [] or NETS[name].role == BASELINE
    assert [m for m in net.modules() if isinstance(m, nn.MaxPool2d) and m.kernel_size != m.stride] == []


def test_the_table_has_one_model_a_two_baselines_and_a_paper_for_each() -> None:
    roles = {name: net.role for name, net in NETS.items()}
    assert [name for name, role in roles.items() if role == MODEL_A] == [PAIR[0]]
    assert [name for name, role in roles.items() if role == BASELINE] == ["mlp", "scratch"]
    assert roles[PAIR[1]] == MODEL_B
    assert all(net.paper and net.counts and net.depths[0] <= net.depth <= net.depths[1] for net in NETS.values())


@pytest.mark.parametrize(("name", "size"), DEFAULTS)
def test_a_net_of_width_1_that_sees_the_picture_costs_at_most_fifteen_million_multiply_adds(name: str, size: int) -> None:
    settings = replace(model_defaults(name), width=1.0, sees="picture")
    assert count_multiply_adds(fresh(settings, size), size) < 15_000_000


def test_lenet5_of_width_1_has_the_papers_layers_with_8_maps_for_6() -> None:
    net = build_net(ModelSettings(name="lenet5", width=1), 32, 10)
    convolutions = [(m.out_channels, m.kernel_size) for m in net.modules() if isinstance(m, nn.Conv2d)]
    linear = [(m.in_features, m.out_features) for m in net.modules() if isinstance(m, nn.Linear)]
    assert convolutions == [(8, (5, 5)), (16, (5, 5))]
    assert linear == [(400, 120), (120, 84), (84, 10)]
    # The paper's 156 + 2,416 + 48,120 + 10,164 + 850, its C3 fully connected; 2 maps more, 24 scales of normalisation.
    assert count_parameters(net) == 61_706 + 2 * 26 + 16 * 2 * 25 + 24
    assert count_multiply_adds(net, 32) == 8 * 25 * 28 * 28 + 16 * 8 * 25 * 10 * 10 + 400 * 120 + 120 * 84 + 84 * 10


@pytest.mark.parametrize("size", [32, 64])
def test_the_baseline_is_784_128_64_10(size: int) -> None:
    net = build_net(model_defaults("mlp"), size, 10)
    assert count_multiply_adds(net, size) == 784 * 128 + 128 * 64 + 64 * 10
    assert count_parameters(net) == 784 * 128 + 128 * 64 + 64 * 10 + 128 + 64 + 10


def test_hidden_widths_are_those_asked_for_and_depth_0_has_none() -> None:
    notes = build_net(replace(model_defaults("mlp"), hidden="512,32"), 32, 10)
    assert count_parameters(notes) == 784 * 512 + 512 + 512 * 32 + 32 + 32 * 10 + 10
    assert count_parameters(build_net(replace(model_defaults("mlp"), depth=0), 32, 10)) == 784 * 10 + 10


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"hidden": "65536,65536"}, "at most 100 layers and 100,000,000 weights between them, not 2 and 4,294,967,296"),
        ({"hidden": ",".join(["1"] * 101)}, "at most 100 layers"),
        ({"hidden": "9" * 5000}, "numbers from 1 to 65,536"),
        ({"hidden": "512, 32"}, "numbers from 1 to 65,536 with commas, such as 512,32, not '512, 32'"),
        ({"hidden": "512,0"}, "not '512,0'"),
        ({"hidden": "70000"}, "not '70000'"),
        ({"hidden": "512,32", "depth": 3}, "is 2 layers, and model.depth says 3"),
        ({"hidden": "512,32", "width": 2.0}, "says all widths"),
    ],
)
def test_hidden_widths_that_cannot_be_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)):
        replace(model_defaults("mlp"), **settings)
    with pytest.raises(ConfigError, match=r"model.hidden is of mlp.*not of lenet5; leave it out"):
        replace(model_defaults("lenet5"), hidden="512")


def test_the_baseline_sees_a_picture_without_its_tiles_margin() -> None:
    net = build_net(ModelSettings(name="mlp", n_channels=3, side=28), 32, 10)
    assert next(net.parameters()).shape == (128, 3 * 28 * 28)
    batch = torch.randn(2, 3, 32, 32)
    margin = batch.clone()
    margin[:, :, 2:30, 2:30] = 0
    assert torch.equal(net.eval()(batch), net(batch - margin))
    assert torch.equal(net.picture(batch), batch[:, :, 2:30, 2:30].flatten(1))


class Wrapped(nn.Module):
    """A layer on one picture of 8 channels."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.layer(x.expand(-1, 8, -1, -1))
        return out


def test_a_depthwise_block_costs_what_is_counted_by_hand() -> None:
    net = Wrapped(InvertedResidual(Shape(n_in=8, n_out=12, kernel=3, stride=2), 6, "relu6"))
    wide = 8 * 6
    assert count_multiply_adds(net, 16) == 256 * 8 * wide + 64 * wide * 9 + 64 * wide * 12
    assert count_parameters(net) == 8 * wide + wide * 9 + wide * 12 + 2 * (wide + wide + 12)


def test_a_squeeze_costs_its_two_layers_once_a_clip() -> None:
    net = Wrapped(SqueezeExcite(8, 2, "silu"))
    assert count_multiply_adds(net, 16) == 8 * 2 + 2 * 8
    assert count_parameters(net) == 8 * 2 + 2 + 2 * 8 + 8


def test_a_linear_layer_over_frames_counts_each_frame() -> None:
    assert count_multiply_adds(Wrapped(nn.Linear(16, 5)), 16) == 8 * 16 * 16 * 5


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_resnet_has_six_weighted_layers_a_block_of_depth_and_two_more(depth: int) -> None:
    net = build_net(ModelSettings(name="resnet", depth=depth), 64, 10)
    weighted = [m for m in net.modules() if isinstance(m, nn.Linear) or (isinstance(m, nn.Conv2d) and m.kernel_size != (1, 1))]
    assert len(weighted) == 6 * depth + 2


@pytest.mark.parametrize("depth", [1, 4])
def test_densenet_has_six_weighted_layers_a_layer_of_depth_and_four_more(depth: int) -> None:
    net = build_net(ModelSettings(name="densenet", depth=depth), 64, 10)
    assert len([m for m in net.modules() if isinstance(m, nn.Linear | nn.Conv2d)]) == 6 * depth + 4


def test_a_resnet_for_64_costs_more_than_for_32_in_its_stem_alone() -> None:
    small, large = (build_net(ModelSettings(name="resnet", depth=1), size, 10) for size in (32, 64))
    assert count_parameters(small) == count_parameters(large)
    assert count_multiply_adds(large, 64) - count_multiply_adds(small, 32) == 16 * 25 * (64 * 64 - 32 * 32)


@pytest.mark.parametrize("name", WRITTEN)
def test_counting_leaves_the_net_as_it_was(name: str) -> None:
    net = build_net(model_defaults(name), 32, 10).train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    count_multiply_adds(net, 32)
    assert net.training
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())


@pytest.mark.parametrize("sees", ["picture", "differences"])
@pytest.mark.parametrize("n_clips", [1, 7, 64])
def test_a_first_stage_in_parts_gives_what_its_layers_give(n_clips: int, sees: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_PART_BYTES", 100_000)  # three clips of 32 x 32 and 8 maps
    torch.manual_seed(0)
    layers = blocks.stem(8, 64, "relu", ModelSettings(sees=sees))
    plain = nn.Sequential(*copy.deepcopy(layers))
    n_convolved = 0

    def count(*_: object) -> None:
        nonlocal n_convolved
        n_convolved += 1

    layers[layers._at].register_forward_hook(count)
    pictures = torch.randn(n_clips, 1, 64, 64)
    found, wanted = layers(pictures), plain(pictures)
    assert (n_convolved > 1) == (n_clips > 1)
    torch.testing.assert_close(found, wanted)
    for net, out in ((layers, found), (plain, wanted)):
        out.square().sum().backward()
        assert all(parameter.grad is not None for parameter in net.parameters())
    for one, other in zip(layers.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-3)


def test_differences_are_central_along_time_and_frequency_and_0_at_the_edges() -> None:
    ramp = torch.arange(5.0).view(1, 1, 5, 1) * 10 + torch.arange(4.0)  # 10 a bin, 1 a frame
    picture, along_time, along_frequency = blocks.Differences()(ramp)[0]
    assert torch.equal(picture, ramp[0, 0])
    assert along_time[:, 1:-1].unique().tolist() == [2.0]
    assert along_time[:, [0, -1]].unique().tolist() == [0.0]
    assert along_frequency[1:-1].unique().tolist() == [20.0]
    assert along_frequency[[0, -1]].unique().tolist() == [0.0]


@pytest.mark.parametrize("name", [name for name in WRITTEN if NETS[name].has_first_stage])
def test_every_net_with_a_first_stage_sees_differences_where_asked(name: str) -> None:
    for sees, n_channels in (("picture", 1), ("differences", 3)):
        net = fresh(replace(model_defaults(name), sees=sees), 64)
        first = next(module for module in net.modules() if isinstance(module, nn.Conv2d))
        assert first.in_channels == n_channels
        assert any(isinstance(module, blocks.Differences) for module in net.modules()) == (sees == "differences")


def test_a_net_without_a_first_stage_is_refused_differences() -> None:
    with pytest.raises(ConfigError, match=r"model\.sees=differences needs a net with a first stage of ours, not mlp; drop it"):
        replace(model_defaults("mlp"), sees="differences")
