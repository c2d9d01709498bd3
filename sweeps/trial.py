"""The one door to cnn: what a sweep may set, and one trial trained."""

from __future__ import annotations

import math
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnn.runs import EpochRow, RunFolder, RunState
from sweeps.errors import StudyError, SweepError

if TYPE_CHECKING:
    from cnn.mirror import Destination

_N_TAIL = 8  # lines of a traceback kept with a failed trial


class Step(Enum):
    """What a listener wants after an epoch."""

    CONTINUE = "continue"
    PRUNE = "prune"  # end now, and call it a result
    PAUSE = "pause"  # end now; whoever asks again goes on


class TrialState(Enum):
    """How a trial ended."""

    FINISHED = "finished"
    PRUNED = "pruned"
    FAILED = "failed"
    PAUSED = "paused"  # unfinished; its run folder goes on from the last epoch


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    """One point of a search space as a training sees it."""

    params: dict[str, object]  # with the types of the configuration
    run: str  # digest of its run folder


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialResult:
    """What came of a trial. `epochs` holds the metric after each epoch, from 1."""

    state: TrialState
    epochs: dict[int, float] = field(default_factory=dict)
    seconds: float = 0.0
    cause: str = ""
    tail: tuple[str, ...] = ()
    out_of_memory: bool = False  # of a failed one


@dataclass(frozen=True, kw_only=True, slots=True)
class Workplace:
    """Where trials of one study read, write and run."""

    base: dict[str, Any]  # configuration that the parameters are set on
    tiles: Path
    runs: Path
    device: str = "auto"
    study: str = ""  # whose trials these are
    wandb: str = "off"  # mode of the mirror
    copy: Destination | None = None  # the run that W&B's own sweep made; None: the mirror makes one


Listener = Callable[[EpochRow], Step]


def key_kinds() -> dict[str, type]:
    """The configuration keys that a sweep may set, with the type of their values."""
    from cnn.overrides import keys

    return {key: known.kind for key, known in keys().items() if not key.startswith("tiles.")}


def nearest_key(key: str) -> str:
    """`; did you mean 'train.learning_rate'?`, or where all keys are listed."""
    from cnn.overrides import nearest

    return nearest(key, key_kinds())


def models() -> tuple[str, ...]:
    from cnn.config import MODELS

    return MODELS


def model_label(model: str) -> str:
    """A model's name for people: `MyNet` for `team/net.py:MyNet`."""
    from cnn.plugin import label_of

    return label_of(model)


def variants() -> tuple[str, ...]:
    from cnn.config import VARIANTS

    return VARIANTS


def why_refused(values: Mapping[str, object]) -> str:
    """Why the configuration takes no such values; empty where it does."""
    from cnn.config import RunConfig
    from cnn.errors import ConfigError
    from cnn.overrides import with_values

    try:
        with_values(RunConfig(corpus=""), values)
    except ConfigError as error:
        return str(error)
    return ""


def find_tiles_folder(path: Path, say: Callable[[str], None]) -> Path:
    """The one folder of tiles in or below `path`, which `say` hears of where it was chosen; raises cnn's TilesError."""
    from cnn.tiles import find_tiles

    return find_tiles(path, say).folder


def base_configuration(tiles: Path, model: str, variant: str, overrides: Sequence[str]) -> dict[str, Any]:
    """The configuration that a study's parameters are set on; raises cnn's errors, also where the clips cannot be split."""
    from cnn.config import default_config, to_dict
    from cnn.overrides import override
    from cnn.splits import make_split
    from cnn.tiles import open_tiles

    opened = open_tiles(tiles)
    config = override(default_config(opened.corpus, opened.settings, model, variant), overrides)
    make_split(opened.clips, config.split)
    return to_dict(config)


def n_training_clips(tiles: Path, base: Mapping[str, Any]) -> int:
    """How many clips one epoch of `base` trains on; raises cnn's errors."""
    from cnn.overrides import from_dict
    from cnn.splits import make_split
    from cnn.tiles import open_tiles

    return len(make_split(open_tiles(tiles).clips, from_dict(base).split).train)


def try_batch(place: Workplace, params: Mapping[str, object]) -> str:
    """Train one batch of `params` and forget it; why that cannot be done, empty where it can. Writes nothing."""
    from cnn.overrides import from_dict, with_values
    from cnn.smoke import try_batch
    from cnn.tiles import open_tiles

    try:
        try_batch(with_values(from_dict(place.base), params), open_tiles(place.tiles), place.device)
    except Exception as error:
        return failure_of(error).cause
    return ""


def default_epochs() -> int:
    from cnn.config import RunConfig

    return RunConfig(corpus="").train.epochs


def override_keys(overrides: Sequence[str]) -> list[str]:
    """The keys that `key=value` texts set."""
    from cnn.overrides import parse_assignments

    return list(parse_assignments(overrides))


def point_of(base: Mapping[str, Any], params: Mapping[str, object]) -> Point:
    """The run that `params` on `base` name.

    Raises:
        StudyError: the configuration takes no such values together.
    """
    from cnn.config import to_dict
    from cnn.errors import ConfigError
    from cnn.overrides import flatten, from_dict, with_values

    try:
        config = with_values(from_dict(base), params)
    except ConfigError as error:
        raise StudyError(f"point {dict(params)} cannot be trained: {error}") from error
    values = flatten(to_dict(config))
    return Point(params={key: values[key] for key in params}, run=config.digest)


def check_device_name(name: str) -> None:
    """Refuse a device that no training takes; raises cnn's ConfigError."""
    from cnn.machine import check_device_name

    check_device_name(name)


def n_processes(*, on_gpu: bool, n_tasks: int) -> int:
    """How many trainings at once suit this machine."""
    from cnn.machine import n_processes

    return n_processes(on_gpu=on_gpu, n_tasks=n_tasks)


def check_runs(runs: Path) -> None:
    """Find out before a study is made that its run folders cannot be; raises cnn's RunError."""
    from cnn.shelf import check_place

    check_place(runs)


def check_place(place: Workplace) -> None:
    """Find out before the first trial that the device or the tiles are not here; raises cnn's errors. Loads torch."""
    from cnn.device import resolve
    from cnn.tiles import open_tiles

    device = resolve(place.device)
    if device.type == "cpu":
        import torch

        torch.set_num_threads(1)  # two processes of one thread beat two threads
    open_tiles(place.tiles)


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """A trial to train: which one of its study, and where on the search space."""

    number: int
    params: Mapping[str, object]
    metric: str


def run_trial(place: Workplace, task: Task, on_epoch: Listener) -> TrialResult:
    """Train one point as far as needed; whatever goes wrong becomes a failed result with its cause.

    Raises:
        SweepError: what `on_epoch` raised; the run folder stays unfinished.
    """
    try:
        return _run(place, task, on_epoch)
    except SweepError:
        raise
    except Exception as error:
        return failure_of(error)


def _run(place: Workplace, task: Task, on_epoch: Listener) -> TrialResult:
    from cnn.mirror import Destination, Training, train_mirrored
    from cnn.overrides import from_dict, with_values
    from cnn.shelf import TrialMark, mark_trial
    from cnn.tiles import open_tiles
    from cnn.train import Decision

    config = with_values(from_dict(place.base), task.params)
    mark_trial(RunFolder(place.runs / config.digest), TrialMark(study=place.study, number=task.number))
    training = Training(
        config=config,
        tiles=open_tiles(place.tiles),
        runs=place.runs,
        device=place.device,
        on_epoch=lambda row: Decision(on_epoch(row).value),
    )
    copy = place.copy or Destination(mode=place.wandb, group=place.study, job_type="trial")
    folder = train_mirrored(training, copy, lambda text: print(text, file=sys.stderr, flush=True))
    return result_of(folder, task.metric)


def result_of(folder: RunFolder, metric: str) -> TrialResult:
    """What a run came to, as the trial that asked for it."""
    rows = folder.epochs()
    epochs = {row.epoch: float(getattr(row, metric)) for row in rows}
    seconds = sum(row.seconds for row in rows)
    states = {RunState.FINISHED: TrialState.FINISHED, RunState.PRUNED: TrialState.PRUNED}
    state = states.get(folder.state(), TrialState.PAUSED)
    if state is not TrialState.PAUSED and not any(map(math.isfinite, epochs.values())):
        cause = f"{metric} was a number after none of {len(epochs)} epochs"
        return TrialResult(state=TrialState.FAILED, epochs=epochs, seconds=seconds, cause=cause)
    return TrialResult(state=state, epochs=epochs, seconds=seconds)


def failure_of(error: Exception) -> TrialResult:
    """A failed result with its cause in one line."""
    from cnn.errors import CnnError
    from cnn.failure import is_out_of_memory

    text = " ".join(str(error).split())[:300] or "no message"
    if isinstance(error, CnnError):
        return TrialResult(state=TrialState.FAILED, cause=text)
    lines = "".join(traceback.format_exception(error)).splitlines()
    tail = tuple(lines[-_N_TAIL:])
    if is_out_of_memory(error):
        return TrialResult(state=TrialState.FAILED, cause="out of memory", tail=tail, out_of_memory=True)
    return TrialResult(state=TrialState.FAILED, cause=f"{type(error).__name__}: {text}", tail=tail)
