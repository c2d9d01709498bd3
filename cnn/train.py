"""One training, from a configuration to a finished run folder; a killed one goes on from its last finished epoch."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

import torch

from cnn import config as cfg
from cnn.batches import Clips
from cnn.config import LABELS, RunConfig
from cnn.device import one_thread, resolve
from cnn.errors import ConfigError, RunError
from cnn.fit import Fit
from cnn.models.check import check
from cnn.models.own import at_hand, kept
from cnn.models.table import n_multiply_adds, n_parameters
from cnn.runs import EpochRow, Prediction, RunFolder, RunResult, RunState, Score, locked
from cnn.splits import make_split
from cnn.tiles import TileSet
from cnn.verdict import judge

_VERSIONS_OF = ("arena-spoken-digits", "torch", "torchaudio", "opencv-python", "numpy")


class Decision(Enum):
    """What a listener wants after an epoch."""

    CONTINUE = "continue"
    PRUNE = "prune"  # end now, and call it a result
    PAUSE = "pause"  # end now; asked again, the run goes on


Listener = Callable[[EpochRow], Decision]


def train(
    config: RunConfig, tiles: TileSet, runs_dir: Path, *, device: str = "auto", on_epoch: Listener | None = None
) -> RunFolder:
    """The run folder of `config`, trained as far as needed: a finished one is answered at once, an unfinished one goes on,
    a pruned one is trained anew.

    Args:
        on_epoch: told of every newly trained epoch, after its checkpoint is on the disk.

    Raises:
        ConfigError: the configuration was made for other tiles, or the device is not here.
        ModelError: a plug-in net that cannot be trained.
        SplitError: the clips cannot give the split.
        RunError: the folder cannot be written, or the loss is no number any more (the folder then says so).
    """
    if (config.corpus, config.tiles) != (tiles.corpus, tiles.settings):
        raise ConfigError(f"the configuration was made for other tiles than those in {tiles.folder}; choose them with --tiles")
    folder = RunFolder(runs_dir / config.digest)
    if config.model.is_plugin and folder.state() is not RunState.FINISHED:
        check(at_hand(config.model, folder.path), config.tiles.size, len(LABELS))
    with locked(folder):
        if folder.state() is RunState.FINISHED:
            return folder
        _Training(config, tiles, folder, resolve(device)).run(on_epoch or (lambda _row: Decision.CONTINUE))
    return folder


class _Training:
    def __init__(self, config: RunConfig, tiles: TileSet, folder: RunFolder, device: torch.device) -> None:
        self._config = config
        self._tiles = tiles
        self._folder = folder
        self._device = device
        self._split = make_split(tiles.clips, config.split)
        pictures, labels = tiles.pictures(config.filter), tiles.labels()
        self._clips = {name: Clips(pictures, labels, getattr(self._split, name), device) for name in ("train", "val", "test")}

    def run(self, on_epoch: Listener) -> None:
        started_at = _now()
        for left_by_a_kill in self._folder.path.glob(".*.pt.*"):
            left_by_a_kill.unlink()
        (self._folder.path / "result.json").unlink(missing_ok=True)
        self._folder.write_config(cfg.to_dict(self._config))
        with one_thread(self._device) as n_threads:
            fit = Fit(kept(self._config, self._folder.path), self._device)
            checkpoint = self._folder.path / "checkpoint.pt"
            fit.go_on(checkpoint)
            self._folder.write_epochs(fit.rows)
            try:
                state = self._epochs(fit, on_epoch)
            except RunError as error:
                self._folder.write_result(RunResult(state=RunState.FAILED, cause=str(error), started_at=started_at))
                raise
            if state.is_finished:
                result = self._result(fit, state)
                self._folder.write_result(replace(result, n_threads=n_threads, started_at=started_at, finished_at=_now()))
                for left in self._folder.path.glob("checkpoint*.pt"):
                    left.unlink()

    def _epochs(self, fit: Fit, on_epoch: Listener) -> RunState:
        while not fit.is_over:
            row = fit.epoch(self._clips["train"], self._clips["val"])
            fit.save(self._folder.path / "checkpoint.pt")
            self._folder.write_epochs(fit.rows)
            decision = on_epoch(row)
            if decision is Decision.PAUSE and not fit.is_over:
                return RunState.UNFINISHED
            if decision is Decision.PRUNE and not fit.is_over:
                return RunState.PRUNED
        return RunState.FINISHED

    def _result(self, fit: Fit, state: RunState) -> RunResult:
        fit.restore_kept()
        fit.save_weights(self._folder.path / "model.pt")
        scores: dict[str, Score] = {}
        predictions: list[Prediction] = []
        for split, clips in self._clips.items():
            if state is RunState.PRUNED and split == "test":
                continue  # nobody chooses by a pruned run's test score
            scores[split], log_probabilities = fit.score(clips)
            if split != "train":
                predictions += self._predictions(split, log_probabilities)
        if state is RunState.FINISHED:
            self._folder.write_predictions(LABELS, predictions)
        return RunResult(
            state=state,
            labels=LABELS,
            best_epoch=fit.best_epoch,
            n_epochs=len(fit.rows),
            scores=scores,
            speakers={split: self._speakers(split) for split in scores},
            verdict=judge(fit.rows, scores["train"], scores["val"], self._held_out(), self._remedy()),
            n_parameters=n_parameters(fit.net),
            n_multiply_adds=n_multiply_adds(fit.net, self._config.tiles.size),
            wall_s=fit.wall_s,
            n_clips_per_s=fit.n_clips_trained / max(fit.training_s, 1e-9),
            device=_device_name(self._device),
            versions=versions(),
        )

    def _speakers(self, split: str) -> list[str]:
        return sorted({self._tiles.clips[place].speaker for place in getattr(self._split, split)} - {""})

    def _held_out(self) -> str:
        return "other clips of the same speakers" if self._split.val_heard else "speakers never heard in training"

    def _remedy(self) -> str:
        return "more speakers or a smaller net" if self._config.augmented else "more speakers, augmentation or a smaller net"

    def _predictions(self, split: str, log_probabilities: torch.Tensor) -> list[Prediction]:
        clips = [self._tiles.clips[place] for place in getattr(self._split, split)]
        labels = [LABELS[k] for k in log_probabilities.argmax(1).tolist()]
        probabilities = log_probabilities.double().softmax(1).tolist()  # sums to 1 in double precision
        return [
            Prediction(id=c.id, label=label, probabilities=tuple(p), truth=c.label, speaker=c.speaker, split=split)
            for c, label, p in zip(clips, labels, probabilities, strict=True)
        ]


def versions() -> dict[str, str]:
    """The packages a run's numbers depend on, and Python."""
    found = {"python": platform.python_version()}
    for name in _VERSIONS_OF:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _device_name(device: torch.device) -> str:
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else device.type


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
