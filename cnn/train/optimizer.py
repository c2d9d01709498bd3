"""Optimisers and learning-rate schedules by name."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import torch
from torch import nn

from cnn.errors import ConfigError
from cnn.settings.train import TrainSettings
from cnn.tiles.batches import count_steps

BETAS, EPS, ALPHA = (0.9, 0.999), 1e-8, 0.99  # torch's defaults; ALPHA is RMSprop's
_MOMENTS = {
    "adamw": ("exp_avg", "exp_avg_sq"),
    "adam": ("exp_avg", "exp_avg_sq"),
    "sgd": ("momentum_buffer",),
    "rmsprop": ("square_avg",),
}


def check_batch_size(net: nn.Module, settings: TrainSettings, n_clips: int) -> None:
    """Refuse updates of one clip each for a net with batch normalisation, which divides by the spread of a batch.

    An odd number of clips is dealt to batches of two as one clip each, since all batches are of one size.

    Raises:
        ConfigError: such a net.
    """
    size = settings.batch_size
    if size not in (1, 2) or n_clips // count_steps(n_clips, size) > 1:
        return
    if any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in net.modules()):
        cause = "one clip is no batch to normalise by"
        if size == 2:
            cause = f"{n_clips} training clips in equal batches are one an update, and {cause}"
        raise ConfigError(
            f"train.batch_size={size} needs a net without batch normalisation, such as mlp: {cause}; "
            f"choose another net, or train.batch_size={size + 1} or more"
        )


class Optimizer:
    """AdamW, Adam, RMSprop or SGD, plain or with momentum, over all weights of a net.

    Loshchilov and Hutter 2019; Kingma and Ba 2015; Tieleman and Hinton 2012; Sutskever et al. 2013 (Nesterov's momentum).
    Biases and normalisation are not decayed. Each step is torch's own fused one, RMSprop's a few of its `_foreach` ones, and
    the numbers are those of torch.optim; but its classes load torch's compiler when one is made, a second and 60 MB for
    every process (torch 2.11, 2026-11).
    """

    def __init__(self, net: nn.Module, settings: TrainSettings) -> None:
        self.kind = settings.optimizer
        self.weight_decay = settings.weight_decay
        self.momentum = settings.momentum
        self.is_nesterov = bool(settings.nesterov) and settings.momentum > 0
        self.n_steps = 0
        self.parameters: dict[str, torch.Tensor] = dict(net.named_parameters())
        self.moments = {
            moment: {name: torch.zeros_like(parameter) for name, parameter in self.parameters.items()}
            for moment in _MOMENTS[self.kind]
            if not (self.kind == "sgd" and self.momentum == 0)
        }
        self._groups: dict[tuple[float, torch.dtype], list[str]] = defaultdict(list)  # names that one kernel moves at once
        for name, parameter in self.parameters.items():
            self._groups[self.weight_decay if parameter.ndim > 1 else 0.0, parameter.dtype].append(name)

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self.parameters.values():
            parameter.grad = None

    def measure_gradient(self) -> torch.Tensor:
        """Return the L2 norm of all gradients together."""
        gradients: Any = [parameter.grad for parameter in self.parameters.values() if parameter.grad is not None]
        norm: torch.Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        return norm

    def step(self, learning_rate: float) -> None:
        """Update all weights that have a gradient."""
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
                weights, gradients, *(moments or [[]]), lr=learning_rate, weight_decay=decay, momentum=self.momentum,
                dampening=0.0, nesterov=self.is_nesterov, maximize=False, is_first_step=False,
            )  # fmt: skip
            return
        if self.kind == "rmsprop":
            _step_rmsprop(weights, gradients, moments[0], learning_rate, decay)
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


def _step_rmsprop(weights: Any, gradients: Any, squares: Any, learning_rate: float, decay: float) -> None:
    if decay:
        gradients = torch._foreach_add(gradients, weights, alpha=decay)
    torch._foreach_mul_(squares, ALPHA)
    torch._foreach_addcmul_(squares, gradients, gradients, value=1 - ALPHA)
    roots = torch._foreach_sqrt(squares)
    torch._foreach_add_(roots, EPS)
    torch._foreach_addcdiv_(weights, gradients, roots, value=-learning_rate)


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
