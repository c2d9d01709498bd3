"""The one door to cnn: what a sweep may set, and one trial trained."""

from __future__ import annotations

import math
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnn.runs.folder import EpochRow, RunFolder, RunState
from sweeps.errors import SweepError

if TYPE_CHECKING:
    from cnn.runs.wandb_mirror import Destination


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


def try_batch(place: Workplace, params: Mapping[str, object]) -> str:
    """Train one batch of `params` and forget it; why that cannot be done, empty where it can. Writes nothing."""
    from cnn.overrides import apply_values, config_from_dict
    from cnn.tiles.tile_set import open_tiles
    from cnn.train.smoke import try_batch

    try:
        try_batch(apply_values(config_from_dict(place.base), params), open_tiles(place.tiles), place.device)
    except Exception as error:
        return failure_of(error).cause
    return ""


def check_place(place: Workplace) -> None:
    """Find out before the first trial that the device or the tiles are not here; raises cnn's errors. Loads torch."""
    from cnn.tiles.tile_set import open_tiles
    from cnn.train.device import resolve_device

    device = resolve_device(place.device)
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
    from cnn.overrides import apply_values, config_from_dict
    from cnn.runs.index import TrialMark, mark_trial
    from cnn.runs.wandb_mirror import Destination
    from cnn.tiles.tile_set import open_tiles
    from cnn.train.mirrored import TrainingRequest, train_mirrored
    from cnn.train.training_run import Decision

    config = apply_values(config_from_dict(place.base), task.params)
    mark_trial(RunFolder(place.runs / config.digest), TrialMark(study=place.study, number=task.number))
    training = TrainingRequest(
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
    from cnn.runs.failure import is_out_of_memory

    text = " ".join(str(error).split())[:300] or "no message"
    if isinstance(error, CnnError):
        return TrialResult(state=TrialState.FAILED, cause=text)
    lines = "".join(traceback.format_exception(error)).splitlines()
    tail = tuple(lines[-_N_TAIL:])
    if is_out_of_memory(error):
        return TrialResult(state=TrialState.FAILED, cause="out of memory", tail=tail, out_of_memory=True)
    return TrialResult(state=TrialState.FAILED, cause=f"{type(error).__name__}: {text}", tail=tail)
