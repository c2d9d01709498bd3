"""Activations, Grad-CAM, occlusion maps and last features of any net, a team's own included.

B batch, C channels, F mel bins, T frames, K classes, D features. Nets are in evaluation mode and remain unchanged. Layers are
detected by forward hooks while the net runs, not by their type.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from cnn.models.blocks import Differences

_LEAST_CELLS = 4  # a smaller map is a summary, not a picture
_MOST_LAYERS = 6
_PATCHES = 8  # hidden squares that fit beside each other into a picture
_AT_ONCE = 128
_NO_MAPS = (nn.Identity, nn.Dropout, nn.Dropout2d, Differences)  # their output is their input, or the picture's


@dataclass(frozen=True, kw_only=True, slots=True)
class MapLayer:
    """One point in a net whose output is a map (B, C, F, T)."""

    name: str  # the module's
    call: int  # number of its call in a forward pass, from 0: an activation may be used several times
    n_channels: int
    n_bins: int
    n_frames: int


@contextmanager
def _watch_outputs(net: nn.Module, watch: Callable[[str, int, nn.Module, torch.Tensor], None]) -> Iterator[None]:
    """Call `watch` with each tensor that a module returns: name, number of the call, module, tensor.

    A later module that works in place changes that tensor too, its values and its gradient.
    """
    calls: Counter[str] = Counter()

    def make_hook(name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(module: nn.Module, _inputs: object, output: object) -> None:
            calls[name] += 1
            if isinstance(output, torch.Tensor):
                watch(name, calls[name] - 1, module, output)

        return hook

    handles = [module.register_forward_hook(make_hook(name)) for name, module in net.named_modules() if name]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def map_layers(net: nn.Module, batch: torch.Tensor) -> tuple[MapLayer, ...]:
    """Return the last map of each size, from the first convolution on, at most six; none in a net without a convolution.

    Args:
        batch: (B, C, F, T), as the net takes it.
    """
    outputs: list[tuple[str, int, bool, torch.Tensor]] = []  # name, call, is innermost, output

    def watch(name: str, call: int, module: nn.Module, output: torch.Tensor) -> None:
        is_map = output.dim() == 4 and len(output) == len(batch) and min(output.shape[2:]) >= _LEAST_CELLS
        if is_map and not isinstance(module, _NO_MAPS) and (outputs or isinstance(module, nn.Conv2d)):
            outputs.append((name, call, not any(module.children()), output))

    with torch.no_grad(), _watch_outputs(net, watch):
        net(batch)
    last = {tuple(output.shape[2:]): output for _, _, _, output in outputs}  # in the order in which a size first appears
    layers = []
    for output in last.values():
        sources = [(name, call, is_leaf) for name, call, is_leaf, tensor in outputs if tensor is output]
        name, call, _ = ([source for source in sources if source[2]] or sources[:1])[-1]  # a container returns it too
        n_channels, n_bins, n_frames = output.shape[1:]
        layers.append(MapLayer(name=name, call=call, n_channels=n_channels, n_bins=n_bins, n_frames=n_frames))
    return tuple(layers) if len(layers) <= _MOST_LAYERS else (layers[0], *layers[1 - _MOST_LAYERS :])


def compute_maps(net: nn.Module, batch: torch.Tensor, layers: Sequence[MapLayer]) -> list[torch.Tensor]:
    """Return the output of each layer, (B, C, F', T') each."""
    maps: dict[tuple[str, int], torch.Tensor] = {}
    keys = [(layer.name, layer.call) for layer in layers]

    def watch(name: str, call: int, _module: nn.Module, output: torch.Tensor) -> None:
        if (name, call) in keys:
            maps[name, call] = output

    with torch.no_grad(), _watch_outputs(net, watch):
        net(batch)
    return [maps[key] for key in keys]


def grad_cam(net: nn.Module, batch: torch.Tensor, classes: torch.Tensor, layer: MapLayer) -> torch.Tensor:
    """Return Grad-CAM, (B, F, T) in 0..1: the evidence for a class in the layer's map (Selvaraju et al. 2017, eq. 1 and 2).

    The channels, each weighted by the mean of its gradient, are added up; values below zero speak for other classes and become
    0. Each clip's map is divided by its largest value, and all 0 where nothing speaks for the class.

    Args:
        batch: (B, C, F, T); the map is enlarged to its F and T.
        classes: (B,) int64.
    """
    outputs: list[torch.Tensor] = []

    def watch(name: str, call: int, _module: nn.Module, output: torch.Tensor) -> None:
        if (name, call) == (layer.name, layer.call):
            outputs.append(output)

    with torch.enable_grad(), _watch_outputs(net, watch):
        logits = net(batch)
        total = logits.gather(1, classes[:, None]).sum()
        (gradient,) = torch.autograd.grad(total, outputs, allow_unused=True, materialize_grads=True)
    maps = outputs[0].detach()
    weights = gradient.mean((2, 3), keepdim=True)  # (B, C, 1, 1)
    evidence = (weights * maps).sum(1, keepdim=True).relu()  # (B, 1, F', T')
    evidence = F.interpolate(evidence, size=batch.shape[2:], mode="bilinear", align_corners=False)[:, 0]  # (B, F, T)
    return evidence / evidence.amax((1, 2), keepdim=True).clamp_min(1e-12)


def occlusion(net: nn.Module, picture: torch.Tensor, k: int) -> torch.Tensor:
    """Return (F, T): the fall of the probability of class `k` when a square around a cell is hidden (Zeiler and Fergus 2014).

    The square is an eighth of the picture wide and moves by half its width; a cell has the mean over the squares that hide it.
    Below zero the net would be surer without that part.

    Args:
        picture: (1, C, F, T), as the net takes it; hidden cells are set to 0, the mean of each mel bin, or of the corpus.
    """
    n_bins, n_frames = picture.shape[2:]
    high, wide = max(1, n_bins // _PATCHES), max(1, n_frames // _PATCHES)
    corners = [(f, t) for f in _starts(n_bins, high) for t in _starts(n_frames, wide)]
    hidden = torch.zeros(len(corners), n_bins, n_frames, device=picture.device)
    for number, (f, t) in enumerate(corners):
        hidden[number, f : f + high, t : t + wide] = 1
    with torch.no_grad():
        before = net(picture).softmax(1)[0, k]
        falls = torch.cat(
            [before - net(picture * (1 - part[:, None])).softmax(1)[:, k] for part in torch.split(hidden, _AT_ONCE)]
        )
    return (hidden * falls[:, None, None]).sum(0) / hidden.sum(0)


def _starts(length: int, patch: int) -> list[int]:
    """Return the starts of a patch that moves by half its length; the last patch ends with the picture."""
    return sorted({*range(0, length - patch + 1, max(1, patch // 2)), length - patch})


@dataclass(frozen=True, kw_only=True, slots=True)
class Features:
    """Input of a net's last linear layer."""

    source: str  # name of that layer; empty: the values are the net's own output
    values: torch.Tensor  # (N, D), on the CPU


def compute_features(net: nn.Module, batches: Sequence[torch.Tensor]) -> Features:
    """Return the input of the last linear layer, or the output of a net without one."""
    linear_inputs: list[tuple[str, torch.Tensor]] = []

    def make_hook(name: str) -> Callable[[nn.Module, tuple[torch.Tensor, ...]], None]:
        return lambda _module, inputs: linear_inputs.append((name, inputs[0].detach().flatten(1).clone())) if inputs else None

    linear = [(name, module) for name, module in net.named_modules() if isinstance(module, nn.Linear)]
    handles = [module.register_forward_pre_hook(make_hook(name)) for name, module in linear]
    rows: list[torch.Tensor] = []
    source = ""
    try:
        with torch.no_grad():
            for batch in batches:
                linear_inputs.clear()
                output = net(batch)
                source, values = linear_inputs[-1] if linear_inputs else ("", output)
                rows.append(values.float().cpu())
    finally:
        for handle in handles:
            handle.remove()
    return Features(source=source, values=torch.cat(rows))


def first_filters(net: nn.Module) -> tuple[str, torch.Tensor] | None:
    """Return name and kernels (C, F, T) of the first convolution larger than one cell; None where there is none.

    In a layer with several input channels, every pair of an input and an output channel is a kernel.
    """
    for name, module in net.named_modules():
        if isinstance(module, nn.Conv2d) and max(module.weight.shape[2:]) > 1:
            kernels = module.weight.detach().float().cpu()
            return name, kernels.reshape(-1, *kernels.shape[2:])
    return None
