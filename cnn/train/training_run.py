"""One training run, from a configuration to a finished folder; a killed one resumes after its last finished epoch."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

import torch
from torch.nn import functional as F

from arena.base.terminal import say
from cnn import config as cfg
from cnn.check.net import check_net
from cnn.config import RunConfig
from cnn.errors import ConfigError
from cnn.models.own import pin_source, resolve_source
from cnn.models.registry import seed_generators
from cnn.overrides import config_from_dict
from cnn.runs.folder import EVERY_PART, EpochRow, Prediction, RunFolder, RunResult, RunState
from cnn.runs.marks import choose_trial, lock_run, read_trial_mark
from cnn.splits import make_split
from cnn.tiles.batches import Clips, derive_seed
from cnn.tiles.denoised import check_denoiser
from cnn.tiles.tile_set import TileClip, TileSet
from cnn.train.device import limit_threads, resolve_device
from cnn.train.failure import describe_failure
from cnn.train.loss import Loss
from cnn.train.optimizer import check_batch_size
from cnn.train.start import begin_training
from cnn.train.trainers import add_test_part, make_result, make_trainer
from cnn.train.weights_file import load_weights


class Decision(Enum):
    """A listener's decision after an epoch."""

    CONTINUE = "continue"
    PRUNE = "prune"  # end now, and call it a result
    PAUSE = "pause"  # end now; the next call resumes the run


Listener = Callable[[EpochRow], Decision]


def train(
    config: RunConfig, tiles: TileSet, runs_dir: Path, *, device: str = "auto", on_epoch: Listener | None = None
) -> RunFolder:
    """Train `config` as far as needed and return its run folder: a finished one is left alone, an unfinished one resumed,
    a pruned one trained anew.

    Args:
        on_epoch: called with every newly trained epoch, after its checkpoint is on the disk.

    Raises:
        CnnError: as `open_run` and `TrainingRun.run`.
    """
    with open_run(config, tiles, runs_dir, device) as training:
        if training is not None:
            training.run(on_epoch or (lambda _row: Decision.CONTINUE))
    return complete_run(RunFolder(runs_dir / config.digest), tiles, device)


@contextmanager
def open_run(
    config: RunConfig, tiles: TileSet, runs_dir: Path, device: str, parts: Sequence[str] = EVERY_PART
) -> Iterator[TrainingRun | None]:
    """Lock the folder of `config` and yield its run, resumed after its last finished epoch; None for a finished one.

    Args:
        parts: those to score in the end; a sweep's trial has BLIND_PARTS.

    Raises:
        ConfigError: the configuration was made for other tiles, or the device is not here.
        ModelError: a plug-in net that cannot be trained.
        SplitError: the clips cannot give the split.
        RunError: the folder cannot be written, or its checkpoint is damaged.
    """
    _check_tiles(config, tiles)
    folder = RunFolder(runs_dir / config.digest)
    if config.model.is_plugin and folder.state() is not RunState.FINISHED:
        check_net(resolve_source(config.model, folder.path), config.tiles.size, config.data.n_classes)
    with lock_run(folder):
        if folder.state() is RunState.FINISHED:
            drop_checkpoints(folder)
            yield None
            return
        target = resolve_device(device)
        with limit_threads(target):
            yield TrainingRun(config, SplitData(tiles, config, target, parts), folder)


def _check_tiles(config: RunConfig, tiles: TileSet) -> None:
    if (config.corpus, config.tiles) != (tiles.corpus, tiles.settings):
        raise ConfigError(f"the configuration was made for other tiles than those in {tiles.folder}; choose them with --tiles")
    check_denoiser(config, tiles.folder)


def complete_run(folder: RunFolder, tiles: TileSet, device: str, on_choice: Callable[[str], None] = say) -> RunFolder:
    """Add the test part to a sweep's finished trial, from its kept weights, so that it is a training like any other.

    Its scores are those that a training would have written. Other runs are left alone.

    Args:
        on_choice: called with one line on the trial.

    Raises:
        ConfigError: the run was trained on other tiles, or the device is not here.
        RunError: the weights are damaged, or the folder cannot be written.
    """
    with lock_run(folder):
        result = folder.stored_result()
        if result is None or result.state is not RunState.FINISHED:
            return folder
        if "test" not in result.parts:
            config = config_from_dict(folder.config())
            _check_tiles(config, tiles)
            target = resolve_device(device)
            parts = ("train", "test") if config.model.is_autoencoder else ("test",)  # PCA is computed from the training tiles
            with limit_threads(target):
                fit = make_trainer(pin_source(config, folder.path), target)
                load_weights(fit.net, folder.path, target)
                add_test_part(fit, SplitData(tiles, config, target, parts), folder, result)
        if folder.is_trial:
            on_choice(f"{folder.path} was {read_trial_mark(folder)} and counts as a training from now on, with its test part")
        choose_trial(folder)
    return folder


class SplitData:
    """The clips of a split's parts on the device, for every training on the same tiles, filter and split."""

    def __init__(self, tiles: TileSet, config: RunConfig, device: torch.device, parts: Sequence[str] = EVERY_PART) -> None:
        self.tiles = tiles
        self.device = device
        self.split = make_split(tiles.clips, config.split)
        pictures, labels = tiles.pictures(config.filter), tiles.labels()
        self.clips = {name: Clips(pictures, labels, getattr(self.split, name), device) for name in parts}
        self._config = config

    @functools.cached_property
    def learnt(self) -> Clips:
        """The training part as it is learnt from; `clips` has it as it is scored."""
        if self._config.training_pictures == self._config.filter:
            return self.clips["train"]
        return Clips(self.tiles.pictures(self._config.training_pictures), self.tiles.labels(), self.split.train, self.device)

    def list_clips(self, part: str) -> list[TileClip]:
        return [self.tiles.clips[index] for index in getattr(self.split, part)]

    def list_speakers(self, part: str) -> list[str]:
        return sorted({clip.speaker for clip in self.list_clips(part)} - {""})

    def list_predictions(self, part: str, log_probabilities: torch.Tensor) -> list[Prediction]:
        """Return a row for each clip of a part, from log-probabilities (N, K) on the CPU."""
        clips = self.list_clips(part)
        labels = [self.tiles.data.labels[k] for k in log_probabilities.argmax(1).tolist()]
        probabilities = log_probabilities.double().softmax(1).tolist()  # sums to 1 in double precision
        return [
            Prediction(id=c.id, label=label, probabilities=tuple(p), truth=c.label, speaker=c.speaker, split=part)
            for c, label, p in zip(clips, labels, probabilities, strict=True)
        ]


class TrainingRun:
    """A run in progress: its folder, locked by the caller, and its trainer."""

    def __init__(self, config: RunConfig, material: SplitData, folder: RunFolder) -> None:
        """Start the run, or resume it after its last finished epoch."""
        self.config = config
        self.data = material
        self.folder = folder
        self.is_paused = False
        self._started_at = _now()
        self.trainer = make_trainer(pin_source(config, folder.path), material.device)
        check_batch_size(self.trainer.net, config.train, len(material.learnt))
        for leftover in folder.path.glob(".*.pt.*"):
            leftover.unlink()
        self.note = begin_training(self.trainer, folder.path / "checkpoint.pt")
        (folder.path / "result.json").unlink(missing_ok=True)
        folder.write_config(cfg.config_to_json(config))
        self._write_rows()

    @property
    def state(self) -> RunState:
        """FINISHED if no epoch remains to be trained."""
        return RunState.FINISHED if self.trainer.is_finished else RunState.UNFINISHED

    def run(self, listener: Listener) -> None:
        """Train until the last epoch, or until `listener` wants an end.

        Raises:
            RunError: the folder cannot be written, or the loss is no number any more.
            Exception: whatever else ended an epoch; as of such a loss, the folder then says so.
        """
        state = self.state
        while state is RunState.UNFINISHED:
            try:
                row = self.trainer.run_epoch(self.data.learnt, self.data.clips["val"])
            except Exception as error:
                self.fail(error)
                raise
            self.write_epoch()
            state = self.decide(row, listener)
            if self.is_paused:
                return
        self.finish(state)

    def write_epoch(self) -> None:
        """Write the checkpoint and the row of the epoch that the trainer has recorded."""
        self.trainer.save(self.folder.path / "checkpoint.pt")
        self._write_rows()

    def _write_rows(self) -> None:
        self.folder.write_epochs(self.trainer.rows)
        self.trainer.looks.write(self.folder)

    def decide(self, row: EpochRow, listener: Listener) -> RunState:
        """Return the run's state after the listener's decision on an epoch that is written."""
        decision = listener(row)
        self.is_paused = decision is Decision.PAUSE and not self.trainer.is_finished
        if decision is Decision.PRUNE and not self.trainer.is_finished:
            return RunState.PRUNED
        return self.state

    def fail(self, error: Exception) -> None:
        """Write the cause of a failure."""
        failure = describe_failure(error, self.config, self.folder.path)
        result = RunResult(state=RunState.FAILED, cause=failure.cause, tail=failure.tail, started_at=self._started_at)
        self.folder.write_result(result)

    def finish(self, state: RunState) -> None:
        """Score the kept weights, write the result, and drop the checkpoints."""
        result = make_result(self.trainer, self.data, self.folder, state)
        n_threads = torch.get_num_threads()
        self.folder.write_result(replace(result, n_threads=n_threads, started_at=self._started_at, finished_at=_now()))
        if "test" in result.parts:
            choose_trial(self.folder)  # it was begun by a sweep
        drop_checkpoints(self.folder)


def try_batch(config: RunConfig, tiles: TileSet, device: str) -> None:
    """Train on one batch of `config` and forget it: a smoke test, which shows in a moment what would stop a training.

    Raises:
        CnnError: the tiles, the split, the net or the device cannot be used.
        MemoryError, RuntimeError: whatever torch says, out of memory first of all.
    """
    _check_tiles(config, tiles)
    if config.model.is_plugin:
        check_net(config.model, config.tiles.size, config.data.n_classes)
    target = resolve_device(device)
    split = make_split(tiles.clips, config.split)
    clips = Clips(
        tiles.pictures(config.training_pictures), tiles.labels(), split.train[: config.train.batch_size or None], target
    )
    with limit_threads(target), seed_generators(derive_seed("dropout", config.train.seed), target):
        trainer = make_trainer(config, target)
        check_batch_size(trainer.net, config.train, len(split.train))
        trainer.net.train()
        order = derive_seed("order", config.train.seed, 0)
        for batch, truth in clips.iterate_batches(config.train.batch_size, [order], trainer.inputs):
            if config.model.is_autoencoder:
                F.mse_loss(trainer.net(batch), batch).backward()  # type: ignore[no-untyped-call]
            else:
                trainer.backward(batch, truth, Loss(config.train.loss))
            break
        if target.type == "cuda":
            torch.cuda.synchronize(target)
            torch.cuda.empty_cache()


def drop_checkpoints(folder: RunFolder) -> None:
    """Delete the checkpoints of a finished run; a kill after its result leaves them."""
    for path in folder.path.glob("checkpoint*.pt"):
        path.unlink()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
