"""Several trainings at once, each in a process and one thread of its own: on a CPU two processes beat two threads."""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.base.install import loading
from arena.base.processes import follow_parent, without_main
from cnn.config import RunConfig
from cnn.errors import RunError
from cnn.hardware import check_device_name, may_have_gpu, n_processes
from cnn.runs.folder import EpochRow, RunFolder
from cnn.settings.split import FOLDED_KINDS, SplitSettings
from cnn.speakers.doubts import TOO_GOOD, describe_doubts
from cnn.splits import list_untrained, make_split
from cnn.tiles.tile_set import TileSet, open_tiles
from cnn.train.failure import TrainingFailure, describe_failure

OnEpoch = Callable[[RunConfig, EpochRow], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingPaths:
    """Folders, device and W&B mode of trainings."""

    tiles: Path
    runs: Path
    device: str = "auto"
    wandb: str = "off"


def default_jobs(device: str, n_configs: int) -> int:
    """Return one process per core on a CPU, two on a GPU, one per training at most. Raises ConfigError: no such device."""
    return n_processes(on_gpu=is_gpu(device), n_tasks=n_configs)


def is_gpu(device: str) -> bool:
    """Return True if `device` is a GPU. Loads torch, whose 250 MiB stay, only where there may be one.

    Raises:
        ConfigError: no such device here.
    """
    check_device_name(device)
    if device == "cpu" or (device == "auto" and not may_have_gpu()):
        return False
    from cnn.train.device import resolve_device

    return resolve_device(device).type == "cuda"


def train_all(
    configs: Sequence[RunConfig], paths: TrainingPaths, n_jobs: int, on_epoch: OnEpoch, say: Callable[[str], None]
) -> list[RunFolder]:
    """Train `configs` in at most `n_jobs` processes and return their run folders in order; finished ones are not trained again,
    and a sweep's trial is given its test part.

    Raises:
        SplitError: the clips cannot give the split of one of them; nothing is trained.
        RunError: some of them failed; all others are trained to their end first.
        ImportError: torch is missing or does not load.
    """
    tiles, settings = open_tiles(paths.tiles), dict.fromkeys(config.split for config in configs)
    for warning in list_untrained(tiles.clips, settings):
        say(warning)
    for warning in (*describe_doubts(tiles.doubts), *_warn_of_splits(tiles, settings)):
        say(f"warning: {warning}")
    failures: dict[int, str] = {}
    todo = [n for n, config in enumerate(configs) if not RunFolder(paths.runs / config.digest).is_whole]
    # Model A, mostly the quickest, last: so no process is left alone with a slow training at the end.
    todo.sort(key=lambda n: configs[n].model.name == configs[0].model.name)
    for number, kind, content in _events(configs, todo, paths, n_jobs):
        if kind == "epoch":
            on_epoch(configs[number], EpochRow(**content))
        elif kind == "begun" and content:
            say(_resumed(configs[number], paths, content))
        elif kind == "said":
            say(content)
        elif kind == "unloaded":
            raise content
        elif kind == "failed":
            failures[number] = _describe_failure(configs[number], paths, content)
            for line in content.tail:
                say(f"  {line}")
            if len(configs) > 1:
                say(f"failed: {failures[number]}")
    if failures:
        more = "" if len(configs) == 1 else f"{len(failures)} of {len(configs)} trainings failed, first: "
        raise RunError(more + failures[min(failures)])
    return [RunFolder(paths.runs / config.digest) for config in configs]


def _warn_of_splits(tiles: TileSet, settings: Iterable[SplitSettings]) -> list[str]:
    """Return a line if a split by speaker puts speakers who may be one person into different parts."""
    for split in (make_split(tiles.clips, each) for each in settings):
        parts = [{tiles.clips[index].speaker for index in part} for part in (split.train, split.val, split.test)]
        if split.by_speaker and tiles.doubts.are_apart(parts):
            return [TOO_GOOD]
    return []


def _name(config: RunConfig) -> str:
    split = config.split
    fold = f", {split.kind} fold {split.fold}" if split.kind in FOLDED_KINDS else ""
    if split.kind == "folds":
        fold = f", fold {split.fold} of {split.n_folds}"
    seed = f", seed {config.train.seed}" if config.train.seed else ""
    return f"{config.model.label} on {config.variant}{fold}{seed}"


def _resumed(config: RunConfig, paths: TrainingPaths, n_before: int) -> str:
    return f"{_name(config)}: going on after epoch {n_before} of {config.train.epochs} ({paths.runs / config.digest})"


def _describe_failure(config: RunConfig, paths: TrainingPaths, failure: TrainingFailure) -> str:
    folder = paths.runs / config.digest
    where = "" if str(folder) in failure.cause else f" ({folder})"
    return f"{_name(config)}{where}: {failure.cause}"


def _events(configs: Sequence[RunConfig], todo: Sequence[int], paths: TrainingPaths, n_jobs: int) -> Any:
    context = multiprocessing.get_context("spawn")  # a fork of a process with torch's threads may hang
    tasks: Any = context.Queue()
    events: Any = context.Queue()
    for number in todo:
        tasks.put((number, configs[number]))
    n_workers = min(n_jobs, len(todo))
    for _ in range(n_workers):
        tasks.put(None)
    workers = [context.Process(target=_work, args=(paths, tasks, events), daemon=True) for _ in range(n_workers)]
    with without_main():
        for worker in workers:
            worker.start()
    n_open = len(todo)
    try:
        while n_open:
            try:
                event = events.get(timeout=1.0)
            except queue.Empty:
                _raise_if_killed(workers)
                continue
            n_open -= event[1] in ("done", "failed")
            yield event
    finally:
        for worker in workers:
            worker.terminate() if n_open else worker.join()


def _raise_if_killed(workers: Sequence[Any]) -> None:
    for worker in workers:
        if worker.exitcode:
            raise RunError(
                f"a training process ended with exit code {worker.exitcode} (-9: killed, often for want of memory); "
                "run the same command again with fewer --jobs: it goes on from the last epoch"
            )


def _work(paths: TrainingPaths, tasks: Any, events: Any) -> None:
    follow_parent()
    try:
        with loading():
            from cnn.runs.wandb_mirror import Destination
            from cnn.train.mirrored import TrainingRequest, train_mirrored
            from cnn.train.training_run import Decision
    except ImportError as error:
        events.put((0, "unloaded", error))
        return

    tiles = open_tiles(paths.tiles)
    while (task := tasks.get()) is not None:
        number, config = task

        def listen(row: EpochRow, number: int = number) -> Decision:
            events.put((number, "epoch", {name: getattr(row, name) for name in EpochRow.__slots__}))
            return Decision.CONTINUE

        def say(text: str, number: int = number) -> None:
            events.put((number, "said", text))

        def begin(n_before: int, number: int = number) -> None:
            events.put((number, "begun", n_before))

        try:
            training = TrainingRequest(
                config=config, tiles=tiles, runs=paths.runs, device=paths.device, on_epoch=listen, on_begin=begin
            )
            train_mirrored(training, Destination(mode=paths.wandb), say)
            events.put((number, "done", None))
        except Exception as error:  # a fault in one training must not take the others along
            events.put((number, "failed", describe_failure(error, config, paths.runs / config.digest)))
