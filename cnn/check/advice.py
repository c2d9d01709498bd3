"""Remarks on a trace, in one line each: what the net must not do, what fails on a GPU, what trains badly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.modules.loss import _Loss

from cnn.check.lines import Lines
from cnn.check.trace import Stray, Trace

_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
_MOST = 3  # layers that are named one by one
_SOFTMAX = {"softmax", "log_softmax", "softmin"}
_SQUASHING = {"sigmoid", "hardsigmoid", "logsigmoid", "log_sigmoid", "tanh", "hardtanh", "relu", "relu6"}
_CUTS = "detach(), no_grad(), .data, argmax or numpy"


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark and the line of the net's file; 0 if that is not known."""

    line: int
    text: str


def find_untrained_layer(trace: Trace, net: nn.Module) -> Remark | None:
    """Find a layer that forward makes, or takes from outside the net: the optimiser does not have its weights."""
    if layer := trace.new_layer:
        kind = type(layer.owner).__name__
        paths = {id(module): path for path, module in net.named_modules() if path}
        name = f"self.{paths[id(layer.owner)]} ({kind})" if id(layer.owner) in paths else f"a {kind}"
        if layer.owner is net:
            name = f"self.{layer.name}"
        return Remark(layer.line, f"forward makes {name}, which would never be trained; make it in __init__")
    if call := trace.foreign:
        rule = "forward uses weights that the net does not hold, and that would never be trained"
        return Remark(call.line, f"{rule}; make their layer in __init__: self.layer = ...")
    return None


def find_change_of_input(trace: Trace) -> Remark | None:
    """Find the call that changes the pictures in place."""
    if (call := trace.change) is None:
        return None
    cure = "write x = x + y for x += y, x.relu() for x.relu_(), and no inplace=True"
    return Remark(call.line, f"forward changes its input in place ({call.name}); {cure}")


def find_gpu_fault(trace: Trace, net: nn.Module) -> Remark | None:
    """Find what would fail on a GPU."""
    if call := trace.numpy:
        return Remark(call.line, "numpy takes no tensor of a GPU, so this fails on one; stay in torch")
    return _describe_stray(trace, trace.stray, net) if trace.stray else None


def _describe_stray(trace: Trace, stray: Stray, net: nn.Module) -> Remark:
    fault = "stays on the CPU when the net runs on a GPU, and fails there"
    origin, use = stray.origin, stray.use
    if origin and origin.name in ("to", "cpu"):
        cure = "leave that out, pictures and net lie on one device"
        return Remark(origin.line, f"what .{origin.name}(...) moves to the CPU {fault}; {cure}")
    if origin and origin.is_factory:
        return Remark(origin.line, f"the tensor made by torch.{origin.name} {fault}; make it with device=x.device")
    if name := _find_attribute(trace, trace.key(stray.tensor), net):
        cure = f"hold it: self.register_buffer({name.rpartition('.')[2]!r}, ...)"
        return Remark(use.line, f"{name} is a plain tensor, which {fault}; {cure}")
    cure = "write .to(x.device), or hold it in self.register_buffer(...)"
    return Remark(use.line, f"a tensor from outside forward, or from numpy, {fault}; {cure}")


def _find_attribute(trace: Trace, key: int, net: nn.Module) -> str:
    for path, module in net.named_modules():
        for name, value in vars(module).items():
            items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else [value]
            if not name.startswith("_") and any(isinstance(v, torch.Tensor) and trace.key(v) == key for v in items):
                return f"self.{path}.{name}".replace("..", ".")
    return ""


def list_warnings(trace: Trace, net: nn.Module, lines: Lines) -> list[Remark]:
    """List what lets a net train, but badly; its weights have the gradients of training."""
    findings = list(_find_bad_end(trace))
    if trace.is_complete and not trace.reads_values:
        idle = list(_find_unused(trace, net, "self", lines))
        findings += _join(idle, "forward never uses {}; use it, or take it out")
        cut = list(_find_without_gradient(trace, net, [name for _line, name in idle]))
        findings += _join(cut, f"the loss gives no gradient to {{}}, so it never learns; look for {_CUTS} after it")
    return findings


def _find_bad_end(trace: Trace) -> Iterator[Remark]:
    end, x = trace.end, trace.logits
    if not end or not isinstance(x, torch.Tensor):
        return
    name, reason = end.name.rstrip("_"), "the training's loss does the softmax itself"
    if name not in _SOFTMAX and bool((x >= 0).all()) and bool(((x.sum(1) - 1).abs() < 1e-4).all()):
        name = "probabilities"
    elif name in _SQUASHING:
        reason = "logits may be any numbers"
    elif name not in _SOFTMAX:
        return
    yield Remark(end.line, f"forward ends in {name}, and trains badly: {reason}; return what goes into it")


def _find_unused(trace: Trace, module: nn.Module, path: str, lines: Lines) -> Iterator[tuple[int, str]]:
    """Yield line and name of layers and weights that no forward pass has used, the outermost of each."""
    for name, weight in module.named_parameters(recurse=False):
        if weight.requires_grad and trace.key(weight) not in trace.uses:
            yield lines.get((id(module), name), 0), f"{path}.{name}"
    for name, child in module.named_children():
        tensors = (*child.parameters(), *child.buffers())
        is_used = any(id(part) in trace.layers for part in child.modules())
        if is_used or any(trace.key(tensor) in trace.uses for tensor in tensors):
            if isinstance(child, _CONTAINERS) or not type(child).__module__.startswith("torch."):
                yield from _find_unused(trace, child, f"{path}.{name}", lines)
        elif not isinstance(child, nn.Identity | _Loss) and (tensors or not isinstance(child, _CONTAINERS)):
            yield lines.get((id(module), name), 0), f"{path}.{name}"


def _find_without_gradient(trace: Trace, net: nn.Module, idle: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield line of use and name of layers that are used and get no gradient."""
    seen = set(idle)
    for path, weight in net.named_parameters(prefix="self"):
        layer = path.rpartition(".")[0] if path.count(".") > 1 else path
        use = trace.uses.get(trace.key(weight))
        if weight.requires_grad and weight.grad is None and use and layer not in seen:
            seen.add(layer)
            yield use.line, layer


def _join(layers: Sequence[tuple[int, str]], text: str) -> list[Remark]:
    """Return one finding on all layers; none of none."""
    if not layers:
        return []
    first = layers[0][0]
    names = [f"{name} (line {line})" if line not in (0, first) else name for line, name in layers[:_MOST]]
    more = [f"{len(layers) - _MOST} more"] if len(layers) > _MOST else []
    return [Remark(first, text.format(" and ".join([", ".join(names), *more])))]
