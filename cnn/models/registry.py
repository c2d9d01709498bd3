"""Nets by name, drawn from a seed, and their parameters and multiply-adds."""

from __future__ import annotations

import importlib
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from cnn.models import own
from cnn.nets import NETS
from cnn.settings.model import ModelSettings


def build_net(settings: ModelSettings, size: int, n_classes: int) -> nn.Module:
    """Build a net with fresh weights from torch's random state, for (B, C, size, size) float32, C `settings.n_channels`.

    Raises:
        ModelError: a plug-in that cannot be made.
    """
    if settings.is_plugin:
        return own.build_plugin(settings, size, n_classes)
    entry = NETS[settings.name]
    module = importlib.import_module(f"cnn.models.{entry.find_module(settings.name)}")
    net: nn.Module = getattr(module, entry.class_name)(settings, size, n_classes)
    return net


@contextmanager
def seed_generators(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's, numpy's and Python's global generators for the block; afterwards their states are restored.

    Args:
        device: a GPU's generator is seeded too.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed % 2**32)
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)


def to_device(net: nn.Module, device: torch.device) -> nn.Module:
    """Move the net to `device`, its filters laid out channels last, as the batches are."""
    moved: nn.Module = net.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved


def count_parameters(net: nn.Module) -> int:
    """Count trainable numbers."""
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


def count_multiply_adds(net: nn.Module, size: int, n_channels: int = 1) -> int:
    """Count the multiply-adds of all convolutions and matrix products in one clip's forward pass."""
    from torch.utils.flop_counter import FlopCounterMode  # late: it loads triton, and to predict needs no count

    was_training = net.training
    net.eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(torch.zeros(1, n_channels, size, size, device=next(net.parameters()).device))
    net.train(was_training)
    return int(counter.get_total_flops()) // 2
