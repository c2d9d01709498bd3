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

from arena.base.locks import try_lock
from sweeps.engines.protocol import Claim, Idle
from sweeps.errors import StudyError, SweepError
from sweeps.pool.agent_options import WAIT_S, AgentOptions, AgentSignals, Say
from sweeps.study import control
from sweeps.study.control import Command
from sweeps.study.folder import StudyFolder, StudySpec
from sweeps.sweepfile.sweep import Method
from sweeps.training.trial import Step, TrialResult, TrialState
from sweeps.wandb_sweeps.engine import Room
from sweeps.wandb_sweeps.link import finish_sweep, read_link, wandb_session
from sweeps.wandb_sweeps.trial import StopHooks, WandbStudy, read_params

_POLL_S = 0.05
_WATCH_S = 0.2
_MAX_REPEATS = 25  # points in a row that were trained before, as of a small space that W&B's search has exhausted


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
        self._turn = _Turn(study.folder)
        self._leave = threading.Event()  # `wandb.agent`, for the study goes on without it
        self._interrupter = _Interrupter(self._leave, self._is_leaving)
        self._n_repeats = 0  # in a row
        self._has_trained = False
        self._failures: list[TrialResult] = []  # in a row
        self._fatal: SweepError | None = None

    def run(self) -> None:
        while not self._is_leaving() and (room := self._study.engine.find_room()) is not Room.NONE:
            if room is Room.OLD and isinstance(claim := self._study.engine.claim(), Claim):
                self._record(self._study.resume(claim, self._stop_hooks()))
            elif room is Room.NEW and self._ask() is Room.NONE:
                break
            elif room is Room.LATER:
                time.sleep(WAIT_S)
        if self._fatal:
            raise self._fatal
        if self._has_too_many_failures():
            raise StudyError(
                f"{len(self._failures)} trials in a row failed, the last of {self._study.folder.name}: "
                f"{self._failures[-1].cause}; cure it and run the sweep again"
            )
        if self._has_trained and self._study.engine.find_room() is Room.NONE:
            finish_sweep(self._study.link)

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

    def _ask(self) -> Room:
        """Train what W&B hands out until the study goes on without it; return NONE where W&B has no more."""
        import wandb

        if not self._take_turn():
            return Room.LATER
        self._leave.clear()
        link, name = self._study.link, self._study.folder.name
        self._interrupter = _Interrupter(self._leave, self._is_leaving)
        with self._turn, wandb_session("the agent ended"), contextlib.suppress(KeyboardInterrupt), self._interrupter:
            wandb.agent(link.sweep, function=self._wait, project=link.project, entity=link.entity)
        if self._n_repeats >= _MAX_REPEATS:
            self._say(f"study {name}: the last {_MAX_REPEATS} points of W&B were trained before, so the search ends here")
        elif self._must_go():
            return Room.LATER
        else:
            self._say(f"study {name}: W&B hands out no more runs; its sweep is at {link.url}")
        return Room.NONE

    def _must_go(self) -> bool:
        return self._leave.is_set() or self._is_leaving()

    def _take_turn(self) -> bool:
        """Wait until this agent may ask W&B for a point; return False where there is something else to do."""
        while not self._is_leaving() and self._n_repeats < _MAX_REPEATS:
            if self._turn.take():
                if (room := self._study.engine.find_room()) is Room.NEW:
                    return True
                self._turn.pass_on()
                if room is not Room.LATER:
                    return False
            time.sleep(_WATCH_S)
        return False

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
                # W&B hands out the next run as soon as this returns, unless it was interrupted before.
                while not is_over.is_set() or (self._must_go() and not self._interrupter.has_fired):
                    time.sleep(_POLL_S)
                return
            except Exception:  # raised by `wandb.agent` from outside: W&B stops this run, and would hand out the next one
                self._is_stopped.set()
                self._leave.set()

    def _train(self, hooks: StopHooks, environment: dict[str, str], is_over: threading.Event) -> None:
        try:
            claim = self._adopt(read_params(Path(environment["WANDB_SWEEP_PARAM_PATH"])), environment["WANDB_RUN_ID"])
            self._turn.pass_on()
            if isinstance(claim, Claim):
                self._record(self._study.train(claim, environment["WANDB_RUN_ID"], hooks))
            if not self._leave.is_set() and not self._take_turn():
                self._leave.set()
        except SweepError as error:
            self._fatal = error
        finally:
            is_over.set()

    def _adopt(self, params: dict[str, object], run: str) -> Claim | Idle | None:
        """Claim a run's point, once the budget has room for it."""
        while (claim := self._study.adopt(params, run)) is Idle.WAIT and not self._is_leaving():
            time.sleep(WAIT_S)
        is_repeat = claim is None and self._study.engine.spec.sweep.method is not Method.GRID  # a grid ends by itself
        self._n_repeats = self._n_repeats + 1 if is_repeat else 0
        return claim

    def _record(self, result: TrialResult) -> None:
        self._has_trained = True
        if result.state is not TrialState.FAILED:
            self._failures.clear()
            return
        self._failures.append(result)
        for line in result.tail:
            self._say(f"  {line}")
        self._say(f"study {self._study.folder.name}: a trial failed: {result.cause}")


class _Turn:
    """The turn of one agent of a study to ask W&B for a point: no two ask for the last one. A lock, so that it ends with it."""

    def __init__(self, folder: StudyFolder) -> None:
        self._path = folder.path / ".turn"
        self._stack = contextlib.ExitStack()
        self._is_mine = False

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        self.pass_on()

    def take(self) -> bool:
        """Take the turn if no other agent has it; return True where this one has it."""
        if not self._is_mine:
            self._is_mine = self._stack.enter_context(try_lock(self._path))
            if not self._is_mine:
                self._stack.close()
        return self._is_mine

    def pass_on(self) -> None:
        self._stack.close()
        self._is_mine = False


class _Interrupter:
    """Context manager that interrupts `wandb.agent`, as Ctrl-C does, once `leave` is set or `is_leaving` says so."""

    def __init__(self, leave: threading.Event, is_leaving: Callable[[], bool]) -> None:
        self._leave = leave
        self._is_leaving = is_leaving
        self._is_over = False
        self.has_fired = False
        self._old_handler: Any = None

    def __enter__(self) -> None:
        self._old_handler = signal.signal(signal.SIGUSR1, signal.default_int_handler)
        threading.Thread(target=self._watch, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        signal.signal(signal.SIGUSR1, self._old_handler)

    def _watch(self) -> None:
        main = threading.main_thread().ident
        assert main
        while not (self._leave.wait(_WATCH_S) or self._is_leaving()):
            if self._is_over:
                return
        if not self._is_over:
            signal.pthread_kill(main, signal.SIGUSR1)  # wakes `wandb.agent`, which waits, with a KeyboardInterrupt
            self.has_fired = True
