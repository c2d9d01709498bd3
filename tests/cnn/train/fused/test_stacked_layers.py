"""Several nets as one: the same numbers as each alone, and nothing of one in another."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from cnn.errors import ModelError
from cnn.models.registry import build_net
from cnn.settings.model import ModelSettings, model_defaults
from cnn.settings.train import TrainSettings
from cnn.train.fused.flat_optimizer import FlatOptimizer
from cnn.train.fused.stacked_layers import Formulation, StackedConv2d, StackedDropout, stack_nets, unstack_nets
from cnn.train.optimizer import Optimizer
from support.nets import KINDS, sum_losses

M, B, SIZE = 3, 4, 32


def nets_of(name: str, **settings: float) -> list[nn.Module]:
    """Members that differ in weights and running statistics."""
    chosen = model_defaults(name)
    small = ModelSettings(name=name, depth=chosen.depth, width=0.5, activation=chosen.activation, dropout=0, **settings)  # type: ignore[arg-type]
    made = []
    for seed in range(M):
        torch.manual_seed(seed)
        net = build_net(small, SIZE, 10)
        net(torch.randn(8, 1, SIZE, SIZE))  # moves the running statistics
        made.append(net)
    return made


def neighbours(batches: list[torch.Tensor]) -> torch.Tensor:
    """M batches of B to one of B M, the M first ones first."""
    return torch.stack(batches, 1).flatten(0, 1)


def inputs(dtype: torch.dtype = torch.float32) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(9)
    return [torch.randn((B, 1, SIZE, SIZE), generator=generator, dtype=dtype) for _ in range(M)]


@pytest.mark.parametrize("name", KINDS)
def test_a_stacked_net_says_what_each_member_says(name: str) -> None:
    nets = nets_of(name)
    whole = stack_nets(nets)
    for mode in (True, False):
        for net in (*nets, whole):
            net.train(mode)
        found = whole(neighbours(inputs())).view(B, M, -1)
        for number, net in enumerate(nets):
            torch.testing.assert_close(found[:, number], net(inputs()[number]).flatten(1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["lenet5", "resnet", "mobilenet"])
def test_convolutions_as_matrix_products_are_the_same(name: str) -> None:
    whole = stack_nets(nets_of(name))
    found = []
    for formulation in Formulation:
        for layer in whole.modules():
            if isinstance(layer, StackedConv2d):
                layer.formulation = formulation
        whole.zero_grad()
        whole.eval()(neighbours(inputs())).square().sum().backward()
        found.append([whole(neighbours(inputs())).detach(), *(p.grad for p in whole.parameters())])
    for one, other in zip(*found, strict=True):
        assert one is not None
        assert other is not None
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4 * float(one.abs().max()))


def test_a_convolution_of_any_stride_padding_and_dilation_is_a_matrix_product() -> None:
    whole = stack_nets([nn.Sequential(nn.Conv2d(3, 5, (3, 2), (2, 1), (1, 0), (1, 2))) for _ in range(M)])
    layer = whole[0]  # type: ignore[index]
    assert isinstance(layer, StackedConv2d)
    x = torch.rand(B * M, 3, 9, 7)
    grouped = layer(x)
    layer.formulation = Formulation.PRODUCTS
    torch.testing.assert_close(layer(x), grouped)


@pytest.mark.parametrize("name", KINDS)
def test_gradients_and_statistics_are_those_of_each_member_alone(name: str) -> None:
    nets = [net.double() for net in nets_of(name)]
    whole = stack_nets(nets)
    truth = torch.arange(B) % 10
    sum_losses(whole(neighbours(inputs(torch.float64))), truth.repeat_interleave(M)).backward()
    gradients = dict(whole.named_parameters())
    for number, net in enumerate(nets):
        sum_losses(net(inputs(torch.float64)[number]), truth).backward()
        for key, parameter in net.named_parameters():
            ours = gradients[key].grad
            assert ours is not None
            torch.testing.assert_close(ours[number], parameter.grad, rtol=1e-10, atol=1e-10)
        for key, value in net.state_dict().items():
            torch.testing.assert_close(whole.state_dict()[key][number], value, rtol=1e-10, atol=1e-10)


def test_a_member_that_is_no_number_any_more_leaves_its_neighbours_alone() -> None:
    nets = nets_of("resnet")
    clean, spoilt = stack_nets(nets), stack_nets(nets)
    broken = inputs()
    broken[1] = broken[1] * float("nan")
    outputs = []
    for whole, batches in ((clean, inputs()), (spoilt, broken)):
        out = whole(neighbours(batches)).view(B, M, -1)
        out.square().mean((0, 2)).sum().backward()
        outputs.append(out)
    assert outputs[1][:, 1].isnan().all()
    for number in (0, 2):
        assert torch.equal(outputs[0][:, number], outputs[1][:, number])
        for one, other in zip(clean.parameters(), spoilt.parameters(), strict=True):
            assert one.grad is not None
            assert other.grad is not None
            assert torch.equal(one.grad[number], other.grad[number])


def test_unstacking_gives_each_member_its_own_weights() -> None:
    nets = nets_of("lenet5")
    whole = stack_nets(nets)
    with torch.no_grad():
        for parameter in whole.parameters():
            for number in range(M):
                parameter[number] += number + 1
    before = [{key: value.clone() for key, value in net.named_parameters()} for net in nets]
    unstack_nets(whole, nets)
    for number, net in enumerate(nets):
        for key, value in net.named_parameters():
            torch.testing.assert_close(value - before[number][key], torch.full_like(value, number + 1), rtol=0, atol=1e-4)


def test_dropout_draws_as_a_member_alone_would_and_each_with_its_own_probability() -> None:
    layers = [nn.Dropout(p) for p in (0.0, 0.3, 0.6)]
    holders = [nn.Sequential(layer) for layer in layers]
    whole = stack_nets(holders)
    layer = whole[0]  # type: ignore[index]
    assert isinstance(layer, StackedDropout)
    x = torch.rand(64 * M, 50)
    layer.generators = [torch.Generator().manual_seed(number) for number in range(M)]
    found = whole(x).view(64, M, 50)
    for number, holder in enumerate(holders):
        torch.manual_seed(number)
        torch.testing.assert_close(found[:, number], holder(x.view(64, M, 50)[:, number].contiguous()))
    whole.eval()
    assert torch.equal(whole(x), x)


@pytest.mark.parametrize("kind", ["adamw", "adam", "rmsprop", "sgd 0.9 1", "sgd 0 1", "sgd 0.5 0"])
def test_the_flat_optimiser_steps_as_torchs_with_each_members_rates(kind: str) -> None:
    name, momentum, nesterov = f"{kind} 0 0".split()[:3]
    base = TrainSettings(optimizer=name, momentum=float(momentum), nesterov=int(nesterov))
    nets, settings = nets_of("lenet5"), [replace(base, weight_decay=decay) for decay in (0.0, 0.1, 0.5)]
    alone = nets_of("lenet5")
    optimizers = [Optimizer(net, s) for net, s in zip(nets, settings, strict=True)]
    references = [Optimizer(net, s) for net, s in zip(alone, settings, strict=True)]
    scale = 0.1 if kind == "rmsprop" else 1.0  # its first step is ten times the rate for every weight
    rates = [[scale * rate for rate in rates] for rates in ([0.01, 0.002, 0.03], [0.02, 0.001, 0.0])]
    whole = stack_nets(nets)
    for turn in range(2):  # the second time from the state given back after the first
        flat = FlatOptimizer(whole, optimizers, nets)
        for lr in rates:
            flat.backward(whole(neighbours(inputs())).view(B, M, -1).square().mean((0, 2)).sum())
            flat.step(torch.tensor(lr))
            for number, (net, optimizer) in enumerate(zip(alone, references, strict=True)):
                optimizer.zero_grad()
                net(inputs()[number]).square().mean().backward()
                optimizer.step(lr[number])
        unstack_nets(whole, nets)
        flat.return_states()
        for number, net in enumerate(nets):
            for (key, ours), theirs in zip(net.named_parameters(), alone[number].parameters(), strict=True):
                torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=2e-4, msg=f"{key} of {number}, turn {turn}")
        whole = stack_nets(nets)
    assert optimizers[2].n_steps == references[2].n_steps == 4
    for moment, of in optimizers[2].moments.items():
        for name, value in of.items():
            alone_value = references[2].moments[moment][name]
            torch.testing.assert_close(value, alone_value, rtol=1e-3, atol=1e-4, msg=f"{moment} of {name}")


class Detached(nn.Module):
    """A net of which a layer takes no part in the answer."""

    def __init__(self, n: int) -> None:
        super().__init__()
        torch.manual_seed(n)
        self.first, self.unused, self.last = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.last(self.first(x).relu())
        return out


@pytest.mark.parametrize("kind", ["adamw", "adam", "rmsprop", "sgd"])
def test_a_weight_without_a_gradient_stays_and_is_in_no_norm_as_in_a_member_alone(kind: str) -> None:
    settings = TrainSettings(optimizer=kind, weight_decay=0.5)
    nets, alone = [Detached(n) for n in range(M)], [Detached(n) for n in range(M)]
    x, whole = torch.rand((B * M, 4), generator=torch.Generator().manual_seed(0)), stack_nets(nets)
    flat = FlatOptimizer(whole, [Optimizer(net, settings) for net in nets], nets)
    optimizers = [Optimizer(net, settings) for net in alone]
    for _ in range(3):
        flat.backward(whole(x).view(B, M, -1).square().mean((0, 2)).sum())
        norms = flat.measure_gradients()
        flat.step(torch.full((M,), 0.01))
        for number, (net, optimizer) in enumerate(zip(alone, optimizers, strict=True)):
            optimizer.zero_grad()
            net(x[number::M]).square().mean().backward()
            assert float(norms[number]) == pytest.approx(float(optimizer.measure_gradient()), rel=1e-3)
            optimizer.step(0.01)
    unstack_nets(whole, nets)
    for number, net in enumerate(nets):
        assert torch.equal(net.unused.weight, Detached(number).unused.weight)
        for ours, theirs in zip(net.parameters(), alone[number].parameters(), strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


class Unusual(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.odd = layer


@pytest.mark.parametrize("layer", [nn.GroupNorm(2, 4), nn.Dropout2d(0.1), nn.LSTM(3, 4)])
def test_a_layer_that_cannot_be_stacked_is_named(layer: nn.Module) -> None:
    with pytest.raises(ModelError, match=rf"odd \({type(layer).__name__}\) cannot be fused, only Conv2d, .*; train without"):
        stack_nets([Unusual(layer), Unusual(layer)])


def test_a_weight_outside_of_a_layer_is_named() -> None:
    net = nn.Sequential(nn.Flatten())
    net.scale = nn.Parameter(torch.ones(1))
    with pytest.raises(ModelError, match=r"the net \(Sequential\) cannot be fused"):
        stack_nets([net, net])
