"""Agent of W&B sweeps: `wandb.agent` with Arena's training; before and after it, trials that dead agents left.

`wandb.agent` calls a function in a thread of its own, and stops a run by raising an exception in that thread, wherever it is.
So the thread only waits; another one trains, and ends between epochs.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sweeps.engines.protocol import Claim
from sweeps.errors import StudyError, SweepError
from sweeps.pool.agent_options import AgentOptions, AgentSignals, Say
from sweeps.study import control
from sweeps.study.control import Command
from sweeps.study.folder import StudyFolder, StudySpec
from sweeps.training.trial import Step, TrialResult, TrialState
from sweeps.wandb_sweeps.link import read_link, wandb_session
from sweeps.wandb_sweeps.trial import StopHooks, WandbStudy, read_params

_POLL_S = 0.05
_WATCH_S = 0.2


def run_wandb_agent(specs: Sequence[StudySpec], options: AgentOptions, signals: AgentSignals, say: Say) -> int:
    """Train the runs that W&B hands out, study by study, until they are done or a signal comes; return 0.

    Raises:
        StudyError: a study has no sweep at W&B, W&B is not reached, or trials fail one after another.
    """
    logging.getLogger("wandb").addHandler(logging.NullHandler())  # its tracebacks while W&B is down; the agent goes on
    for spec in specs:
        folder = StudyFolder(options.studies_dir / spec.name)
        study = WandbStudy(folder, read_link(folder), options.device, say)
        _Agent(study, options.max_failures, signals, say).run()
        if signals.signal:
            break
    return 0


class _Agent:
    def __init__(self, study: WandbStudy, max_failures: int, signals: AgentSignals, say: Say) -> None:
        self._study = study
        self._max_failures = max_failures
        self._signals = signals
        self._say = say
        self._is_stopped = threading.Event()  # W&B asks the running trial to end
        self._failures: list[TrialResult] = []  # in a row
        self._fatal: SweepError | None = None

    def run(self) -> None:
        self._train_abandoned()
        if not self._is_leaving():
            with wandb_session("the agent ended"):
                self._serve()
            self._train_abandoned()
        if self._fatal:
            raise self._fatal
        if self._has_too_many_failures():
            raise StudyError(
                f"{len(self._failures)} trials in a row failed, the last of {self._study.folder.name}: "
                f"{self._failures[-1].cause}; cure it and run the sweep again"
            )

    def _is_leaving(self) -> bool:
        command = control.read_command(self._study.folder)
        return bool(self._signals.signal or self._fatal) or self._has_too_many_failures() or command is not Command.RUN

    def _has_too_many_failures(self) -> bool:
        return len(self._failures) >= self._max_failures

    def _step(self) -> Step:
        if self._is_leaving():
            return Step.PAUSE
        return Step.PRUNE if self._is_stopped.is_set() else Step.CONTINUE

    def _stop_hooks(self) -> StopHooks:
        self._is_stopped.clear()
        return StopHooks(step=self._step, on_stop=self._is_stopped.set)

    def _train_abandoned(self) -> None:
        while not self._is_leaving() and isinstance(claim := self._study.engine.claim(), Claim):
            self._record(self._study.resume(claim, self._stop_hooks()))

    def _serve(self) -> None:
        import wandb

        with contextlib.suppress(KeyboardInterrupt), _Interrupter(self._is_leaving):
            link = self._study.link
            wandb.agent(link.sweep, function=self._wait, project=link.project, entity=link.entity)

    def _wait(self) -> None:
        """Wait while a run is trained; `wandb.agent` calls this, with the run in the environment."""
        is_over = threading.Event()  # is_alive and join, interrupted, may report a running thread as ended (Python 3.11)
        trainer = threading.Thread(target=self._train, args=(self._stop_hooks(), dict(os.environ), is_over))
        started = False
        while True:
            try:
                if not started:
                    started = True
                    trainer.start()
                while not is_over.is_set():
                    time.sleep(_POLL_S)
                return
            except Exception:  # raised by `wandb.agent` from outside: W&B stops this run
                self._is_stopped.set()

    def _train(self, hooks: StopHooks, environment: dict[str, str], is_over: threading.Event) -> None:
        try:
            params = read_params(Path(environment["WANDB_SWEEP_PARAM_PATH"]))
            result = self._study.train(params, environment["WANDB_RUN_ID"], hooks)
            if result:
                self._record(result)
        except SweepError as error:
            self._fatal = error
        finally:
            is_over.set()

    def _record(self, result: TrialResult) -> None:
        if result.state is not TrialState.FAILED:
            self._failures.clear()
            return
        self._failures.append(result)
        for line in result.tail:
            self._say(f"  {line}")
        self._say(f"study {self._study.folder.name}: a trial failed: {result.cause}")


class _Interrupter:
    """Context manager that interrupts `wandb.agent`, as Ctrl-C does, once `is_leaving` says so."""

    def __init__(self, is_leaving: Callable[[], bool]) -> None:
        self._is_leaving = is_leaving
        self._is_over = threading.Event()
        self._old_handler: Any = None

    def __enter__(self) -> None:
        self._old_handler = signal.signal(signal.SIGUSR1, signal.default_int_handler)
        threading.Thread(target=self._watch, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        signal.signal(signal.SIGUSR1, self._old_handler)

    def _watch(self) -> None:
        main = threading.main_thread().ident
        assert main
        while not self._is_over.wait(_WATCH_S):
            if self._is_leaving():
                signal.pthread_kill(main, signal.SIGUSR1)  # wakes `wandb.agent`, which waits, with a KeyboardInterrupt
                return
