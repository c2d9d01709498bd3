"""The optimisers of `cnn.train.optimizer` for M members at once: one long vector, each element with its member's rates.

A fused optimiser of torch takes one learning rate; here a step is a dozen operations whatever M is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import nn

from cnn.train.optimizer import BETAS, EPS, MOMENTUM, Optimizer


class FlatOptimizer:
    """Optimiser of a stacked net with parameters (M, ...), whose memory and gradients move into one vector each."""

    def __init__(self, net: nn.Module, optimizers: Sequence[Optimizer], nets: Sequence[nn.Module]) -> None:
        """`optimizers` are those of the members on their own `nets`; their state so far is taken over."""
        self._kind = optimizers[0].kind
        self._parameters = dict(net.named_parameters())
        self._optimizers = optimizers
        device = next(iter(self._parameters.values())).device
        n_members, n = len(nets), sum(p.numel() for p in self._parameters.values())
        self._weights, self._gradients = torch.empty(n, device=device), torch.zeros(n, device=device)
        self._states = {moment: torch.zeros(n, device=device) for moment in optimizers[0].moments}
        row = torch.empty(n, dtype=torch.int32, device=device)  # row in the tables of rates: 2 m, or 2 m + 1 with decay
        self._spans: dict[str, slice] = {}
        start = 0
        for name, parameter in self._parameters.items():
            span = slice(start, start + parameter.numel())
            self._spans[name], start = span, span.stop
            shape = (n_members, -1)
            decays = int(parameter.ndim > 2)  # matrices and filters of a member
            numbers = 2 * torch.arange(n_members, dtype=torch.int32, device=device) + decays
            row[span].view(shape).copy_(numbers.unsqueeze(1).expand(n_members, parameter.numel() // n_members))
            self._weights[span].view_as(parameter).copy_(parameter.detach())
            parameter.data = self._weights[span].view(parameter.shape)
            parameter.grad = self._gradients[span].view(parameter.shape)
        self._row = row
        self._decays = torch.tensor([o.weight_decay for o in optimizers], device=device)  # (M,)
        self._n_steps = torch.tensor([float(o.n_steps) for o in optimizers], device=device)  # (M,)
        self._copy_states()

    def zero_grad(self) -> None:
        """Zero the gradients in place."""
        self._gradients.zero_()

    def step(self, rates: torch.Tensor) -> None:
        """Step with learning rates (M,)."""
        self._n_steps += 1
        if self._kind == "sgd":
            self._sgd(rates)
        else:
            self._adam(rates)

    def tensors(self) -> list[torch.Tensor]:
        """Return all tensors that a step changes."""
        return [self._weights, self._gradients, self._n_steps, *self._states.values()]

    def _adam(self, rates: torch.Tensor) -> None:
        """Step as torch.optim.Adam and AdamW do (Kingma and Ba 2015; Loshchilov and Hutter 2019)."""
        mean, square = self._states["exp_avg"], self._states["exp_avg_sq"]
        gradients = self._gradients
        if self._kind == "adamw":
            self._weights.mul_(self._spread(torch.ones_like(rates), 1 - rates * self._decays))
        else:
            gradients = gradients + self._weights * self._spread(torch.zeros_like(rates), self._decays)
        mean.lerp_(gradients, 1 - BETAS[0])
        square.mul_(BETAS[1]).addcmul_(gradients, gradients, value=1 - BETAS[1])
        lengths = rates / (1 - BETAS[0] ** self._n_steps)
        roots = (1 - BETAS[1] ** self._n_steps).rsqrt()
        below = square.sqrt().mul_(self._spread(roots, roots)).add_(EPS)
        self._weights.sub_(mean.div(below).mul_(self._spread(lengths, lengths)))

    def _sgd(self, rates: torch.Tensor) -> None:
        """Step as torch.optim.SGD does with Nesterov's momentum."""
        momentum = self._states["momentum_buffer"]
        gradients = self._gradients + self._weights * self._spread(torch.zeros_like(rates), self._decays)
        momentum.mul_(MOMENTUM).add_(gradients)
        self._weights.sub_(gradients.add_(momentum, alpha=MOMENTUM).mul_(self._spread(rates, rates)))

    def _spread(self, plain: torch.Tensor, decayed: torch.Tensor) -> torch.Tensor:
        """Spread two numbers of each member, (M,), over the elements that do not decay and those that do."""
        return torch.stack((plain, decayed), 1).flatten().index_select(0, self._row)

    def return_states(self) -> None:
        """Write the state into the members' own optimisers, as if each had trained alone."""
        for number, (optimizer, n_steps) in enumerate(zip(self._optimizers, self._n_steps.tolist(), strict=True)):
            optimizer.n_steps = int(n_steps)
            for member, stack in self._moments(optimizer):
                member.copy_(stack[number])

    def _copy_states(self) -> None:
        for number, optimizer in enumerate(self._optimizers):
            for member, stack in self._moments(optimizer):
                stack[number].copy_(member)

    def _moments(self, optimizer: Optimizer) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield each moment of each weight: a member's, and (M, ...) of all members."""
        for moment, values in optimizer.moments.items():
            for name, member in values.items():
                yield member, self._view(self._states[moment], name)

    def _view(self, stack: torch.Tensor, name: str) -> torch.Tensor:
        return stack[self._spans[name]].view(self._parameters[name].shape)
