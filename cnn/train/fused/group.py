"""A group of trainings as one stacked net: each ends as if it had trained alone, in a run folder like any other.

M members, B clips each. docs/explanation/fused.md has what can be fused, and why.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from enum import Enum
from pathlib import Path

import torch

from cnn.config import RunConfig
from cnn.errors import CnnError, RunError
from cnn.hardware import n_cores
from cnn.runs.folder import EpochRow, RunFolder, RunState, Score, lock_run
from cnn.settings.augment import AugmentSettings
from cnn.settings.train import TrainSettings
from cnn.tiles.augment import Augment
from cnn.tiles.batches import Clips, count_steps, derive_seed
from cnn.tiles.tta import log_probabilities
from cnn.train.device import limit_threads
from cnn.train.fused.cuda_graph import Step, capture_graph
from cnn.train.fused.flat_optimizer import FlatOptimizer
from cnn.train.fused.stacked_layers import Formulation, StackedConv2d, StackedDropout, stack_nets, unstack_nets
from cnn.train.loss import Loss, compute_class_weights
from cnn.train.optimizer import learning_rate_at
from cnn.train.trainer import EpochStats, EpochTimes, Trainer, compute_score
from cnn.train.training_run import Decision, SplitData, TrainingRun, drop_checkpoints

_OWN_TRAIN = ("learning_rate", "epochs", "schedule", "warmup", "weight_decay", "label_smoothing", "patience", "seed")
_SHARED_AUGMENT = ("freq_masks", "time_masks")


def compute_stack_key(config: RunConfig) -> RunConfig:
    """Return what members of a group have in common: `config` with the fields that may differ at their defaults."""
    train, augment = TrainSettings(), AugmentSettings()
    differing = [field.name for field in fields(AugmentSettings) if field.name not in _SHARED_AUGMENT]
    return replace(
        config,
        model=replace(config.model, dropout=0.0),
        train=replace(config.train, **{name: getattr(train, name) for name in _OWN_TRAIN}),
        augment=replace(config.augment, **{name: getattr(augment, name) for name in differing}),
    )


class Stack:
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
        self._augment = Augment([fit.config.augment for fit in fits], config.tiles) if config.augmented else None
        self._counts = torch.zeros(len(fits) * n_cells, dtype=torch.int64, device=self._device)  # (M K K,)
        self._first_cells = torch.arange(len(fits), device=self._device) * n_cells  # (M,)
        smoothing = torch.tensor([fit.config.train.label_smoothing for fit in fits], device=self._device)
        self._loss = Loss(config.train.loss, smoothing)  # with weights once the clips are seen: a graph reads their memory
        self._dtype = torch.float32
        self._step: Step | None = None  # as a graph, once there is a batch to capture it with

    def set_formulation(self, formulation: Formulation, dtype: torch.dtype = torch.float32) -> None:
        """Choose how convolutions are computed; products of another type than float32 by torch's autocast."""
        self._step, self._dtype = None, dtype
        for layer in self._net.modules():
            if isinstance(layer, StackedConv2d):
                layer.formulation = formulation

    def train_epoch(self, train: Clips, n_most: int | None = None) -> list[EpochStats]:
        """Make one pass over `train`, or its first `n_most` steps, by each member in its own order, and return the weights
        to the trainers."""
        settings = [fit.config.train for fit in self._fits]
        epochs = [len(fit.rows) for fit in self._fits]
        for draws, s, epoch in zip(self._draws, settings, epochs, strict=True):
            draws.manual_seed(derive_seed("dropout", s.seed, epoch))
        orders = [derive_seed("order", s.seed, epoch) for s, epoch in zip(settings, epochs, strict=True)]
        size, balance = settings[0].batch_size, settings[0].balance
        steps, n_members, k = count_steps(len(train), size), len(settings), self._config.data.n_classes
        rates = self._rates(steps)
        losses = torch.zeros((steps, n_members), device=self._device)
        self._counts.zero_()
        self._net.train()
        if balance == "weights" and self._loss.weights is None:
            self._loss = replace(self._loss, weights=compute_class_weights(train.labels, k))
        batches = train.iterate_batches(size, orders, self._augment, is_balanced=balance == "draws")
        for step, (batch, truth) in enumerate(itertools.islice(batches, n_most)):
            if self._step is None:
                self._step = capture_graph(self._one_step, (batch, truth, rates[step]), self._state(), self._draws)
            losses[step] = self._step(batch, truth, rates[step])
        unstack_nets(self._net, [fit.net for fit in self._fits])
        self._optimizer.return_states()
        columns, confusions = losses.T.tolist(), self._counts.view(n_members, k, k).cpu().numpy().copy()
        return [EpochStats(losses=column, confusion=confusion) for column, confusion in zip(columns, confusions, strict=True)]

    def _one_step(self, batch: torch.Tensor, truth: torch.Tensor, rates: torch.Tensor) -> torch.Tensor:
        """Map (B M, 1, F, T), (B M,) and (M,) to the losses (M,) without smoothing, and count all confusions."""
        n_members, k = len(self._fits), self._config.data.n_classes
        with torch.autocast(self._device.type, self._dtype, enabled=self._dtype != torch.float32, cache_enabled=False):
            logits = self._net(batch)
        log_probs = logits.float().log_softmax(1).view(-1, n_members, k)
        truth = truth.view(-1, n_members)
        plain = self._loss.measure(log_probs, truth)
        self._optimizer.backward(self._loss.descend(plain, log_probs, truth).sum())
        self._optimizer.step(rates)
        cells = (self._first_cells + truth * k + log_probs.argmax(2)).flatten()
        self._counts.index_add_(0, cells, torch.ones_like(cells))  # bincount would wait for the GPU in every step
        return plain.detach()

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

        log_probs = log_probabilities(whole, clips, self._fits[0].config.train.side_views, n_members)  # (N M, K)
        return [compute_score(log_probs[number::n_members], clips.labels, self._config) for number in range(n_members)]


class Outcome(Enum):
    """Outcome of a member of a group."""

    FINISHED = "finished"
    PRUNED = "pruned"
    PAUSED = "paused"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberResult:
    """Result of a member that has left."""

    config: RunConfig
    folder: RunFolder
    how: Outcome
    error: CnnError | None = None


_ENDS = {RunState.FINISHED: Outcome.FINISHED, RunState.PRUNED: Outcome.PRUNED}


class TrainingGroup:
    """Trainings with the same stack key, one epoch of all at a time. Members join and leave between epochs."""

    def __init__(
        self,
        material: SplitData,
        runs_dir: Path,
        formulation: Formulation = Formulation.GROUPED,
        on_close: Callable[[RunConfig, RunFolder], None] | None = None,
    ) -> None:
        """`on_close` is called with every run that leaves, while its folder is still locked."""
        self._formulation = formulation
        self._material = material
        self._runs_dir = runs_dir
        self._on_close = on_close
        self._members: list[_Member] = []
        self._stack: Stack | None = None

    def __len__(self) -> int:
        return len(self._members)

    def join(self, config: RunConfig, listener: Callable[[EpochRow], Decision]) -> MemberResult | None:
        """Add a training, new or resumed; return its result at once if nothing remains to be trained.

        Raises:
            CnnError: the run folder cannot be used.
        """
        assert not self._members or compute_stack_key(config) == compute_stack_key(self._members[0].training.config)
        folder = RunFolder(self._runs_dir / config.digest)
        with contextlib.ExitStack() as lock:
            lock.enter_context(lock_run(folder))
            if folder.state() is RunState.FINISHED:
                drop_checkpoints(folder)
                return MemberResult(config=config, folder=folder, how=Outcome.FINISHED)
            training = TrainingRun(config, self._material, folder)
            member = _Member(training=training, listener=listener, lock=lock.pop_all())
        if training.trainer.is_finished:
            return self._leave(member, RunState.FINISHED)
        self._members.append(member)
        self._stack = None
        return None

    def run_epoch(self) -> list[MemberResult]:
        """Train one epoch of all members; return the results of those that leave the group here."""
        clips = self._material.clips
        with limit_threads(self._material.device):
            fits = [member.training.trainer for member in self._members]
            started = time.perf_counter()
            if self._stack is None:
                self._stack = Stack(fits)
                self._stack.set_formulation(self._formulation)
            learnt = self._stack.train_epoch(clips["train"])
            training_s = time.perf_counter() - started
            scores = self._stack.score(clips["val"])
            share = 1 / len(fits)
            times = EpochTimes(training_s=training_s * share, epoch_s=(time.perf_counter() - started) * share)
            with ThreadPoolExecutor(n_cores()) as pool:  # checkpoints: hashing and the disk take longer than the epoch did
                saves = [pool.submit(_save, *results, times) for results in zip(self._members, learnt, scores, strict=True)]
            ended = []
            for member, save in zip(list(self._members), saves, strict=True):
                end = self._after(member, save)
                if end is not None:
                    ended.append(end)
                    self._members.remove(member)
                    self._stack = None
            return ended

    def pause(self) -> list[MemberResult]:
        """Release all members, unfinished; each resumes after its last epoch when it joins again."""
        ended = [self._leave(member, RunState.UNFINISHED) for member in self._members]
        self._members, self._stack = [], None
        return ended

    def _after(self, member: _Member, save: Future[EpochRow]) -> MemberResult | None:
        training = member.training
        try:
            state = training.decide(save.result(), member.listener)
        except RunError as error:  # concerns this member alone
            training.fail(error)
            result = self._leave(member, RunState.UNFINISHED)
            return replace(result, how=Outcome.FAILED, error=error)
        if state is RunState.UNFINISHED and not training.is_paused:
            return None
        return self._leave(member, state)

    def _leave(self, member: _Member, state: RunState) -> MemberResult:
        with member.lock:
            if state is not RunState.UNFINISHED:
                member.training.finish(state)
            if self._on_close:
                self._on_close(member.training.config, member.training.folder)
        how = _ENDS.get(state, Outcome.PAUSED)
        return MemberResult(config=member.training.config, folder=member.training.folder, how=how)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Member:
    training: TrainingRun
    listener: Callable[[EpochRow], Decision]
    lock: contextlib.ExitStack


def _save(member: _Member, learnt: EpochStats, score: Score, times: EpochTimes) -> EpochRow:
    row = member.training.trainer.record_epoch(learnt, score, times)
    member.training.write_epoch()
    return row
