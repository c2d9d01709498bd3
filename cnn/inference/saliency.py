"""What happens inside a net: its maps, what they say of a class, what hiding a part does, where clips lie before the answer.

B batch, C channels, F mel bins, T frames, K classes, D features. Nets are in evaluation mode; none of this changes them. A
layer is found by running the net and watching its modules, so that it works for any net, a team's own included.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

_LEAST_CELLS = 4  # a smaller map is a summary, not a picture
_MOST_LAYERS = 6
_PATCHES = 8  # hidden squares that fit beside each other into a picture
_AT_ONCE = 128
_HANDS_ON = (nn.Identity, nn.Dropout, nn.Dropout2d)  # give what they are given


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """One place in a net where a map (B, C, F, T) comes out."""

    name: str  # of the module
    call: int  # which of its calls in a forward pass, from 0: an activation may be used several times
    n_channels: int
    n_bins: int
    n_frames: int


@contextmanager
def _watched(net: nn.Module, watch: Callable[[str, int, nn.Module, torch.Tensor], None]) -> Iterator[None]:
    """`watch` is told of each tensor that a module gives, by name and number of the call. What a later module changes in place
    it has changed in the tensor too, in its values as in its gradient."""
    calls: Counter[str] = Counter()

    def hook(name: str) -> Callable[[nn.Module, object, object], None]:
        def heard(module: nn.Module, _inputs: object, output: object) -> None:
            calls[name] += 1
            if isinstance(output, torch.Tensor):
                watch(name, calls[name] - 1, module, output)

        return heard

    handles = [module.register_forward_hook(hook(name)) for name, module in net.named_modules() if name]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def map_layers(net: nn.Module, batch: torch.Tensor) -> tuple[Layer, ...]:
    """The last map of each size, from the first convolution on, at most six; none where no convolution is.

    Args:
        batch: (B, 1, F, T), as the net takes it.
    """
    seen: list[tuple[str, int, bool, torch.Tensor]] = []

    def watch(name: str, call: int, module: nn.Module, output: torch.Tensor) -> None:
        is_map = output.dim() == 4 and len(output) == len(batch) and min(output.shape[2:]) >= _LEAST_CELLS
        if is_map and not isinstance(module, _HANDS_ON) and (seen or isinstance(module, nn.Conv2d)):
            seen.append((name, call, not any(module.children()), output))

    with torch.no_grad(), _watched(net, watch):
        net(batch)
    last = {tuple(output.shape[2:]): output for _, _, _, output in seen}  # in the order in which a size first appears
    layers = []
    for output in last.values():
        same = [one for one in seen if one[3] is output]
        name, call, _, _ = ([one for one in same if one[2]] or same[:1])[-1]  # the innermost: a container gives it too
        n_channels, n_bins, n_frames = output.shape[1:]
        layers.append(Layer(name=name, call=call, n_channels=n_channels, n_bins=n_bins, n_frames=n_frames))
    return tuple(layers) if len(layers) <= _MOST_LAYERS else (layers[0], *layers[1 - _MOST_LAYERS :])


def maps_of(net: nn.Module, batch: torch.Tensor, layers: Sequence[Layer]) -> list[torch.Tensor]:
    """What comes out of each layer, (B, C, F', T') each."""
    found: dict[tuple[str, int], torch.Tensor] = {}
    wanted = {(layer.name, layer.call) for layer in layers}

    def watch(name: str, call: int, _module: nn.Module, output: torch.Tensor) -> None:
        if (name, call) in wanted:
            found[name, call] = output

    with torch.no_grad(), _watched(net, watch):
        net(batch)
    return [found[layer.name, layer.call] for layer in layers]


def grad_cam(net: nn.Module, batch: torch.Tensor, classes: torch.Tensor, layer: Layer) -> torch.Tensor:
    """(B, F, T) in 0..1: which parts of the layer's map speak for the class (Selvaraju et al. 2017, equations 1 and 2).

    The channels, each weighted by the mean of its gradient, are added up; what is below zero speaks for other classes and is
    left out. Each clip's map is divided by its largest value, and all 0 where nothing speaks for the class.

    Args:
        batch: (B, 1, F, T); the map is enlarged to its F and T.
        classes: (B,) int64.
    """
    found: list[torch.Tensor] = []

    def watch(name: str, call: int, _module: nn.Module, output: torch.Tensor) -> None:
        if (name, call) == (layer.name, layer.call):
            found.append(output)

    with torch.enable_grad(), _watched(net, watch):
        logits = net(batch)
        chosen = logits.gather(1, classes[:, None]).sum()
        (gradient,) = torch.autograd.grad(chosen, found, allow_unused=True, materialize_grads=True)
    maps = found[0].detach()
    weights = gradient.mean((2, 3), keepdim=True)  # (B, C, 1, 1)
    speaks_for = (weights * maps).sum(1, keepdim=True).relu()  # (B, 1, F', T')
    whole = F.interpolate(speaks_for, size=batch.shape[2:], mode="bilinear", align_corners=False)[:, 0]
    return whole / whole.amax((1, 2), keepdim=True).clamp_min(1e-12)


def occlusion(net: nn.Module, picture: torch.Tensor, k: int) -> torch.Tensor:
    """(F, T): by how much the probability of class `k` falls when a square around a cell is hidden (Zeiler and Fergus 2014).

    The square is an eighth of the picture wide and moves by half of itself; a cell has the mean of the squares that hide it.
    Below zero: without that part the net would be surer.

    Args:
        picture: (1, 1, F, T), as the net takes it: hidden is what is set to 0, the mean of each mel bin.
    """
    n_bins, n_frames = picture.shape[2:]
    high, wide = max(1, n_bins // _PATCHES), max(1, n_frames // _PATCHES)
    corners = [(f, t) for f in _starts(n_bins, high) for t in _starts(n_frames, wide)]
    hidden = torch.zeros(len(corners), n_bins, n_frames, device=picture.device)
    for number, (f, t) in enumerate(corners):
        hidden[number, f : f + high, t : t + wide] = 1
    with torch.no_grad():
        whole = net(picture).softmax(1)[0, k]
        falls = torch.cat(
            [whole - net(picture * (1 - part[:, None])).softmax(1)[:, k] for part in torch.split(hidden, _AT_ONCE)]
        )
    return (hidden * falls[:, None, None]).sum(0) / hidden.sum(0)


def _starts(length: int, patch: int) -> list[int]:
    """Where a patch begins that moves by half of itself; the last one ends where the picture ends."""
    return sorted({*range(0, length - patch + 1, max(1, patch // 2)), length - patch})


@dataclass(frozen=True, kw_only=True, slots=True)
class Features:
    """The last numbers before the answer."""

    source: str  # of which module they are the input; empty: the net's own output
    values: torch.Tensor  # (N, D), on the CPU


def features_of(net: nn.Module, batches: Sequence[torch.Tensor]) -> Features:
    """What the last linear layer is given; of a net that has none, its output."""
    caught: list[tuple[str, torch.Tensor]] = []

    def catch(name: str) -> Callable[[nn.Module, tuple[torch.Tensor, ...]], None]:
        return lambda _module, inputs: caught.append((name, inputs[0].detach().flatten(1).clone())) if inputs else None

    linear = [(name, module) for name, module in net.named_modules() if isinstance(module, nn.Linear)]
    handles = [module.register_forward_pre_hook(catch(name)) for name, module in linear]
    rows: list[torch.Tensor] = []
    source = ""
    try:
        with torch.no_grad():
            for batch in batches:
                caught.clear()
                output = net(batch)
                source, values = caught[-1] if caught else ("", output)
                rows.append(values.float().cpu())
    finally:
        for handle in handles:
            handle.remove()
    return Features(source=source, values=torch.cat(rows))


def first_filters(net: nn.Module) -> tuple[str, torch.Tensor] | None:
    """Name and kernels (C, F, T) of the first convolution that sees more than one cell; None where there is none.

    Of a layer with several input channels every pair of an input and an output is a kernel.
    """
    for name, module in net.named_modules():
        if isinstance(module, nn.Conv2d) and max(module.weight.shape[2:]) > 1:
            kernels = module.weight.detach().float().cpu()
            return name, kernels.reshape(-1, *kernels.shape[2:])
    return None
