"""Layers of any net, in the order in which forward calls them: shapes, receptive fields, parameters and multiply-adds.

A receptive field is measured, so that branches and plug-ins need no rule of their own: one row or column of the picture at a
time is NaN, and what is NaN in a layer's output depends on it. Convolutions must not be computed by a transform, which would
spread the NaN: oneDNN and NNPACK are off meanwhile.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnn.check.net import check_net
from cnn.models.own import explain_errors
from cnn.models.registry import build_net, seed_generators
from cnn.settings.data import DIGITS
from cnn.settings.model import ModelSettings
from cnn.train.device import limit_threads
from cnn.train.start import group_columns

_CPU = torch.device("cpu")


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerSummary:
    """One call of a layer; a layer that is called again has its parameters in the first call."""

    number: int  # among the layers with weights, of its column, as `train.frozen` counts them; 0 of any other
    name: str  # path within the net
    kind: str  # class
    shape: tuple[int, ...]  # output of one clip
    kernel: tuple[int, ...]  # empty but for convolutions and poolings
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    field: tuple[int, int]  # mel bins and frames of the picture, the most of any number of the output
    n_parameters: int
    n_multiply_adds: int


@dataclass(slots=True)
class _Call:
    path: str
    module: nn.Module
    flops: int  # at the start of the call, then of the call
    inner_flops: int = 0  # share of the layers within
    has_inner: bool = False
    is_nan: torch.Tensor | None = None  # the output's, before anything changes it in place


class _Recorder:
    """Calls of a net's modules during forward, in the order in which they end."""

    def __init__(self, net: nn.Module, counter: FlopCounterMode | None = None) -> None:
        self.calls: list[_Call] = []
        self._open: list[_Call] = []
        self._counter = counter
        self._hooks = []
        for path, module in net.named_modules():
            self._hooks += [
                module.register_forward_pre_hook(lambda module, _inputs, path=path: self._begin(path, module)),
                module.register_forward_hook(lambda _module, _inputs, output: self._end(output)),
            ]

    def close(self) -> None:
        for hook in self._hooks:
            hook.remove()

    def _n_flops(self) -> int:
        return self._counter.get_total_flops() if self._counter else 0

    def _begin(self, path: str, module: nn.Module) -> None:
        self._open.append(_Call(path, module, self._n_flops()))

    def _end(self, output: object) -> None:
        call = self._open.pop()
        call.flops = self._n_flops() - call.flops
        tensor = _first_tensor(output)
        call.is_nan = None if tensor is None else tensor.isnan()
        if self._open:
            self._open[-1].inner_flops += call.flops
            self._open[-1].has_inner = True
        self.calls.append(call)


def _first_tensor(output: object) -> torch.Tensor | None:
    """Return the output, or its first tensor where a layer gives several, as recurrent ones do."""
    values = output.values() if isinstance(output, Mapping) else output if isinstance(output, list | tuple) else [output]
    return next((value for value in values if isinstance(value, torch.Tensor)), None)


def list_layers(settings: ModelSettings, size: int) -> list[LayerSummary]:
    """Build the net and return its layers; what a module computes besides its layers has a line of its own, after them.

    Raises:
        ModelError: a plug-in that cannot be trained.
    """
    with limit_threads(_CPU), seed_generators(0, _CPU):
        if settings.is_plugin:
            check_net(settings, size, len(DIGITS))
        with torch.no_grad(), explain_errors(settings, size, "forward"), _exact_convolutions():
            picture = torch.randn(1, settings.n_channels, size, size)
            return _list_layers(build_net(settings, size, len(DIGITS)).eval(), picture)


def _list_layers(net: nn.Module, picture: torch.Tensor) -> list[LayerSummary]:
    with FlopCounterMode(display=False) as counter:
        calls = _record(net, picture, counter)
    fields = zip(_measure_extents(net, picture, 2), _measure_extents(net, picture, 3), strict=True)
    parameters = _count_by_call(net, calls)
    numbers = {group.name: number for column in group_columns(net, picture) for number, group in enumerate(column, 1)}
    layers = [
        _layer(call, field, n, numbers.pop(call.path, 0)) for call, field, n in zip(calls, fields, parameters, strict=True)
    ]
    return [
        layer
        for layer, call in zip(layers, calls, strict=True)
        if not call.has_inner or layer.n_parameters or layer.n_multiply_adds
    ]


@contextmanager
def _exact_convolutions() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="TF32")  # comes of switching oneDNN where there is no GPU of Intel's
        with torch.backends.mkldnn.flags(enabled=False), torch.backends.nnpack.flags(enabled=False):
            yield


def _record(net: nn.Module, picture: torch.Tensor, counter: FlopCounterMode | None = None) -> list[_Call]:
    recorder = _Recorder(net, counter)
    try:
        net(picture)
    finally:
        recorder.close()
    return recorder.calls


def _measure_extents(net: nn.Module, picture: torch.Tensor, axis: int) -> list[int]:
    """Return for each call how far along `axis` the picture reaches one number of its output, the most of all numbers."""
    first: list[torch.Tensor] = []
    last: list[torch.Tensor] = []
    for position in range(picture.shape[axis]):
        marked = picture.clone()
        marked.select(axis, position).fill_(torch.nan)
        masks = [torch.empty(0) if call.is_nan is None else call.is_nan for call in _record(net, marked)]
        if not position:
            first, last = ([torch.full(mask.shape, -1) for mask in masks] for _ in range(2))
        for mask, begin, end in zip(masks, first, last, strict=True):
            begin[mask & (begin < 0)] = position
            end[mask] = position
    extents = [torch.where(begin < 0, 0, end - begin + 1) for begin, end in zip(first, last, strict=True)]
    return [int(extent.max()) if extent.numel() else 0 for extent in extents]


def _count_by_call(net: nn.Module, calls: list[_Call]) -> list[int]:
    """Count trainable numbers once each, for the first call of their module, or of the nearest one around it that is called."""
    called = {call.path for call in calls}
    counts: dict[str, int] = {}
    seen: set[int] = set()
    for path, module in net.named_modules():
        owner = path
        while owner not in called:
            owner = owner.rpartition(".")[0]
        for parameter in module.parameters(recurse=False):
            if parameter.requires_grad and id(parameter) not in seen:
                seen.add(id(parameter))
                counts[owner] = counts.get(owner, 0) + parameter.numel()
    return [counts.pop(call.path, 0) for call in calls]


def _layer(call: _Call, field: tuple[int, int], n_parameters: int, number: int) -> LayerSummary:
    return LayerSummary(
        number=number,
        name=call.path or "self",
        kind=type(call.module).__name__,
        shape=() if call.is_nan is None else tuple(call.is_nan.shape[1:]),
        kernel=_window(call.module, "kernel_size"),
        stride=_window(call.module, "stride"),
        dilation=_window(call.module, "dilation"),
        field=field,
        n_parameters=n_parameters,
        n_multiply_adds=(call.flops - call.inner_flops) // 2,
    )


def _window(module: nn.Module, name: str) -> tuple[int, ...]:
    """Return a convolution's or pooling's kernel, stride or dilation along each axis; () of any other module."""
    kernel, value = getattr(module, "kernel_size", None), getattr(module, name, None)
    n_axes = len(kernel) if isinstance(kernel, tuple) else 1 if type(module).__name__.endswith("1d") else 2
    if isinstance(value, int) and kernel is not None:
        return (value,) * n_axes
    return value if isinstance(value, tuple) and kernel is not None else ()
