"""Training of one trial, the result that it leaves, and the folders and device that it uses."""

from __future__ import annotations

import math
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnn.runs.folder import BLIND_PARTS, EpochRow, RunFolder, RunState
from sweeps.errors import SweepError

if TYPE_CHECKING:
    from cnn.config import RunConfig
    from cnn.runs.wandb_mirror import Destination


_N_TAIL = 8  # lines of a traceback that a failed trial stores


class Step(Enum):
    """Decision of a listener after an epoch."""

    CONTINUE = "continue"
    PRUNE = "prune"  # end now, and call it a result
    PAUSE = "pause"  # end now; the next agent goes on from here


class TrialState(Enum):
    """Outcome of a trial."""

    FINISHED = "finished"
    PRUNED = "pruned"
    FAILED = "failed"
    PAUSED = "paused"  # unfinished; its run folder goes on from the last epoch


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialResult:
    """Result of a trial; `epochs` holds the metric after each epoch, from 1, or of each training where there are several."""

    state: TrialState
    epochs: dict[int, float] = field(default_factory=dict)
    seconds: float = 0.0
    cause: str = ""
    tail: tuple[str, ...] = ()
    out_of_memory: bool = False  # true of failed trials only


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialContext:
    """Folders, device and base configuration that the trials of one study share."""

    bases: tuple[dict[str, Any], ...]  # configuration that the parameters override, for each training of a trial
    tiles: Path
    runs: Path
    device: str = "auto"
    study: str = ""  # name of the study
    wandb: str = "off"  # mode of the mirror
    copy: Destination | None = None  # the run that W&B's own sweep made; None: the mirror makes one

    def configure(self, params: Mapping[str, object], training: int = 0) -> RunConfig:
        """Return the configuration of a training, counted from 0, of the trial with these parameters."""
        from cnn.overrides import apply_values, config_from_dict

        return apply_values(config_from_dict(self.bases[training]), params)

    def name_run(self, task: Task, config: RunConfig) -> str:
        """Return a run's name at W&B: study, trial, which of several trainings, and settings that differ from the study's."""
        from cnn.overrides import config_from_dict
        from cnn.runs.wandb_record import format_name

        several = f".{task.training + 1}" if len(self.bases) > 1 and self.copy is None else ""
        return format_name(f"{self.study}.{task.number}{several}", config, config_from_dict(self.bases[task.training]))


Listener = Callable[[EpochRow], Step]
Report = Callable[[int, float], Step]  # takes the number of a training that ended, from 1, and its value


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialHooks:
    """Functions that a trial calls, each of which may end it."""

    on_epoch: Listener
    on_training: Report = lambda _number, _value: Step.CONTINUE  # between the trainings of a trial that has several


def try_point(context: TrialContext, params: Mapping[str, object]) -> str:
    """Train one batch of `params` and write nothing; return why that failed, or an empty text."""
    from cnn.tiles.tile_set import open_tiles
    from cnn.train.training_run import try_batch

    try:
        try_batch(context.configure(params), open_tiles(context.tiles), context.device)
    except Exception as error:
        return make_failure(error).cause
    return ""


def check_context(context: TrialContext) -> None:
    """Check before the first trial that device and tiles can be used; raises cnn's errors. Loads torch."""
    from cnn.overrides import check_format
    from cnn.tiles.tile_set import open_tiles
    from cnn.train.device import resolve_device

    check_format(context.bases[0], f"study {context.study}", "begin another with --name")
    device = resolve_device(context.device)
    if device.type == "cpu":
        import torch

        torch.set_num_threads(1)  # two processes of one thread beat two threads
    open_tiles(context.tiles)


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """Number, point and metric of a trial, and which of its trainings to do."""

    number: int
    params: Mapping[str, object]
    metric: str
    is_maximized: bool = True  # the metric
    training: int = 0  # from 0


@dataclass(slots=True)
class Repeats:
    """Trainings of one trial on folds and with seeds, one after another; the value of each is the metric of its best epoch."""

    n: int
    is_maximized: bool
    values: dict[int, float] = field(default_factory=dict)  # by number of the training, from 1
    seconds: float = 0.0

    @property
    def index(self) -> int:
        """Return the index of the training that comes next."""
        return len(self.values)

    def add(self, result: TrialResult, report: Report) -> TrialResult | None:
        """Add the result of the next training and report it; return the trial's result where that ends the trial.

        Raises:
            SweepError: `report` raised it.
        """
        if self.n == 1:
            return result
        self.seconds += result.seconds
        cause = f"training {self.index + 1} of {self.n}: {result.cause}" if result.cause else ""
        if result.state in (TrialState.FAILED, TrialState.PAUSED):
            return replace(result, epochs=dict(self.values), seconds=self.seconds, cause=cause)
        self.values[self.index + 1] = (max if self.is_maximized else min)(filter(math.isfinite, result.epochs.values()))
        if result.state is TrialState.PRUNED:  # by hand, within the training
            return self._end(TrialState.PRUNED)
        if self.index == self.n:
            return self._end(TrialState.FINISHED)
        step = report(self.index, self.values[self.index])
        states = {Step.PRUNE: TrialState.PRUNED, Step.PAUSE: TrialState.PAUSED}
        return self._end(states[step]) if step in states else None

    def _end(self, state: TrialState) -> TrialResult:
        return TrialResult(state=state, epochs=dict(self.values), seconds=self.seconds)


def run_trial(context: TrialContext, task: Task, hooks: TrialHooks) -> TrialResult:
    """Train one point, from its last finished epoch on; any error becomes a failed result with its cause.

    Raises:
        SweepError: a hook raised it; the run folder stays unfinished.
    """
    repeats, result = Repeats(n=len(context.bases), is_maximized=task.is_maximized), None
    while result is None:
        training = replace(task, training=repeats.index)
        result = repeats.add(_run_training(context, training, hooks.on_epoch), hooks.on_training)
    return result


def _run_training(context: TrialContext, task: Task, on_epoch: Listener) -> TrialResult:
    try:
        return _run(context, task, on_epoch)
    except SweepError:
        raise
    except Exception as error:
        return make_failure(error)


def _run(context: TrialContext, task: Task, on_epoch: Listener) -> TrialResult:
    from cnn.runs.marks import TrialMark, mark_trial
    from cnn.runs.wandb_mirror import Destination
    from cnn.tiles.tile_set import open_tiles
    from cnn.train.mirrored import TrainingRequest, train_mirrored
    from cnn.train.training_run import Decision

    config = context.configure(task.params, task.training)
    mark_trial(RunFolder(context.runs / config.digest), TrialMark(study=context.study, number=task.number))
    request = TrainingRequest(
        config=config,
        tiles=open_tiles(context.tiles),
        runs=context.runs,
        device=context.device,
        on_epoch=lambda row: Decision(on_epoch(row).value),
        parts=BLIND_PARTS,
    )
    copy = context.copy or Destination(mode=context.wandb, group=context.study, job_type="trial")
    copy = replace(copy, name=context.name_run(task, config))
    folder = train_mirrored(request, copy, lambda text: print(text, file=sys.stderr, flush=True))
    return read_result(folder, task.metric)


def read_result(folder: RunFolder, metric: str) -> TrialResult:
    """Return the result of a trial from its run folder; failed where no epoch has a finite metric."""
    rows = folder.epochs()
    epochs = {row.epoch: float(getattr(row, metric)) for row in rows}
    seconds = sum(row.seconds for row in rows)
    states = {RunState.FINISHED: TrialState.FINISHED, RunState.PRUNED: TrialState.PRUNED}
    state = states.get(folder.state(), TrialState.PAUSED)
    if state is not TrialState.PAUSED and not any(map(math.isfinite, epochs.values())):
        cause = f"{metric} was a number after none of {len(epochs)} epochs"
        return TrialResult(state=TrialState.FAILED, epochs=epochs, seconds=seconds, cause=cause)
    return TrialResult(state=state, epochs=epochs, seconds=seconds)


def make_failure(error: Exception) -> TrialResult:
    """Return a failed result with its cause in one line."""
    from cnn.errors import CnnError
    from cnn.train.failure import is_out_of_memory

    text = " ".join(str(error).split())[:300] or "no message"
    if isinstance(error, CnnError):
        return TrialResult(state=TrialState.FAILED, cause=text)
    lines = "".join(traceback.format_exception(error)).splitlines()
    tail = tuple(lines[-_N_TAIL:])
    if is_out_of_memory(error):
        return TrialResult(state=TrialState.FAILED, cause="out of memory", tail=tail, out_of_memory=True)
    return TrialResult(state=TrialState.FAILED, cause=f"{type(error).__name__}: {text}", tail=tail)
