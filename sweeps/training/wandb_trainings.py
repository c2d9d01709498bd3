"""Run at W&B of a trial of several trainings in W&B's own sweep."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from cnn.runs.folder import RunFolder
from sweeps.training.trial import Task, TrialResult, TrialState

if TYPE_CHECKING:
    from sweeps.training.trial import TrialContext


class TrainingsRun:
    """A run at W&B with a row for each training, which holds its score and the mean until then.

    The metric itself is there once, in the end: W&B reads a run by its best row. An error of W&B ends the copy alone.
    """

    def __init__(self, context: TrialContext, task: Task, say: Callable[[str], None]) -> None:
        """Begin or resume the run at `context.copy` of a trial; a failure is said once."""
        self._name = f"{context.study}.{task.number}"
        self._metric = task.metric
        self._say = say
        self._values: dict[int, float] = {}  # by number of the training, from 1
        self._files = tempfile.TemporaryDirectory(prefix="arena-wandb-")
        self._run: Any = None
        self._attempt(lambda: self._start(context, task))

    def _start(self, context: TrialContext, task: Task) -> None:
        from cnn.runs.wandb_client import start_run

        target, config = context.copy, context.configure(task.params)
        assert target is not None
        named = replace(target, name=context.name_run(task, config))
        copy = named.make_copy(RunFolder(context.runs / config.digest), config, "online")
        self._run = start_run(copy, config, Path(self._files.name), target.on_stop, axis="training")

    def send(self, number: int, value: float) -> None:
        """Send the score of a training, unless W&B has it from before a kill."""
        row = self._add(number, value)
        self._attempt(lambda: self._log(number, row))

    def finish(self, result: TrialResult) -> None:
        """Send the rest of the trial's result and close the run; that of a paused trial goes on later."""
        self._attempt(lambda: self._close(result))
        self._files.cleanup()

    def _add(self, number: int, value: float) -> dict[str, float]:
        self._values[number] = value
        mean = fmean(self._values.values())
        return {"training": number, f"training/{self._metric}": value, f"mean/{self._metric}": mean}

    def _log(self, number: int, row: dict[str, float]) -> None:
        if self._run is not None and number >= self._run.step:
            self._run.log(row, step=number, commit=True)

    def _close(self, result: TrialResult) -> None:
        run, metric, is_over = self._run, self._metric, result.state in (TrialState.FINISHED, TrialState.PRUNED)
        if run is None:
            return
        for number in sorted(result.epochs.keys() - self._values.keys()):
            row = self._add(number, result.epochs[number])
            is_last = is_over and number == max(result.epochs)
            self._log(number, {**row, metric: row[f"mean/{metric}"]} if is_last else row)
        if result.state is TrialState.PAUSED:
            run.mark_preempting()
        else:
            run.summary.update({"state": result.state.value, **({"cause": result.cause} if result.cause else {})})
        run.summary.update({f"training_{number}/{metric}": value for number, value in result.epochs.items()})
        if is_over:
            run.summary.update({metric: fmean(result.epochs.values())})
        if result.state in (TrialState.PRUNED, TrialState.FAILED):
            run.tags = (*run.tags, result.state.value)
        run.finish(exit_code=0 if is_over else 1)

    def _attempt(self, action: Callable[[], object]) -> None:
        from cnn.runs.wandb_client import format_error

        try:
            action()
        except Exception as error:  # wandb raises many kinds, and none of them ends a training
            self._run = None
            self._say(f"W&B gets no more of trial {self._name}: {format_error(error)}")
