"""Trials of a W&B sweep: train, resume or answer the point of a run, for W&B and for the study."""

from __future__ import annotations

import functools
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cnn.runs.folder import EpochRow, RunFolder, RunState
from sweeps.engines.protocol import Claim, record_result, report_epoch
from sweeps.errors import StudyError
from sweeps.pool.agent_options import Say
from sweeps.study.folder import StudyFolder
from sweeps.sweepfile.sweep import Goal
from sweeps.training import configuration, trial, wandb_runs
from sweeps.training.trial import Step, Task, TrialContext, TrialHooks, TrialResult
from sweeps.wandb_sweeps.engine import WandbEngine
from sweeps.wandb_sweeps.link import SweepLink


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
        self.engine = WandbEngine(folder, agent, functools.partial(configuration.make_point, folder.read_spec().bases), say)
        spec = self.engine.spec
        self.context = TrialContext(bases=spec.bases, tiles=spec.tiles, runs=spec.runs, device=device, study=spec.name)

    def train(self, params: Mapping[str, object], run: str, hooks: StopHooks) -> TrialResult | None:
        """Train W&B's run `run`; return None where another run folder answered its point.

        Raises:
            StudyError: the point lies outside of the sweep file's space, or cannot be trained.
        """
        claim = self.engine.adopt(params)
        if isinstance(claim, str):
            self._answer(self._run(claim), run)
            return None
        return self._train(claim, run, hooks)

    def resume(self, claim: Claim, hooks: StopHooks) -> TrialResult:
        """Train a trial that another agent left, in the run at W&B that it had."""
        return self._train(claim, wandb_runs.find_wandb_run(self._run(claim.run)) or claim.run, hooks)

    def _train(self, claim: Claim, run: str, hooks: StopHooks) -> TrialResult:
        metric = self.engine.spec.sweep.metric

        def listen(row: EpochRow) -> Step:
            step = report_epoch(self.engine, claim, row)
            return hooks.step() if step is Step.CONTINUE else step

        def on_training(number: int, value: float) -> Step:
            step = self.engine.report(claim, number, value)
            return hooks.step() if step is Step.CONTINUE else step

        if self._run(claim.run).state() is RunState.FINISHED:  # trained before, outside this study
            self._answer(self._run(claim.run), run)
        context = replace(self.context, copy=self._destination(run, hooks.on_stop))
        task = Task(
            number=claim.number, params=claim.params, metric=metric, is_maximized=self.engine.spec.sweep.goal is Goal.MAXIMIZE
        )
        result = trial.run_trial(context, task, TrialHooks(on_epoch=listen, on_training=on_training))
        record_result(self.engine, claim, result, self._say)
        return result

    def _answer(self, folder: RunFolder, run: str) -> None:
        try:
            wandb_runs.replay_run(folder, self._destination(run, lambda: None))
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
