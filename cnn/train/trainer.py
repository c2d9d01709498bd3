"""The trainer: a net, its optimiser and the weights to keep, by epochs that are trained, scored and saved."""

from __future__ import annotations

import contextlib
import math
import shlex
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from arena.base.scores import Counts, accuracy, macro_f1
from cnn.config import RunConfig
from cnn.errors import RunError
from cnn.files import write_whole
from cnn.models.registry import build_net, count_parameters, seed_generators, to_device
from cnn.runs.folder import EpochRow, Score
from cnn.settings.train import TrainSettings
from cnn.tiles.batches import Clips, count_steps, derive_seed
from cnn.tiles.inputs import Inputs
from cnn.tiles.tta import log_probabilities
from cnn.train.looks import Look, Looks
from cnn.train.loss import Loss, compute_class_weights, compute_score, count_confusion
from cnn.train.optimizer import Optimizer, learning_rate_at
from cnn.train.start import freeze_layers
from cnn.train.weights_file import dump_checksummed, load_checksummed

_BEFORE = "checkpoint-before.pt"  # the checkpoint that the newest has replaced


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochStats:
    """Statistics of an epoch over the training clips, taken while the weights move."""

    losses: list[float]  # one per step, without label smoothing and weights of classes
    gradient_norms: list[float]  # one per step
    confusion: Counts  # (K, K); (0, 0) of an autoencoder
    n_clips: int
    looks: tuple[Look, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochTimes:
    """Duration of an epoch; a member of a group has its share."""

    training_s: float
    epoch_s: float  # scoring included


class Trainer:
    """The state of one training; every epoch draws its own seeds, so that it needs no random state to go on."""

    def __init__(self, config: RunConfig, device: torch.device) -> None:
        self.config = config
        self.device = device
        self.inputs = Inputs([config])
        with seed_generators(derive_seed("weights", config.train.seed), device):
            net = build_net(config.model, config.tiles.size, config.data.n_classes)
        self.net = to_device(net, device)
        self.n_parameters = count_parameters(self.net)
        self.frozen = freeze_layers(self.net, config)
        self.optimizer = Optimizer(self.net, config.train)
        self.rows: list[EpochRow] = []
        self.looks = Looks(config.train.looks_every)
        self.best_epoch = 0
        self.kept_weights: dict[str, torch.Tensor] = {}
        self.wall_s = 0.0
        self.n_clips_trained = 0
        self.training_s = 0.0

    @property
    def is_finished(self) -> bool:
        """True if all epochs are trained, or `patience` epochs have passed without a better validation macro-F1."""
        settings = self.config.train
        waited = len(self.rows) - self.best_epoch
        return len(self.rows) >= settings.epochs or (settings.patience > 0 and bool(self.rows) and waited >= settings.patience)

    def run_epoch(self, train: Clips, val: Clips) -> EpochRow:
        """Train one epoch, score it on `val`, keep its weights if they are to be kept.

        Held-out speakers choose the epoch with the best macro-F1; voices that were heard in training choose nothing, and
        the last epoch is kept.

        Raises:
            RunError: a loss is no number any more.
        """
        started = time.perf_counter()
        learnt = self.train_epoch(train, val)
        training_s = time.perf_counter() - started
        val_score, _ = self.score(val)
        return self.record_epoch(learnt, val_score, EpochTimes(training_s=training_s, epoch_s=time.perf_counter() - started))

    def record_epoch(self, learnt: EpochStats, val: Score, times: EpochTimes) -> EpochRow:
        """Record an epoch whose weights stand in the net.

        Raises:
            RunError: a loss is no number any more.
        """
        settings, number, steps = self.config.train, len(self.rows), len(learnt.losses)
        _check_finite(learnt.losses, number, settings)
        rate = learning_rate_at((number + 1) * steps - 1, settings.epochs * steps, settings)
        if not math.isfinite(val.loss):
            raise RunError(
                f"the validation loss became {val.loss} after epoch {number + 1}, at a learning rate of "
                f"{rate:.3g}; lower train.learning_rate and train again"
            )
        row = EpochRow(
            epoch=number + 1,
            train_loss=sum(learnt.losses) / steps,
            train_accuracy=accuracy(learnt.confusion) if learnt.confusion.size else math.nan,
            train_macro_f1=macro_f1(learnt.confusion) if learnt.confusion.size else math.nan,
            val_loss=val.loss,
            val_accuracy=val.accuracy,
            val_macro_f1=val.macro_f1,
            learning_rate=rate,
            seconds=times.epoch_s,
            updates=(number + 1) * steps,
            gradient_norm=_mean_finite(learnt.gradient_norms),
        )
        self.looks.record(learnt.looks, learnt.losses, number * steps, self.wall_s)
        chooses = self.config.split.validation == "speakers"
        if not (chooses and self.rows) or self.is_better(row, self.rows[self.best_epoch - 1]):
            self.best_epoch = row.epoch
            self.kept_weights = {name: value.detach().clone() for name, value in self.net.state_dict().items()}
        self.rows.append(row)
        self.wall_s += times.epoch_s
        self.training_s += times.training_s - sum(look.duration_s for look in learnt.looks)
        self.n_clips_trained += learnt.n_clips
        return row

    def is_better(self, row: EpochRow, best: EpochRow) -> bool:
        """Return whether the weights of `row` are to be kept in place of those of `best`."""
        return row.val_macro_f1 > best.val_macro_f1

    def train_epoch(self, train: Clips, val: Clips | None = None) -> EpochStats:
        """Make one pass over `train`, with looks at `val` where `train.looks_every` asks for them."""
        settings, started = self.config.train, time.perf_counter()
        number, steps = len(self.rows), count_steps(len(train), settings.batch_size)
        weights = compute_class_weights(train.labels, self.config.data.n_classes) if settings.balance == "weights" else None
        criterion = Loss(settings.loss, settings.label_smoothing, weights)
        figures = torch.zeros((2, steps), device=self.device)  # losses and norms of gradients
        # Written in place: a small tensor kept of every step would split the memory that the next one needs.
        answers = torch.zeros((2, steps, len(train) // steps), dtype=torch.int64, device=self.device)  # true and given
        looks = []
        self._begin_training()
        with seed_generators(derive_seed("dropout", settings.seed, number), self.device):
            batches = train.iterate_batches(
                settings.batch_size,
                [derive_seed("order", settings.seed, number)],
                self.inputs,
                is_balanced=settings.balance == "draws",
            )
            for step, (batch, truth) in enumerate(batches):
                rate = learning_rate_at(number * steps + step, settings.epochs * steps, settings)
                try:
                    loss, log_probs = self.backward(batch, truth, criterion)
                except Exception as error:
                    error.add_note(describe_step(step, steps, number))
                    raise
                figures[0, step], figures[1, step] = loss, self.optimizer.measure_gradient()
                answers[0, step], answers[1, step] = truth, log_probs.argmax(1)
                self.step(rate)
                if val and self.looks.is_due(updates := number * steps + step + 1):
                    looks.append(self._look(val, updates, started))
        confusion = count_confusion(answers[0].flatten(), answers[1].flatten(), self.config.data.n_classes)
        return EpochStats(
            losses=figures[0].tolist(),
            gradient_norms=figures[1].tolist(),
            looks=tuple(looks),
            confusion=confusion,
            n_clips=int(confusion.sum()),
        )

    def backward(self, batch: torch.Tensor, truth: torch.Tensor, criterion: Loss) -> tuple[torch.Tensor, torch.Tensor]:
        """Compute the gradients of a batch; return its loss, as `EpochStats` has it, and (B, K), greatest at the answer."""
        log_probs = self.forward(batch).log_softmax(-1)
        plain = criterion.measure(log_probs, truth)
        self.optimizer.zero_grad()
        criterion.descend(plain, log_probs, truth).sum().backward()  # type: ignore[no-untyped-call]
        return plain.detach().mean(), log_probs.detach().view(len(batch), -1, log_probs.shape[-1]).logsumexp(1)

    def step(self, rate: float) -> None:
        """Update the weights by their gradients."""
        self.optimizer.step(rate)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the logits (B, K) of a batch (B, C, F, T), or (B, n, K) of n columns in training."""
        logits: torch.Tensor = self.net(batch)
        return logits

    def _begin_training(self) -> None:
        self.net.train()
        for layer in self.frozen:
            layer.training = False  # batch statistics stay as they are

    def _look(self, val: Clips, updates: int, started: float) -> Look:
        before = time.perf_counter()
        score, _ = self.score(val)
        self._begin_training()
        now = time.perf_counter()
        return Look(updates=updates, seconds=now - started, duration_s=now - before, score=score)

    def score(self, clips: Clips) -> tuple[Score, torch.Tensor]:
        """Score the net on `clips`, without augmentation; also return its log-probabilities (N, K) on the CPU."""
        self.net.eval()
        log_probs = log_probabilities(self.forward, clips, self.inputs)
        return compute_score(log_probs, clips.labels, self.config), log_probs.cpu()

    def restore_weights(self) -> None:
        """Put the kept epoch's weights into the net."""
        self.net.load_state_dict(self.kept_weights)

    def save_weights(self, path: Path) -> None:
        """Write the kept epoch's weights alone, for `torch.load(..., weights_only=True)`."""
        write_whole(path, dump_checksummed(self.kept_weights))

    def save(self, path: Path) -> None:
        """Write a checkpoint to resume from after this epoch; the one before it stays in `_BEFORE`."""
        state = {
            "net": self.net.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "kept_weights": self.kept_weights,
            "best_epoch": self.best_epoch,
            "rows": [asdict(row) for row in self.rows],
            "looks": self.looks.state_dict(),
            "wall_s": self.wall_s,
            "n_clips_trained": self.n_clips_trained,
            "training_s": self.training_s,
        }
        content = dump_checksummed(state)
        with contextlib.suppress(FileNotFoundError):
            path.replace(path.with_name(_BEFORE))
        write_whole(path, content)

    def resume(self, path: Path) -> bool:
        """Resume from what `save` wrote to `path`; return False if it wrote nothing.

        Raises:
            RunError: the file is damaged or of another training; the message offers the checkpoint before it where that is
                whole, else it says what to delete.
        """
        before = path.with_name(_BEFORE)
        newest = path if path.exists() else before  # killed between the two renames of a save
        if not newest.exists():
            return False
        try:
            self._load(newest)
            return True
        except RunError as error:
            raise RunError(f"{error}; {self._offer(newest, before)}") from error

    def _offer(self, damaged: Path, before: Path) -> str:
        if damaged == before or not before.exists():
            return "delete it to train this run from its start"
        paths = f"{shlex.quote(str(before))} {shlex.quote(str(damaged))}"
        try:
            self._load(before)
        except RunError:
            return f"so is the one before it: `rm {paths}` lets the same command train this run from its start"
        return f"`mv {paths}` goes on after epoch {len(self.rows)}, deleting both starts anew"

    def _load(self, path: Path) -> None:
        state = load_checksummed(path, self.device)
        try:
            self.net.load_state_dict(state["net"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.rows = [EpochRow(**row) for row in state["rows"]]
            self.looks.load_state_dict(state.get("looks", {}))
            self.kept_weights, self.best_epoch = state["kept_weights"], state["best_epoch"]
            self.wall_s, self.training_s = state["wall_s"], state["training_s"]
            self.n_clips_trained = state["n_clips_trained"]
        except Exception as error:  # torch raises several kinds for weights of other shapes
            raise RunError(f"{path} is of another training ({type(error).__name__})") from error


def _mean_finite(values: Sequence[float]) -> float | None:
    """Return the mean; None where a value has overflowed."""
    mean = sum(values) / len(values)
    return mean if math.isfinite(mean) else None


def _check_finite(losses: Sequence[float], number: int, settings: TrainSettings) -> None:
    step = next((step for step, loss in enumerate(losses) if not math.isfinite(loss)), None)
    if step is None:
        return
    steps = len(losses)
    rate = learning_rate_at(number * steps + step, settings.epochs * steps, settings)
    raise RunError(
        f"the loss became {losses[step]} {describe_step(step, steps, number)} at a learning rate of {rate:.3g}; "
        "lower train.learning_rate and train again"
    )


def describe_step(step: int, steps: int, number: int) -> str:
    """Return the place of a step, counted from 0, in a sentence."""
    return f"at step {number * steps + step + 1} (epoch {number + 1}, batch {step + 1} of {steps})"
