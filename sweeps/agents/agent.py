"""Agent that claims trials of one or several studies and trains them until the budgets are reached."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import replace

from cnn.runs.folder import EpochRow
from sweeps.engines.protocol import Claim, Engine, Idle, record_result, report_epoch
from sweeps.errors import StudyError
from sweeps.pool.agent_options import OUT_OF_MEMORY, WAIT_S, AgentOptions, AgentSignals, Say
from sweeps.study import control
from sweeps.study.control import Command
from sweeps.study.folder import StudyFolder, StudySpec
from sweeps.sweepfile.metric import Goal
from sweeps.training import trial
from sweeps.training.trial import Step, Task, TrialContext, TrialHooks, TrialResult, TrialState

_COUNT_EVERY_S = 5.0


def make_context(spec: StudySpec, device: str) -> TrialContext:
    """Return the context of a study's trials on a device."""
    return TrialContext(bases=spec.bases, tiles=spec.tiles, runs=spec.runs, device=device, study=spec.name)


def sort_by_share(engines: Sequence[Engine]) -> list[Engine]:
    """Return the engines by the share of their budgets that is done or in work, the smallest first."""
    return sorted(engines, key=lambda engine: engine.share())


class Agent:
    """Agent that trains one trial at a time."""

    def __init__(self, engines: Sequence[Engine], options: AgentOptions, signals: AgentSignals, say: Say) -> None:
        self._engines = list(engines)
        self._options = options
        self._signals = signals
        self._say = say
        self._n_failures = 0
        self._n_trained = 0
        self._paused: set[str] = set()
        self._exit_code = 0
        self._counted_at = time.monotonic()

    def run(self) -> int:
        """Train until nothing is left; return the exit code."""
        while self._engines and not self._signals.signal and not self._exit_code:
            pair = self._claim()
            if pair:
                self._train(*pair)
            elif self._engines:
                time.sleep(WAIT_S)
        return self._exit_code

    def _read_command(self, engine: Engine) -> Command:
        return control.read_command(StudyFolder(self._options.studies_dir / engine.spec.name))

    def _running_engines(self) -> list[Engine]:
        """Return the engines of studies that are not paused; forget those of stopped ones."""
        commands = [(engine, self._read_command(engine)) for engine in self._engines]
        for engine, command in commands:
            name = engine.spec.name
            if command is Command.STOP:
                self._engines.remove(engine)
                self._say(f"study {name} is stopped; `arena sweep resume {name}` undoes it")
            elif command is Command.PAUSE:
                engine.rest()
                if name in self._paused:
                    continue
                self._say(f"study {name} is paused; `arena sweep resume {name}` lets it go on")
        self._paused = {engine.spec.name for engine, command in commands if command is Command.PAUSE}
        return [engine for engine, command in commands if command is Command.RUN]

    def _claim(self) -> tuple[Engine, Claim] | None:
        """Claim a trial of the study with the smallest share; forget engines of studies that are done."""
        for engine in sort_by_share(self._running_engines()):
            claim = engine.claim()
            if isinstance(claim, Claim):
                return engine, claim
            if claim is Idle.WAIT:
                continue
            self._engines.remove(engine)
            if claim is Idle.ENDED:
                self._say(f"study {engine.spec.name} ends: {engine.end}")
            elif claim is Idle.EXHAUSTED:
                self._say(f"study {engine.spec.name}: every point of its space has been tried, before its budget was reached")
            elif not self._n_trained:
                self._say(f"study {engine.spec.name}: its {engine.spec.budget} trials are done; nothing is left to train")
        return None

    def _train(self, engine: Engine, claim: Claim) -> None:
        result = trial.run_trial(self._context(engine), self._task(engine, claim), self._hooks(engine, claim))
        self._finish(engine, claim, result)

    def _context(self, engine: Engine) -> TrialContext:
        return dataclasses.replace(make_context(engine.spec, self._options.device), wandb=self._options.wandb)

    def _task(self, engine: Engine, claim: Claim) -> Task:
        sweep = engine.spec.sweep
        return Task(number=claim.number, params=claim.params, metric=sweep.metric, is_maximized=sweep.goal is Goal.MAXIMIZE)

    def _hooks(self, engine: Engine, claim: Claim) -> TrialHooks:
        def decide(step: Step) -> Step:
            self._count_work()
            must_end = bool(self._signals.signal) or self._read_command(engine) is not Command.RUN
            return Step.PAUSE if must_end and step is Step.CONTINUE else step

        def on_epoch(row: EpochRow) -> Step:
            return decide(report_epoch(engine, claim, row))

        return TrialHooks(on_epoch=on_epoch, on_training=lambda number, value: decide(engine.report(claim, number, value)))

    def _count_work(self) -> None:
        """Add this agent's time to the hours of its studies now and then, so that a kill loses little of it."""
        if time.monotonic() - self._counted_at >= _COUNT_EVERY_S:
            self._counted_at = time.monotonic()
            for engine in self._engines:
                if engine.spec.name not in self._paused:
                    engine.count_work()

    def _finish(self, engine: Engine, claim: Claim, result: TrialResult) -> None:
        """Record the result of a trial, or leave with it if memory ran out beside other agents."""
        self._n_trained += 1
        if result.out_of_memory and not self._signals.is_alone:
            engine.release(claim)
            self._exit_code = OUT_OF_MEMORY  # the pool tries it again with fewer agents on the device
            return
        if result.out_of_memory:
            result = replace(result, cause="out of memory, alone on the device: this point is not tried again")
        record_result(engine, claim, result, self._say)
        if result.state is not TrialState.PAUSED:
            self._count_failures(engine, claim, result)

    def _count_failures(self, engine: Engine, claim: Claim, result: TrialResult) -> None:
        if result.state is not TrialState.FAILED:
            self._n_failures = 0
            return
        self._n_failures += 1
        for line in result.tail:
            self._say(f"  {line}")
        self._say(f"study {engine.spec.name}: trial {claim.number} failed: {result.cause}")
        if self._n_failures >= self._options.max_failures:
            name, n = engine.spec.name, self._n_failures
            fault = f"{n} trials in a row failed, the last of {name}" if n > 1 else f"a trial of {name} failed"
            raise StudyError(f"{fault}: {result.cause}; cure it and run the sweep again")
