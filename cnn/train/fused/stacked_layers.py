"""Layers that stack several nets of one shape: each layer with weights is one layer over all. M members, B clips each.

A batch holds M neighbours for each of its B clips, one for each member: (B M, C, F, T). To a layer without weights these are
B M pictures, and a net's own `forward` needs no change; to a layer with weights the same memory is (B, M C, F, T), where a
convolution in M groups, and a batch normalisation of M C channels, are M of them that know nothing of each other.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from cnn.errors import ModelError
from cnn.models.blocks import Differences


class _Stacked(nn.Module):
    """Weights (M, ...) under the names they have in each member."""

    weight: torch.Tensor
    running_mean: torch.Tensor
    running_var: torch.Tensor
    num_batches_tracked: torch.Tensor

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.n_members = len(layers)
        first = layers[0]
        for name, parameter in first.named_parameters(recurse=False):
            values = torch.stack([getattr(layer, name).detach() for layer in layers])
            self.register_parameter(name, nn.Parameter(values.contiguous(), requires_grad=parameter.requires_grad))
        for name, _ in first.named_buffers(recurse=False):
            self.register_buffer(name, torch.stack([getattr(layer, name) for layer in layers]))

    def optional(self, name: str) -> torch.Tensor | None:
        """Return a weight that a layer may lack."""
        value: torch.Tensor | None = getattr(self, name, None)
        return value


class Formulation(Enum):
    """Computation of M convolutions at once; the numbers agree but for rounding, and a probe chooses the faster."""

    GROUPED = "grouped"  # one convolution in M groups
    PRODUCTS = "products"  # patches laid out as columns, then M matrix products


class StackedConv2d(_Stacked):
    """(B M, C, F, T) to (B M, C', F', T')."""

    formulation = Formulation.GROUPED

    def __init__(self, layers: Sequence[nn.Conv2d]) -> None:
        super().__init__(layers)
        first = layers[0]
        if first.padding_mode != "zeros" or isinstance(first.padding, str):
            raise ModelError("convolutions are fused with zero padding given in cells; train without --fuse")
        self.groups = self.n_members * first.groups
        self.stride, self.padding, self.dilation = first.stride, first.padding, first.dilation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.formulation is Formulation.PRODUCTS and self.groups == self.n_members:
            return self._products(x)
        bias = self.optional("bias")
        out = F.conv2d(
            _side_by_side(x, self.n_members),
            self.weight.flatten(0, 1),
            None if bias is None else bias.flatten(),
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
        )
        return _apart(out, self.n_members)

    def _products(self, x: torch.Tensor) -> torch.Tensor:
        m, kernel = self.n_members, (self.weight.shape[3], self.weight.shape[4])
        columns = F.unfold(x, kernel, self.dilation, self.padding, self.stride)  # (B M, C k k, F' T')
        n_cells = columns.shape[2]
        columns = columns.view(-1, m, columns.shape[1], n_cells).permute(1, 2, 0, 3).flatten(2)  # (M, C k k, B F' T')
        out = torch.bmm(self.weight.flatten(2), columns).view(m, -1, len(x) // m, n_cells)  # (M, C', B, F' T')
        bias = self.optional("bias")
        if bias is not None:
            out = out + bias[:, :, None, None]
        sides = [self._side(n, axis) for axis, n in enumerate(x.shape[2:])]
        return out.permute(2, 0, 1, 3).reshape(len(x), -1, *sides)

    def _side(self, n: int, axis: int) -> int:
        reach = self.dilation[axis] * (self.weight.shape[3 + axis] - 1)
        return (n + 2 * self.padding[axis] - reach - 1) // self.stride[axis] + 1


class StackedLinear(_Stacked):
    """(B M, n) to (B M, n')."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        members = x.reshape(-1, self.n_members, x.shape[-1]).transpose(0, 1)  # (M, B, n)
        bias, weights = self.optional("bias"), self.weight.transpose(1, 2)
        out = torch.bmm(members, weights) if bias is None else torch.baddbmm(bias.unsqueeze(1), members, weights)
        return out.transpose(0, 1).reshape(-1, out.shape[2])


class StackedBatchNorm(_Stacked):
    """(B M, C, ...) to the same; each member's channels with their own statistics."""

    def __init__(self, layers: Sequence[nn.BatchNorm2d]) -> None:
        super().__init__(layers)
        first = layers[0]
        if first.momentum is None or not first.track_running_stats:
            raise ModelError("batch normalisation is fused with running statistics and a momentum; train without --fuse")
        self.momentum, self.eps = first.momentum, first.eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight, bias = self.optional("weight"), self.optional("bias")
        if self.training:
            self.num_batches_tracked += 1
        out = F.batch_norm(
            _side_by_side(x, self.n_members),
            self.running_mean.view(-1),
            self.running_var.view(-1),
            None if weight is None else weight.flatten(),
            None if bias is None else bias.flatten(),
            self.training,
            self.momentum,
            self.eps,
        )
        return _apart(out, self.n_members)


class StackedDropout(_Stacked):
    """(B M, ...) to the same; each member drops with its own probability, drawn from its own generator."""

    def __init__(self, layers: Sequence[nn.Dropout]) -> None:
        super().__init__(layers)
        self.probabilities = [layer.p for layer in layers]
        self._factors = torch.tensor([1 / (1 - layer.p) for layer in layers])  # (M,)
        self.generators: list[torch.Generator] = []  # set by the stack

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not self.training or not any(self.probabilities):
            return x
        masks = torch.ones((self.n_members, len(x) // self.n_members, *x.shape[1:]), device=x.device)  # (M, B, ...)
        for mask, p, generator in zip(masks, self.probabilities, self.generators, strict=True):
            if p:
                mask.bernoulli_(1 - p, generator=generator)
        self._factors = self._factors.to(x.device)
        masks.mul_(self._factors.view(-1, *[1] * x.ndim))
        return x * masks.transpose(0, 1).reshape_as(x)


_STACKS: dict[type[nn.Module], Callable[[Sequence[Any]], _Stacked]] = {
    nn.Conv2d: StackedConv2d,
    nn.Linear: StackedLinear,
    nn.BatchNorm1d: StackedBatchNorm,
    nn.BatchNorm2d: StackedBatchNorm,
    nn.Dropout: StackedDropout,
}


def stack_nets(nets: Sequence[nn.Module]) -> nn.Module:
    """Stack nets into one, (B M, C, F, T) to (B M, K), with copies of their weights.

    Raises:
        ModelError: a layer with weights, or with draws of its own, that cannot be stacked.
    """
    members = [dict(net.named_modules()) for net in nets]
    stack = copy.deepcopy(nets[0])
    for name, layer in list(stack.named_modules()):
        if type(layer) in _STACKS:
            parent, _, leaf = name.rpartition(".")
            setattr(stack.get_submodule(parent), leaf, _STACKS[type(layer)]([member[name] for member in members]))
        elif isinstance(layer, Differences):
            layer.memory_format = torch.contiguous_format  # channels last would be copied back by the first convolution
    for name, layer in stack.named_modules():
        own_weights = [*layer.parameters(recurse=False), *layer.buffers(recurse=False)]
        if not isinstance(layer, _Stacked) and (own_weights or isinstance(layer, nn.modules.dropout._DropoutNd)):
            kinds = ", ".join(kind.__name__ for kind in _STACKS)
            name = name or "the net"
            raise ModelError(f"{name} ({type(layer).__name__}) cannot be fused, only {kinds}; train without --fuse")
    return stack


def unstack_nets(stack: nn.Module, nets: Sequence[nn.Module]) -> None:
    """Copy the weights and statistics of the members back into their own nets."""
    values = stack.state_dict()
    pairs = [(target, values[name][number]) for number, net in enumerate(nets) for name, target in net.state_dict().items()]
    for dtype in {target.dtype for target, _ in pairs}:  # all of a type in a few kernels
        targets, sources = zip(*(pair for pair in pairs if pair[0].dtype == dtype), strict=True)
        torch._foreach_copy_(targets, sources)


def _side_by_side(x: torch.Tensor, n_members: int) -> torch.Tensor:
    return x.reshape(-1, n_members * x.shape[1], *x.shape[2:])


def _apart(x: torch.Tensor, n_members: int) -> torch.Tensor:
    return x.reshape(-1, x.shape[1] // n_members, *x.shape[2:])
