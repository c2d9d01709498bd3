"""An agent of W&B sweeps: `wandb.agent` with Arena's training, and before and after it whatever dead agents left.

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
from sweeps.pool.agent_options import AgentOptions, Say, Stop
from sweeps.study import control
from sweeps.study.control import Wish
from sweeps.study.folder import StudyFolder, StudySpec
from sweeps.training.trial import Step, TrialResult, TrialState
from sweeps.wandb_sweeps.link import asked, link_of
from sweeps.wandb_sweeps.trial import Asker, WandbStudy, given_params

_GLANCE_S = 0.05
_WATCH_S = 0.2


def work(specs: Sequence[StudySpec], options: AgentOptions, stop: Stop, say: Say) -> int:
    """Train what W&B hands out, one study after another, until each sweep is over or a signal asks to stop; the exit code.

    Raises:
        StudyError: a study has no sweep at W&B, W&B is not reached, or trials fail one after another.
    """
    logging.getLogger("wandb").addHandler(logging.NullHandler())  # its tracebacks while W&B is down; the agent goes on
    for spec in specs:
        folder = StudyFolder(options.studies_dir / spec.name)
        study = WandbStudy(folder, link_of(folder), options.device, say)
        _Agent(study, options.max_failures, stop, say).run()
        if stop.signal:
            break
    return 0


class _Agent:
    def __init__(self, study: WandbStudy, max_failures: int, stop: Stop, say: Say) -> None:
        self._study = study
        self._max_failures = max_failures
        self._stop = stop
        self._say = say
        self._stopped = threading.Event()  # W&B wants the running trial to end
        self._failures: list[TrialResult] = []  # in a row
        self._fatal: SweepError | None = None

    def run(self) -> None:
        self._take_over()
        if not self._is_leaving():
            with asked("the agent ended"):
                self._serve()
            self._take_over()
        if self._fatal:
            raise self._fatal
        if self._has_failed_enough():
            raise StudyError(
                f"{len(self._failures)} trials in a row failed, the last of {self._study.folder.name}: "
                f"{self._failures[-1].cause}; cure it and run the sweep again"
            )

    def _is_leaving(self) -> bool:
        wish = control.wish_of(self._study.folder)
        return bool(self._stop.signal or self._fatal) or self._has_failed_enough() or wish is not Wish.RUN

    def _has_failed_enough(self) -> bool:
        return len(self._failures) >= self._max_failures

    def _step(self) -> Step:
        if self._is_leaving():
            return Step.PAUSE
        return Step.PRUNE if self._stopped.is_set() else Step.CONTINUE

    def _asker(self) -> Asker:
        self._stopped.clear()
        return Asker(step=self._step, on_stop=self._stopped.set)

    def _take_over(self) -> None:
        while not self._is_leaving() and isinstance(claim := self._study.engine.claim(), Claim):
            self._note(self._study.go_on(claim, self._asker()))

    def _serve(self) -> None:
        import wandb

        with contextlib.suppress(KeyboardInterrupt), _Leaving(self._is_leaving):
            link = self._study.link
            wandb.agent(link.sweep, function=self._wait, project=link.project, entity=link.entity)

    def _wait(self) -> None:
        """What `wandb.agent` calls, with the run in the environment."""
        over = threading.Event()  # not is_alive and not join: interrupted, they call a thread ended that is not (Python 3.11)
        trainer = threading.Thread(target=self._train, args=(self._asker(), dict(os.environ), over))
        started = False
        while True:
            try:
                if not started:
                    started = True
                    trainer.start()
                while not over.is_set():
                    time.sleep(_GLANCE_S)
                return
            except Exception:  # raised by `wandb.agent` from outside: W&B stops this run
                self._stopped.set()

    def _train(self, asker: Asker, environment: dict[str, str], over: threading.Event) -> None:
        try:
            params = given_params(Path(environment["WANDB_SWEEP_PARAM_PATH"]))
            result = self._study.train(params, environment["WANDB_RUN_ID"], asker)
            if result:
                self._note(result)
        except SweepError as error:
            self._fatal = error
        finally:
            over.set()

    def _note(self, result: TrialResult) -> None:
        if result.state is not TrialState.FAILED:
            self._failures.clear()
            return
        self._failures.append(result)
        for line in result.tail:
            self._say(f"  {line}")
        self._say(f"study {self._study.folder.name}: a trial failed: {result.cause}")


class _Leaving:
    """Makes `wandb.agent` end, as Ctrl-C does, once it is time to leave."""

    def __init__(self, is_leaving: Callable[[], bool]) -> None:
        self._is_leaving = is_leaving
        self._over = threading.Event()
        self._before: Any = None  # handler of the signal

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGUSR1, signal.default_int_handler)
        threading.Thread(target=self._watch, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        signal.signal(signal.SIGUSR1, self._before)

    def _watch(self) -> None:
        main = threading.main_thread().ident
        assert main
        while not self._over.wait(_WATCH_S):
            if self._is_leaving():
                signal.pthread_kill(main, signal.SIGUSR1)  # wakes `wandb.agent`, which waits, with a KeyboardInterrupt
                return
