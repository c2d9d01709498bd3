"""Optimisers and learning-rate schedules by name."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import torch
from torch import nn

from cnn.settings.train import TrainSettings

BETAS, EPS, MOMENTUM = (0.9, 0.999), 1e-8, 0.9  # torch's defaults, and the momentum of our SGD
_MOMENTS = {"adamw": ("exp_avg", "exp_avg_sq"), "adam": ("exp_avg", "exp_avg_sq"), "sgd": ("momentum_buffer",)}


class Optimizer:
    """AdamW, Adam (Loshchilov and Hutter 2019; Kingma and Ba 2015) or SGD with Nesterov's momentum over all weights of a net.

    Biases and normalisation are not decayed. Each step is torch's own fused one, and the numbers are those of torch.optim;
    but its classes load torch's compiler when one is made, a second and 60 MB for every process (torch 2.11, 2026-11).
    """

    def __init__(self, net: nn.Module, settings: TrainSettings) -> None:
        self.kind = settings.optimizer
        self.weight_decay = settings.weight_decay
        self.n_steps = 0
        self.parameters: dict[str, torch.Tensor] = dict(net.named_parameters())
        self.moments = {
            moment: {name: torch.zeros_like(parameter) for name, parameter in self.parameters.items()}
            for moment in _MOMENTS[self.kind]
        }
        self._groups: dict[tuple[float, torch.dtype], list[str]] = defaultdict(list)  # names that one kernel moves at once
        for name, parameter in self.parameters.items():
            self._groups[self.weight_decay if parameter.ndim > 1 else 0.0, parameter.dtype].append(name)

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self.parameters.values():
            parameter.grad = None

    def step(self, learning_rate: float) -> None:
        """Move all weights that have a gradient."""
        self.n_steps += 1
        with torch.no_grad():
            for (decay, _), group in self._groups.items():
                names = [name for name in group if self.parameters[name].grad is not None]
                if names:
                    self._step(names, learning_rate, decay)

    def _step(self, names: list[str], learning_rate: float, decay: float) -> None:
        weights = [self.parameters[name] for name in names]
        gradients: Any = [weight.grad for weight in weights]
        moments: Any = [[values[name] for name in names] for values in self.moments.values()]
        if self.kind == "sgd":
            torch._fused_sgd_(
                weights, gradients, *moments, lr=learning_rate, weight_decay=decay, momentum=MOMENTUM, dampening=0.0,
                nesterov=True, maximize=False, is_first_step=False,
            )  # fmt: skip
            return
        move = torch._fused_adamw_ if self.kind == "adamw" else torch._fused_adam_
        counts = [torch.full((), float(self.n_steps), device=weights[0].device)] * len(names)
        mean, square = moments
        move(
            weights, gradients, mean, square, [], counts, lr=learning_rate, beta1=BETAS[0], beta2=BETAS[1], eps=EPS,
            weight_decay=decay, amsgrad=False, maximize=False,
        )  # fmt: skip

    def state_dict(self) -> dict[str, Any]:
        """Return the state to resume from."""
        return {"n_steps": self.n_steps, "moments": self.moments}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume from a state.

        Raises:
            KeyError, RuntimeError: the state belongs to another optimiser or net.
        """
        for moment, values in self.moments.items():
            for name, value in values.items():
                value.copy_(state["moments"][moment][name])
        self.n_steps = state["n_steps"]


def learning_rate_at(step: int, n_steps: int, settings: TrainSettings) -> float:
    """Return the learning rate of `step` (from 0) among `n_steps`: a linear warm-up, then the schedule."""
    n_warmup = round(settings.warmup * n_steps)
    if step < n_warmup:
        return settings.learning_rate * (step + 1) / n_warmup
    if settings.schedule == "constant":
        return settings.learning_rate
    done = (step - n_warmup) / max(1, n_steps - n_warmup)
    factor = 1 - done if settings.schedule == "linear" else (1 + math.cos(math.pi * done)) / 2
    return settings.learning_rate * factor
