"""Trials of a W&B sweep: train, resume or answer the point of a run, for W&B and for the study."""

from __future__ import annotations

import functools
import math
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cnn.runs.folder import EpochRow, RunFolder, RunState
from sweeps.engines.bands import is_weak
from sweeps.engines.protocol import Claim, Idle, record_result, report_epoch
from sweeps.errors import StudyError
from sweeps.pool.agent_options import Say
from sweeps.results import read_outline
from sweeps.study.folder import StudyFolder
from sweeps.sweepfile.metric import Goal
from sweeps.training import configuration, trial, wandb_runs
from sweeps.training.trial import Step, Task, TrialContext, TrialHooks, TrialResult, TrialState
from sweeps.training.wandb_trainings import TrainingsRun
from sweeps.wandb_sweeps.engine import WandbEngine
from sweeps.wandb_sweeps.link import SweepLink, read_histories


@dataclass(frozen=True, kw_only=True, slots=True)
class StopHooks:
    """Hooks that may end a trial."""

    step: Callable[[], Step]  # called after every epoch
    on_stop: Callable[[], None]  # called when Stop is pressed in W&B


class WandbStudy:
    """A study with a sweep at W&B, for one agent."""

    def __init__(self, folder: StudyFolder, link: SweepLink, device: str, say: Say) -> None:
        self.folder = folder
        self.link = link
        self._say = say
        agent = f"{socket.gethostname()}-{os.getpid()}"
        identify = functools.partial(configuration.make_point, folder.read_spec().bases)
        self.engine = WandbEngine(folder, agent, identify, say, follows=link.follows)
        spec = self.engine.spec
        self.context = TrialContext(bases=spec.bases, tiles=spec.tiles, runs=spec.runs, device=device, study=spec.name)

    def adopt(self, params: Mapping[str, object], run: str) -> Claim | Idle | None:
        """Claim the point of W&B's run `run`; None where another run folder answered it, Idle where the budget has no room.

        Raises:
            StudyError: the point lies outside of the sweep file's space, or cannot be trained.
        """
        claim = self.engine.adopt(params, run)
        if isinstance(claim, str):
            self._answer(claim, run)
            return None
        return claim

    def resume(self, claim: Claim, hooks: StopHooks) -> TrialResult:
        """Train a trial that another agent left, in the run at W&B that it had."""
        if self._has_several_trainings:  # whose run at W&B is none of their own
            return self.train(claim, self.engine.find_wandb_run(claim) or claim.run, hooks)
        return self.train(claim, wandb_runs.find_wandb_run(self._run(claim.run)) or claim.run, hooks)

    def train(self, claim: Claim, run: str, hooks: StopHooks) -> TrialResult:
        """Train a claimed trial in W&B's run `run`."""
        context = replace(self.context, copy=self._destination(run, hooks.on_stop))
        task = self._task(claim.number, claim.params)

        def decide(step: Step) -> Step:
            return hooks.step() if step is Step.CONTINUE else step

        def on_epoch(row: EpochRow) -> Step:
            return decide(report_epoch(self.engine, claim, row))

        def on_training(number: int, value: float) -> Step:
            if copy:
                copy.send(number, value)
            return decide(self.engine.report(claim, number, value))

        copy = TrainingsRun(context, task, self._say) if self._has_several_trainings else None
        if copy is None and self._run(claim.run).state() is RunState.FINISHED:  # trained before, outside this study
            self._answer(claim.run, run)
        result = TrialResult(state=TrialState.PAUSED)
        try:
            trial_hooks = TrialHooks(on_epoch=on_epoch, on_training=on_training)
            result = trial.run_trial(self.context if copy else context, task, trial_hooks)
        finally:
            if copy:
                copy.finish(result)
        record_result(self.engine, claim, result, self._say)
        return result

    @property
    def _has_several_trainings(self) -> bool:
        return self.engine.spec.settings.n_trainings > 1

    def _task(self, number: int, params: Mapping[str, object]) -> Task:
        sweep = self.engine.spec.sweep
        return Task(number=number, params=params, metric=sweep.metric, is_maximized=sweep.goal is Goal.MAXIMIZE)

    def is_weak(self, claim: Claim, run: str) -> bool:
        """Tell whether W&B's early stopping ends the trial in run `run`, by what W&B knows of the sweep's other runs."""
        sweep, path = self.engine.spec.sweep, self.link.path
        values = [float(getattr(row, sweep.metric)) for row in self._run(claim.run).epochs()]
        rule = sweep.early_terminate
        if rule is None or len(values) < rule.bands[0]:
            return False
        try:
            histories = read_histories(path, sweep.metric)
            histories.pop(run, None)
        except Exception:  # wandb raises many kinds; a paused trial loses nothing
            return False
        sign = -1 if sweep.goal is Goal.MAXIMIZE else 1
        curves = [[sign * value for value in history if math.isfinite(value)] for history in (values, *histories.values())]
        return is_weak(curves[0], curves, rule)

    def _answer(self, digest: str, run: str) -> None:
        target = self._destination(run, lambda: None)
        if self._has_several_trainings:
            trials = read_outline(self.folder.path.parent, self.folder.name).trials
            twin = [facts for facts in trials if facts.run == digest and facts.state != "duplicate"][-1]
            copy = TrainingsRun(replace(self.context, copy=target), self._task(twin.number, twin.params), self._say)
            state = TrialState(twin.state) if twin.state in ("finished", "pruned", "failed") else TrialState.PAUSED
            copy.finish(TrialResult(state=state, epochs=twin.epochs, cause=twin.cause))
            return
        try:
            wandb_runs.replay_run(self._run(digest), target)
        except StudyError as error:  # W&B lacks a curve that the run folder has
            self._say(str(error))

    def _destination(self, run: str, on_stop: Callable[[], None]) -> wandb_runs.Target:
        return wandb_runs.make_destination((self.link.entity, self.link.project, run), self.folder.name, on_stop)

    def _run(self, digest: str) -> RunFolder:
        return RunFolder(self.context.runs / digest)


def read_params(file: Path) -> dict[str, object]:
    """Read the parameters of a run from the file that `wandb.agent` hands to `wandb.init`."""
    import yaml

    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {name: entry["value"] for name, entry in content.items() if isinstance(entry, dict) and "value" in entry}
