"""The nets of several trainings as one, an epoch at a time: the numbers that each would have alone.

M members, B clips each. docs/explanation/fused.md has what can be fused, and why.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import fields, replace

import torch

from cnn.config import RunConfig
from cnn.runs.folder import Score
from cnn.settings.augment import AUGMENT_DEFAULTS, AugmentSettings
from cnn.settings.train import TrainSettings
from cnn.tiles.batches import Clips, count_steps, derive_seed
from cnn.tiles.inputs import Inputs
from cnn.tiles.tta import log_probabilities
from cnn.train.fused.cuda_graph import Step, capture_graph
from cnn.train.fused.flat_optimizer import FlatOptimizer
from cnn.train.fused.stacked_layers import Formulation, StackedConv2d, StackedDropout, stack_nets, unstack_nets
from cnn.train.looks import Look
from cnn.train.loss import Loss, compute_class_weights, compute_score
from cnn.train.optimizer import learning_rate_at
from cnn.train.trainer import EpochStats, Trainer

_OWN_TRAIN = (
    "looks_every",
    "learning_rate",
    "epochs",
    "schedule",
    "warmup",
    "weight_decay",
    "label_smoothing",
    "patience",
    "seed",
)
_SHARED_AUGMENT = ("freq_masks", "time_masks", "blur", "equaliser")


def compute_stack_key(config: RunConfig) -> RunConfig:
    """Return what members of a group have in common: `config` with the fields that may differ at their defaults."""
    train, augment = TrainSettings(), AUGMENT_DEFAULTS[config.data.kind]
    differing = [field.name for field in fields(AugmentSettings) if field.name not in _SHARED_AUGMENT]
    return replace(
        config,
        model=replace(config.model, dropout=0.0),
        train=replace(config.train, **{name: getattr(train, name) for name in _OWN_TRAIN}),
        augment=replace(config.augment, **{name: getattr(augment, name) for name in differing}),
    )


class FusedStack:
    """The nets of several trainers as one, until a member joins or leaves."""

    def __init__(self, fits: Sequence[Trainer]) -> None:
        self._fits = fits
        self._device = fits[0].device
        nets = [fit.net for fit in fits]
        self._net = stack_nets(nets)
        self._optimizer = FlatOptimizer(self._net, [fit.optimizer for fit in fits], nets)
        # One generator a member for all layers: they draw in the order in which the member's own would.
        self._draws = [torch.Generator(device=self._device) for _ in fits]
        for layer in self._net.modules():
            if isinstance(layer, StackedDropout):
                layer.generators = self._draws
        config = fits[0].config
        self._config = config
        n_cells = config.data.n_classes**2
        self._inputs = Inputs([fit.config for fit in fits])
        self._counts = torch.zeros(len(fits) * n_cells, dtype=torch.int64, device=self._device)  # (M K K,)
        self._first_cells = torch.arange(len(fits), device=self._device) * n_cells  # (M,)
        smoothing = torch.tensor([fit.config.train.label_smoothing for fit in fits], device=self._device).unsqueeze(1)  # (M, 1)
        self._loss = Loss(config.train.loss, smoothing)  # with weights once the clips are seen: a graph reads their memory
        self._dtype = torch.float32
        self._step: Step | None = None  # as a graph, once there is a batch to capture it with

    def set_formulation(self, formulation: Formulation, dtype: torch.dtype = torch.float32) -> None:
        """Choose how convolutions are computed; products of another type than float32 by torch's autocast."""
        self._step, self._dtype = None, dtype
        for layer in self._net.modules():
            if isinstance(layer, StackedConv2d):
                layer.formulation = formulation

    def train_epoch(self, train: Clips, n_most: int | None = None, val: Clips | None = None) -> list[EpochStats]:
        """Make one pass over `train`, or its first `n_most` steps, by each member in its own order, with the looks at `val`
        that each asks for, and return the weights to the trainers."""
        settings = [fit.config.train for fit in self._fits]
        epochs = [len(fit.rows) for fit in self._fits]
        for draws, s, epoch in zip(self._draws, settings, epochs, strict=True):
            draws.manual_seed(derive_seed("dropout", s.seed, epoch))
        orders = [derive_seed("order", s.seed, epoch) for s, epoch in zip(settings, epochs, strict=True)]
        size, balance = settings[0].batch_size, settings[0].balance
        steps, n_members, k = count_steps(len(train), size), len(settings), self._config.data.n_classes
        rates, started = self._rates(steps), time.perf_counter()
        figures = torch.zeros((steps, 2, n_members), device=self._device)  # losses and norms of gradients
        looks: list[list[Look]] = [[] for _ in settings]
        self._counts.zero_()
        self._net.train()
        if balance == "weights" and self._loss.weights is None:
            self._loss = replace(self._loss, weights=compute_class_weights(train.labels, k))
        batches = train.iterate_batches(size, orders, self._inputs, is_balanced=balance == "draws")
        for step, (batch, truth) in enumerate(itertools.islice(batches, n_most)):
            if self._step is None:
                self._step = capture_graph(self._one_step, (batch, truth, rates[step]), self._state(), self._draws)
            figures[step] = self._step(batch, truth, rates[step])
            updates = [epoch * steps + step + 1 for epoch in epochs]
            if val and any(fit.looks.is_due(n) for fit, n in zip(self._fits, updates, strict=True)):
                self._look(val, updates, started, looks)
        unstack_nets(self._net, [fit.net for fit in self._fits])
        self._optimizer.return_states()
        confusions = self._counts.view(n_members, k, k).cpu().numpy().copy()
        members = zip(*figures.permute(1, 2, 0).tolist(), confusions, looks, strict=True)
        return [
            EpochStats(losses=a, gradient_norms=b, confusion=c, n_clips=int(c.sum()), looks=tuple(d)) for a, b, c, d in members
        ]

    def _look(self, val: Clips, updates: Sequence[int], started: float, looks: Sequence[list[Look]]) -> None:
        """Add a look for each member that one is due for; all share its time."""
        before, share = time.perf_counter(), 1 / len(self._fits)
        scores = self.score(val)
        self._net.train()
        now = time.perf_counter()
        for fit, n, score, rows in zip(self._fits, updates, scores, looks, strict=True):
            if fit.looks.is_due(n):
                seconds, duration_s = (now - started) * share, (now - before) * share
                rows.append(Look(updates=n, seconds=seconds, duration_s=duration_s, score=score))

    def _one_step(self, batch: torch.Tensor, truth: torch.Tensor, rates: torch.Tensor) -> torch.Tensor:
        """Map (B M, C, F, T), (B M,) and (M,) to the losses without smoothing and the norms of the gradients, (2, M), and count
        all confusions."""
        n_members, k = len(self._fits), self._config.data.n_classes
        with torch.autocast(self._device.type, self._dtype, enabled=self._dtype != torch.float32, cache_enabled=False):
            logits = self._net(batch)
        log_probs = logits.float().log_softmax(-1).view(len(truth) // n_members, n_members, -1, k)  # (B, M, columns, K)
        truth = truth.view(-1, n_members)
        plain = self._loss.measure(log_probs, truth)  # (M, columns)
        self._optimizer.backward(self._loss.descend(plain, log_probs, truth).sum())
        norms = self._optimizer.measure_gradients()
        self._optimizer.step(rates)
        cells = (self._first_cells + truth * k + log_probs.logsumexp(2).argmax(2)).flatten()
        self._counts.index_add_(0, cells, torch.ones_like(cells))  # bincount would wait for the GPU in every step
        return torch.stack((plain.detach().mean(1), norms))

    def _rates(self, steps: int) -> torch.Tensor:
        """Return (steps, M) learning rates of each member's next epoch."""
        columns = []
        for fit in self._fits:
            s, first = fit.config.train, len(fit.rows) * steps
            columns.append([learning_rate_at(first + step, s.epochs * steps, s) for step in range(steps)])
        return torch.tensor(columns, device=self._device).T.contiguous()

    def _state(self) -> list[torch.Tensor]:
        return [*self._optimizer.tensors(), *self._net.buffers(), self._counts]

    def score(self, clips: Clips) -> list[Score]:
        """Score each member on `clips`, without augmentation."""
        self._net.eval()
        n_members = len(self._fits)

        def whole(batch: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self._net(batch.repeat_interleave(n_members, 0))
            return out

        log_probs = log_probabilities(whole, clips, self._inputs, n_members)  # (N M, K)
        return [compute_score(log_probs[number::n_members], clips.labels, self._config) for number in range(n_members)]
