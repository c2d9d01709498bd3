"""Layers of a spelled net with their cells, maps and parameters; without torch, so that a sweep file is checked at once."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnn.settings.spelling import ACT, MOST_PARAMETERS, POOLS, Word, parse_stack, refuse

if TYPE_CHECKING:
    from cnn.settings.model import ModelSettings

_FIRST_MAPS, _HIDDEN = 16, 128  # the first convolution's, and those of an fc before the last, where none are given
_CONV, _POOL = (3, 1), (2, 2)  # kernel and stride by default


@dataclass(frozen=True, kw_only=True, slots=True)
class StackLayer:
    """One layer with all its numbers; a convolution includes its normalisation."""

    name: str  # its kind, and which of them: conv1
    kind: str
    at: int  # index in the spelling
    n_in: int  # maps, or inputs of an fc
    n_out: int
    n_cells: int  # along a side of the output; 1 from the first fc on
    n_parameters: int = 0
    kernel: int = 0
    stride: int = 0
    padding: int = 0


def scale_channels(n_channels: int, width: float) -> int:
    """Return the paper's channels times `width`, up to the next multiple of eight, as many as a CPU works on at a time.

    With 12 maps for 16, batch normalisation takes four times as long and a whole step of LeNet-5 1.4 times (one thread,
    AVX2, torch 2.11, 2026-11).
    """
    return math.ceil(round(n_channels * width) / 8) * 8 or 8


def plan_stack(settings: ModelSettings, size: int, n_classes: int) -> list[StackLayer]:
    """Return the layers for pictures of `size` cells; convolutions and pools keep or halve all of them unless told otherwise.

    Raises:
        ConfigError: names the place in the spelling, the rule, and the cells that come there.
    """
    words = parse_stack(settings.spelling)
    outputs = _list_outputs(words, settings.width, n_classes)
    counts: Counter[str] = Counter()
    layers: list[StackLayer] = []
    n_in, n_cells = settings.n_channels, size
    for word, n_out in zip(words, outputs, strict=True):
        counts[word.kind] += 1
        name = f"{word.kind}{counts[word.kind]}"
        if word.kind == "fc":
            n_in, n_cells = n_in * n_cells**2, 1
            layer = StackLayer(
                name=name, kind="fc", at=word.at, n_in=n_in, n_out=n_out, n_cells=1, n_parameters=(n_in + 1) * n_out
            )
        elif word.kind == "conv" or word.kind in POOLS:
            layer = _plan_window(settings, word, name, (n_in, n_out or n_in, n_cells))
        else:
            kind = settings.activation if word.kind == ACT else word.kind
            layer = StackLayer(name=name, kind=kind, at=word.at, n_in=n_in, n_out=n_in, n_cells=n_cells)
        n_in, n_cells = layer.n_out, layer.n_cells
        layers.append(layer)
    return layers


def _list_outputs(words: Sequence[Word], width: float, n_classes: int) -> list[int]:
    """Return the maps or outputs of each layer; 0 where it has as many as inputs.

    Maps that are not given are those of the convolution before, doubled by each pool between.
    """
    outputs, n_maps, has_conv = [], _FIRST_MAPS, False
    for word in words:
        if word.kind == "conv":
            n_maps, has_conv = word.numbers.get("maps", n_maps), True
        elif word.kind in POOLS and has_conv:
            n_maps *= 2
        n_out = n_maps if word.kind == "conv" else word.numbers.get("width", _HIDDEN) if word.kind == "fc" else 0
        outputs.append(scale_channels(n_out, width) if n_out and width != 1 else n_out)
    return [*outputs[:-1], n_classes]


def _plan_window(settings: ModelSettings, word: Word, name: str, shape: tuple[int, int, int]) -> StackLayer:
    """Return a convolution or a pool that gets and gives (maps before, maps after, cells before)."""
    n_in, n_out, before = shape
    is_conv = word.kind == "conv"
    kernel, stride = (
        word.numbers.get(key, default) for key, default in zip(("kernel", "stride"), _CONV if is_conv else _POOL, strict=True)
    )
    padding = word.numbers.get("padding", (kernel - 1) // 2)
    after = (before + 2 * padding - kernel) // stride + 1
    nth = f"{word.kind} no. {name.removeprefix(word.kind)} gets {before} x {before} cells"
    if after < 1:
        refuse(settings.spelling, word.at, f"{nth}, and nothing is left for its {kernel} x {kernel}; pool less before it")
    n_lost = before - ((after - 1) * stride + kernel - padding)
    if n_lost > 0 and not is_conv:
        rule = f"{nth}, which do not divide by {stride}: the last {n_lost} of each row would be left out"
        refuse(settings.spelling, word.at, f"{rule}; write {word.kind}3, which reaches all, or change the layers before it")
    n_each = kernel**2 * n_in + (2 if settings.norm == "batch" else 1)  # weights, and scale and shift or else a bias
    return StackLayer(
        name=name,
        kind=word.kind,
        at=word.at,
        n_in=n_in,
        n_out=n_out,
        n_cells=after,
        n_parameters=n_each * n_out if is_conv else 0,
        kernel=kernel,
        stride=stride,
        padding=padding,
    )


def check_stack(settings: ModelSettings, size: int, n_classes: int) -> None:
    """Check that a spelled net can be made for pictures of `size` cells, and trained; raises ConfigError."""
    layers = plan_stack(settings, size, n_classes)
    n_parameters = sum(layer.n_parameters for layer in layers)
    if n_parameters > MOST_PARAMETERS:
        largest = max(layers, key=lambda layer: layer.n_parameters)
        rule = f"{n_parameters:,} parameters, of which {largest.n_parameters:,} in {largest.name}: at most {MOST_PARAMETERS:,}"
        refuse(settings.spelling, largest.at, f"{rule}; pool more before it, or write fewer maps or a narrower fc")
