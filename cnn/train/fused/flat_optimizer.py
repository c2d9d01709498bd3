"""The optimisers of `cnn.train.optimizer` for M members at once: one table, a row a member, each row with its own rates.

A fused optimiser of torch takes one learning rate; here a step is a dozen operations whatever M is. They are bound by memory:
AdamW passes 19 times over the table, and its weights are most of a small net's traffic, hence a row of rates that broadcasts.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from cnn.train.optimizer import ALPHA, BETAS, EPS, Optimizer

_LEAST_LENGTH = 1e-30  # replaces a learning rate of 0, by which is divided: weights of 32 bits do not move by so little


class FlatOptimizer:
    """Optimiser of a stacked net with parameters (M, ...), whose memory moves into one table (M, n)."""

    def __init__(self, net: nn.Module, optimizers: Sequence[Optimizer], nets: Sequence[nn.Module]) -> None:
        """`optimizers` are those of the members on their own `nets`; their state so far is taken over."""
        self._kind = optimizers[0].kind
        self._momentum, self._is_nesterov = optimizers[0].momentum, optimizers[0].is_nesterov
        # Matrices and filters of a member come first: these decay.
        self._parameters = dict(sorted(net.named_parameters(), key=lambda pair: pair[1].ndim <= 2))
        self._optimizers = optimizers
        device = next(iter(self._parameters.values())).device
        sizes = {name: parameter[0].numel() for name, parameter in self._parameters.items()}
        self._n_decayed = sum(sizes[name] for name, parameter in self._parameters.items() if parameter.ndim > 2)
        shape = (len(nets), sum(sizes.values()))
        self._weights, self._gradients = torch.empty(shape, device=device), torch.zeros(shape, device=device)
        self._states = {moment: torch.zeros(shape, device=device) for moment in optimizers[0].moments}
        self._spans: dict[str, slice] = {}
        start = 0
        for name, parameter in self._parameters.items():
            self._spans[name] = slice(start, start + sizes[name])
            start += sizes[name]
            self._view(self._weights, name).copy_(parameter.detach())
            parameter.data = self._view(self._weights, name)
        self._unused: list[str] = []  # names of weights without a gradient
        self._decays = self._spread_decays([])
        self._n_steps = torch.tensor([[float(o.n_steps)] for o in optimizers], device=device)  # (M, 1)
        members, stacked = self._pair_moments()
        if members:  # plain SGD has none
            torch._foreach_copy_(stacked, members)

    def backward(self, loss: torch.Tensor) -> None:
        """Take the gradients of `loss`, the sum of all members' losses; a weight without any has 0, and is not decayed."""
        weights = {name: weight for name, weight in self._parameters.items() if weight.requires_grad}
        gradients = dict(zip(weights, torch.autograd.grad(loss, list(weights.values()), allow_unused=True), strict=True))
        used = {name: gradient for name, gradient in gradients.items() if gradient is not None}
        torch._foreach_copy_([self._view(self._gradients, name) for name in used], list(used.values()))
        unused = [name for name in self._parameters if name not in used]
        if unused:
            torch._foreach_zero_([self._view(self._gradients, name) for name in unused])  # decay was added to them
        if unused != self._unused:
            self._unused, self._decays = unused, self._spread_decays(unused)

    def measure_gradients(self) -> torch.Tensor:
        """Return the L2 norm of each member's gradients together, (M,)."""
        norms: torch.Tensor = torch.linalg.vector_norm(self._gradients, dim=1)
        return norms

    def step(self, rates: torch.Tensor) -> None:
        """Step with learning rates (M,)."""
        self._n_steps += 1
        move = {"sgd": self._sgd, "rmsprop": self._rmsprop}.get(self._kind, self._adam)
        move(rates.unsqueeze(1))

    def tensors(self) -> list[torch.Tensor]:
        """Return all tensors that a step changes."""
        return [self._weights, self._gradients, self._n_steps, *self._states.values()]

    def _adam(self, rates: torch.Tensor) -> None:
        """Step as torch.optim.Adam and AdamW do (Kingma and Ba 2015; Loshchilov and Hutter 2019)."""
        mean, square = self._states["exp_avg"], self._states["exp_avg_sq"]
        if self._kind == "adamw":
            self._weights[:, : self._n_decayed].mul_(1 - rates * self._decays)
        else:
            self._add_decay()
        mean.lerp_(self._gradients, 1 - BETAS[0])
        square.mul_(BETAS[1]).addcmul_(self._gradients, self._gradients, value=1 - BETAS[1])
        # length * mean / (root * sqrt(square) + eps), divided by the length above and below: a pass less over all weights
        lengths = (rates / (1 - BETAS[0] ** self._n_steps)).clamp_min(_LEAST_LENGTH)  # (M, 1)
        roots = (1 - BETAS[1] ** self._n_steps).rsqrt()
        self._weights.addcdiv_(mean, torch.addcmul(EPS / lengths, square.sqrt(), roots / lengths), value=-1)

    def _sgd(self, rates: torch.Tensor) -> None:
        """Step as torch.optim.SGD does: plain, with classical momentum or with Nesterov's."""
        self._add_decay()
        direction = self._gradients
        if self._momentum:
            buffer = self._states["momentum_buffer"].mul_(self._momentum).add_(self._gradients)
            direction = direction.add_(buffer, alpha=self._momentum) if self._is_nesterov else buffer
        self._weights.addcmul_(direction, rates, value=-1)

    def _rmsprop(self, rates: torch.Tensor) -> None:
        """Step as torch.optim.RMSprop does."""
        self._add_decay()
        square = self._states["square_avg"].mul_(ALPHA).addcmul_(self._gradients, self._gradients, value=1 - ALPHA)
        self._weights.addcdiv_(self._gradients * rates, square.sqrt().add_(EPS), value=-1)

    def _add_decay(self) -> None:
        self._gradients[:, : self._n_decayed].addcmul_(self._weights[:, : self._n_decayed], self._decays)

    def _spread_decays(self, unused: Sequence[str]) -> torch.Tensor:
        """Return the decay of each member, (M, 1), or of each of its weights that decay, (M, n), with 0 of the unused."""
        decays = torch.tensor([[o.weight_decay] for o in self._optimizers], device=self._weights.device)
        if unused:
            decays = decays.repeat(1, self._n_decayed)
            for name in unused:
                decays[:, self._spans[name]] = 0
        return decays

    def return_states(self) -> None:
        """Write the state into the members' own optimisers, as if each had trained alone."""
        for optimizer, n_steps in zip(self._optimizers, self._n_steps.flatten().tolist(), strict=True):
            optimizer.n_steps = int(n_steps)
        members, stacked = self._pair_moments()
        if members:
            torch._foreach_copy_(members, stacked)

    def _pair_moments(self) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Return each moment of each weight of each member: the member's own, and its part of the table."""
        members, stacked = [], []
        for number, optimizer in enumerate(self._optimizers):
            for moment, values in optimizer.moments.items():
                for name, value in values.items():
                    members.append(value)
                    stacked.append(self._view(self._states[moment], name)[number])
        return members, stacked

    def _view(self, table: torch.Tensor, name: str) -> torch.Tensor:
        return table[:, self._spans[name]].view(self._parameters[name].shape)
