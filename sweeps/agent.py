"""An agent: claims trials of one or several studies, fairly, and trains them until the budgets are reached."""

from __future__ import annotations

import functools
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from cnn.runs import EpochRow
from sweeps import trial
from sweeps.engine import Claim, Engine, Idle
from sweeps.errors import StudyError
from sweeps.study import StudyFolder
from sweeps.trial import Step, Task, TrialResult, TrialState, Workplace

MAX_FAILURES = 3  # in a row: something is wrong that the next trial will not cure
_WAIT_S = 0.5
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Say = Callable[[str], None]


@dataclass(slots=True)
class Stop:
    """Asked once by a signal, the agent ends after the next epoch; asked twice, at once. Neither needs repair."""

    signal: int = 0

    def install(self) -> None:
        for number in _SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a shell's background job
                signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.signal:
            os._exit(128 + number)
        self.signal = number

    def with_parent(self) -> None:
        """End also when standard input ends: whoever started this agent is gone."""

        def watch() -> None:
            while os.read(0, 1):  # not sys.stdin: its lock would be held when the interpreter ends
                pass
            self.signal = self.signal or signal.SIGTERM

        threading.Thread(target=watch, daemon=True).start()


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What an agent is to do."""

    studies_dir: Path
    names: tuple[str, ...]
    device: str = "auto"
    stop: Stop = field(default_factory=Stop)


def work(order: Order, say: Say) -> int:
    """Train until every budget is reached or a signal asks to stop; the exit code.

    Raises:
        StudyError: a study is missing or damaged, or trials fail one after another.
        CnnError: the device or the tiles are not here.
    """
    engines = _engines(order, say)
    for place in {_key(place): place for place in (_place(engine, order.device) for engine in engines)}.values():
        trial.check_place(place)
    _Agent(engines, order, say).run()
    return 128 + order.stop.signal if order.stop.signal else 0


def _engines(order: Order, say: Say) -> list[Engine]:
    from sweeps.optuna_engine import OptunaEngine

    agent = f"{socket.gethostname()}-{os.getpid()}"
    engines: list[Engine] = []
    for name in order.names:
        folder = StudyFolder(order.studies_dir / name)
        base = folder.spec().base
        engines.append(OptunaEngine(folder, agent, functools.partial(trial.point_of, base), say))
    return engines


def _place(engine: Engine, device: str) -> Workplace:
    spec = engine.spec
    return Workplace(base=spec.base, tiles=spec.tiles, runs=spec.runs, device=device, study=spec.name)


def _key(place: Workplace) -> tuple[Path, str]:
    return place.tiles, place.device


class _Agent:
    def __init__(self, engines: Sequence[Engine], order: Order, say: Say) -> None:
        self._engines = list(engines)
        self._order = order
        self._say = say
        self._n_failures = 0
        self._n_trained = 0

    def run(self) -> None:
        while self._engines and not self._order.stop.signal:
            found = self._claim()
            if found:
                self._train(*found)
            elif self._engines:
                time.sleep(_WAIT_S)

    def _claim(self) -> tuple[Engine, Claim] | None:
        """From the study with the smallest share of its budget done or in work; studies that are done drop out."""
        for engine in sorted(self._engines, key=lambda engine: engine.share()):
            claim = engine.claim()
            if isinstance(claim, Claim):
                return engine, claim
            if claim is Idle.WAIT:
                continue
            self._engines.remove(engine)
            if claim is Idle.EXHAUSTED:
                self._say(f"study {engine.spec.name}: every point of its space has been tried, before its budget was reached")
            elif not self._n_trained:
                self._say(f"study {engine.spec.name}: its {engine.spec.budget} trials are done; nothing is left to train")
        return None

    def _train(self, engine: Engine, claim: Claim) -> None:
        metric = engine.spec.sweep.metric

        def listen(row: EpochRow) -> Step:
            step = engine.report(claim, row.epoch, float(getattr(row, metric)))
            return Step.PAUSE if self._order.stop.signal and step is Step.CONTINUE else step

        self._n_trained += 1
        task = Task(number=claim.number, params=claim.params, metric=metric)
        result = trial.run_trial(_place(engine, self._order.device), task, listen)
        if result.state is TrialState.PAUSED:
            engine.release(claim)
            return
        if not engine.finish(claim, result):
            self._say(f"study {engine.spec.name}: trial {claim.number} was taken over by another agent; this result is dropped")
        self._count_failures(engine, claim, result)

    def _count_failures(self, engine: Engine, claim: Claim, result: TrialResult) -> None:
        if result.state is not TrialState.FAILED:
            self._n_failures = 0
            return
        self._n_failures += 1
        for line in result.tail:
            self._say(f"  {line}")
        self._say(f"study {engine.spec.name}: trial {claim.number} failed: {result.cause}")
        if self._n_failures >= MAX_FAILURES:
            raise StudyError(
                f"{MAX_FAILURES} trials in a row failed, the last of {engine.spec.name}: {result.cause}; "
                "cure it and run the sweep again"
            )
