"""A net as its spelling says: `[(conv-relu)*2-pool]*3-(fc-relu)*1-fc`, and the nets of `cnn.nets` that are spelled so.

Against the papers of those: batch normalisation (Ioffe and Szegedy 2015) after each convolution unless `model.norm=none`,
dropout before the last layer alone, and maps and widths times `model.width`.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import nn

from cnn.models.blocks import activation
from cnn.settings.model import ModelSettings
from cnn.settings.stack import StackLayer, plan_stack


class Stack(nn.Sequential):
    """(B, C, size, size) to (B, K) logits; layers have their kind and number for names: conv1, norm1, relu1, pool1, fc1."""

    def __init__(self, settings: ModelSettings, size: int, n_classes: int) -> None:
        super().__init__()
        plan = plan_stack(settings, size, n_classes)
        for layer in plan:
            if layer.name == "fc1":
                self.add_module("flatten", nn.Flatten())
            if layer is plan[-1]:
                self.add_module("dropout", nn.Dropout(settings.dropout))
            for name, module in _build(layer, settings.norm):
                self.add_module(name, module)


def _build(layer: StackLayer, norm: str) -> Iterator[tuple[str, nn.Module]]:
    window = (layer.kernel, layer.stride, layer.padding)
    if layer.kind == "conv":
        yield layer.name, nn.Conv2d(layer.n_in, layer.n_out, *window, bias=norm == "none")
        if norm == "batch":
            yield layer.name.replace("conv", "norm"), nn.BatchNorm2d(layer.n_out)
    elif layer.kind == "fc":
        yield layer.name, nn.Linear(layer.n_in, layer.n_out)
    elif layer.kind == "pool":
        yield layer.name, nn.MaxPool2d(*window)
    elif layer.kind == "avgpool":
        yield layer.name, nn.AvgPool2d(*window)
    else:
        yield layer.name, activation(layer.kind)
