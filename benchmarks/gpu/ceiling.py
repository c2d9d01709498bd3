"""Cost of a training step on paper: kernels and bytes, counted from its operations, and the time that a GPU needs for them.

An operation is a kernel that reads its inputs and writes its outputs once; views and allocations are none, a convolution's
backward pass is two. That is the traffic of these operations, so a bound for them and not for others that would fuse them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from cnn.config import RunConfig
from cnn.models.blocks import FirstStage
from cnn.models.registry import count_multiply_adds
from cnn.settings.data import DIGITS
from cnn.tiles.batches import Clips
from cnn.tiles.inputs import Inputs
from cnn.train.fused.stack import FusedStack
from cnn.train.trainer import Trainer

_FEW_CLIPS = (4, 8)  # in the steps that are computed
_FLOPS = 6  # in a training step for each multiply-add of a forward pass: 2 forward, 4 backward
_ALLOCATIONS = {"aten::empty", "aten::empty_like", "aten::empty_strided", "aten::new_empty", "aten::detach", "aten::lift_fresh"}
_GATHERS = {"aten::index", "aten::index_select", "aten::gather"}  # read what they give, not all that they could
_SCATTERS = {"aten::index_add_", "aten::scatter_add_", "aten::index_put_"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Gpu:
    """Data sheet of a GPU, and what starting kernels costs."""

    name: str
    bytes_per_s: float
    flops: float  # TF32 a second, which cuDNN uses for float32
    launch_s: float = 10e-6  # from Python, one operation after the other, autograd's share included
    node_s: float = 1.5e-6  # within a graph
    graph_s: float = 10e-6  # to start a graph


H200 = Gpu(name="NVIDIA H200", bytes_per_s=4.8e12, flops=494e12)


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One operation of a step."""

    name: str
    n_kernels: int
    n_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class StepCost:
    """Cost of a step of M nets at once, and of making its batch."""

    batch: tuple[Operation, ...]  # gathered and augmented, started one by one
    step: tuple[Operation, ...]  # forward, backward and optimiser
    flops: float

    @property
    def n_kernels(self) -> int:
        return _count_kernels(self.step)

    @property
    def n_bytes(self) -> int:
        return sum(operation.n_bytes for operation in self.step)

    def predict_eager_s(self, gpu: Gpu) -> float:
        """Return the least time of a step whose kernels start one by one."""
        every = (*self.batch, *self.step)
        return max(_count_kernels(every) * gpu.launch_s, _predict_s(every, gpu), self.flops / gpu.flops)

    def predict_graph_s(self, gpu: Gpu) -> float:
        """Return the least time of a step that is one graph; its batch is made beside it, kernel by kernel."""
        starting_s = _count_kernels(self.batch) * gpu.launch_s + gpu.graph_s
        return max(starting_s, _predict_s((*self.batch, *self.step), gpu), self.flops / gpu.flops)


def _count_kernels(operations: Sequence[Operation]) -> int:
    return sum(operation.n_kernels for operation in operations)


def _predict_s(operations: Sequence[Operation], gpu: Gpu) -> float:
    return sum(max(o.n_kernels * gpu.node_s, o.n_bytes / gpu.bytes_per_s) for o in operations)


class OperationLog(TorchDispatchMode):
    """While it is entered, lists every operation of torch."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[Operation] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        name = str(func._overloadpacket._qualified_op_name)
        if not func.is_view and name not in _ALLOCATIONS:
            n_kernels = len(args[0]) if "_foreach_" in name else 2 if name == "aten::convolution_backward" else 1
            n_bytes = _count_bytes(name, _list_tensors((args, kwargs)), _list_tensors(out))
            self.operations.append(Operation(name=name, n_kernels=n_kernels, n_bytes=n_bytes))
        return out


def _list_tensors(values: object) -> list[torch.Tensor]:
    return [value for value in tree_leaves(values) if isinstance(value, torch.Tensor)]


def _count_bytes(name: str, inputs: Sequence[torch.Tensor], outputs: Sequence[torch.Tensor]) -> int:
    if name in _GATHERS:
        return 2 * sum(map(_size, outputs)) + sum(map(_size, inputs[1:]))
    if name in _SCATTERS:
        return sum(map(_size, inputs[1:])) + 2 * _size(inputs[-1])
    return sum(map(_size, (*inputs, *outputs)))


def _size(tensor: torch.Tensor) -> int:
    """Return the bytes of a tensor; what is expanded is read once."""
    return min(tensor.numel() * tensor.element_size(), tensor.untyped_storage().nbytes())


def count_step(config: RunConfig, n_members: int) -> StepCost:
    """Count a step of `n_members` nets trained as one; 1 is one net, as one graph.

    Two and three are computed: the bytes of two are scaled, and what kernels three have more comes once a member.
    """
    if n_members == 1:
        return _count(config, 1)
    two, three = _count(config, 2), _count(config, 3)
    extra = Operation(name="of each member", n_kernels=(n_members - 2) * (three.n_kernels - two.n_kernels), n_bytes=0)
    batch, step = (
        tuple(replace(o, n_bytes=o.n_bytes * n_members // 2) for o in operations) for operations in (two.batch, two.step)
    )
    return StepCost(batch=batch, step=(*step, extra), flops=two.flops * n_members / 2)


def count_eager_step(config: RunConfig) -> StepCost:
    """Count a step of one net as `arena train` makes it."""
    return _count(config, 0)


@cache
def _count(config: RunConfig, n_members: int) -> StepCost:
    """Count a step of a stack, or with 0 members of a trainer alone: steps of few clips, whose bytes are extrapolated."""
    small, large = (_count_small(config, n_members, n_clips) for n_clips in _FEW_CLIPS)
    return StepCost(
        batch=_extrapolate(small.batch, large.batch, config.train.batch_size),
        step=_extrapolate(small.step, large.step, config.train.batch_size),
        flops=large.flops / _FEW_CLIPS[1] * config.train.batch_size,
    )


def _extrapolate(small: Sequence[Operation], large: Sequence[Operation], n_clips: int) -> tuple[Operation, ...]:
    few, more = _FEW_CLIPS
    return tuple(
        replace(b, n_bytes=b.n_bytes + (b.n_bytes - a.n_bytes) * (n_clips - more) // (more - few))
        for a, b in zip(small, large, strict=True)
    )


def _count_small(config: RunConfig, n_members: int, n_clips: int) -> StepCost:
    """Take an epoch of two steps from one of three; what remains is a step."""
    settings = replace(config.train, batch_size=n_clips)
    fits = [
        Trainer(replace(config, train=replace(settings, seed=seed)), torch.device("cpu")) for seed in range(max(1, n_members))
    ]
    train_epoch = FusedStack(fits).train_epoch if n_members else _flatten(fits[0]).train_epoch
    batches, epochs = [], []
    for n_steps in (2, 3):  # rates of a single step are laid out without a copy
        clips = _draw_clips(config, n_steps * n_clips)
        iterator = clips.iterate_batches(n_clips, list(range(len(fits))), Inputs([fit.config for fit in fits]))
        batches.append(_list_operations(lambda iterator=iterator: list(iterator)))  # type: ignore[misc]
        epochs.append(_list_operations(lambda clips=clips: train_epoch(clips)))  # type: ignore[misc]
    batch, step = _find_last_step(*batches), _find_last_step(*epochs)
    for operation in batch:
        step.remove(operation)
    flops = _FLOPS * count_multiply_adds(fits[0].net, config.tiles.size) * n_clips * len(fits)
    return StepCost(batch=tuple(batch), step=tuple(step), flops=flops)


def _flatten(fit: Trainer) -> Trainer:
    """Take away the first stage's parts of a batch, which there are on a CPU alone."""
    for name, layer in list(fit.net.named_modules()):
        if isinstance(layer, FirstStage):
            fit.net.set_submodule(name, nn.Sequential(*layer))
    return fit


def _list_operations(work: Callable[[], object]) -> list[Operation]:
    with OperationLog() as log:
        work()
    return log.operations


def _find_last_step(shorter: Sequence[Operation], longer: Sequence[Operation]) -> list[Operation]:
    """Return the operations of the last step, which come where the shorter epoch ends its own."""
    pairs = enumerate(zip(shorter, longer, strict=False))
    start = next((n for n, (a, b) in pairs if a.name != b.name), len(shorter))
    return list(longer[start : start + len(longer) - len(shorter)])


def _draw_clips(config: RunConfig, n: int) -> Clips:
    draw = np.random.default_rng(0)
    pictures = draw.integers(0, 256, (n, config.tiles.size, config.tiles.size), dtype=np.uint8)
    return Clips(pictures, draw.integers(0, len(DIGITS), n), range(n), torch.device("cpu"))
