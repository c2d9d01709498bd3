"""Optimisers and learning-rate schedules by name."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import nn

from cnn.config import TrainSettings


def build_optimizer(net: nn.Module, settings: TrainSettings) -> torch.optim.Optimizer:
    """The optimiser over all weights; biases and normalisation are not decayed."""
    decayed = [p for p in net.parameters() if p.ndim > 1]
    others = [p for p in net.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}]
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=settings.learning_rate, momentum=0.9, nesterov=True)
    kind = torch.optim.AdamW if settings.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, lr=settings.learning_rate, fused=True)


def learning_rate_at(step: int, n_steps: int, settings: TrainSettings) -> float:
    """The learning rate of `step` (from 0) among `n_steps`: a linear warm-up, then the schedule down to 0 (or constant)."""
    n_warmup = round(settings.warmup * n_steps)
    if step < n_warmup:
        return settings.learning_rate * (step + 1) / n_warmup
    if settings.schedule == "constant":
        return settings.learning_rate
    done = (step - n_warmup) / max(1, n_steps - n_warmup)
    factor = 1 - done if settings.schedule == "linear" else (1 + math.cos(math.pi * done)) / 2
    return settings.learning_rate * factor


def set_learning_rate(groups: Iterable[dict[str, object]], learning_rate: float) -> None:
    for group in groups:
        group["lr"] = learning_rate
