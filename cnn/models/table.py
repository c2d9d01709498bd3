"""The nets by name, and what each costs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from cnn.config import ModelSettings
from cnn.models.lenet5 import LeNet5
from cnn.models.resnet import ResNet

_NETS: dict[str, Callable[[ModelSettings, int, int], nn.Module]] = {"lenet5": LeNet5, "resnet": ResNet}


def build(settings: ModelSettings, size: int, n_classes: int) -> nn.Module:
    """The net with fresh weights from torch's random state, for (B, 1, size, size) float32."""
    return _NETS[settings.name](settings, size, n_classes)


def placed(net: nn.Module, device: torch.device) -> nn.Module:
    """The net on `device`, its filters laid out channels last, as the batches are."""
    moved: nn.Module = net.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved


def n_parameters(net: nn.Module) -> int:
    """Trainable numbers."""
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


def n_multiply_adds(net: nn.Module, size: int) -> int:
    """Multiply-adds of the convolutions and linear layers in one clip's forward pass."""
    total = 0

    def count(layer: nn.Module, _inputs: object, output: torch.Tensor) -> None:
        nonlocal total
        if isinstance(layer, nn.Conv2d):
            total += output[0].numel() * layer.weight[0].numel()
        elif isinstance(layer, nn.Linear):
            total += layer.weight.numel()

    handles = [layer.register_forward_hook(count) for layer in net.modules()]
    was_training = net.training
    net.eval()
    with torch.no_grad():
        net(torch.zeros(1, 1, size, size, device=next(net.parameters()).device))
    net.train(was_training)
    for handle in handles:
        handle.remove()
    return total
