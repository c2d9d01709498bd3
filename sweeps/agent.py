"""An agent: claims trials of one or several studies, fairly, and trains them until the budgets are reached."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType

from cnn.runs import EpochRow
from sweeps import control, trial
from sweeps.control import Wish
from sweeps.engine import Claim, Engine, Idle
from sweeps.errors import StudyError
from sweeps.study import StudyFolder, StudySpec
from sweeps.trial import Step, Task, TrialResult, TrialState, Workplace

ALONE, AUTO = 1, 0  # trials fused: none; as many as suit the device
MAX_FAILURES = 3  # in a row: something is wrong that the next trial will not cure
OUT_OF_MEMORY, SMOKE_FAILED = 75, 76  # exit codes by which a pool knows what to do
WAIT_S = 0.5
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_NOTICES = (signal.SIGUSR1, signal.SIGUSR2)  # what a cluster sends ahead of time; a second one is the same notice

Say = Callable[[str], None]


@dataclass(slots=True)
class Stop:
    """Asked once by a signal, the agent ends after the next epoch; asked twice, at once. Neither needs repair."""

    signal: int = 0
    begin: threading.Event = field(default_factory=threading.Event)  # the pool says go
    alone: bool = True  # no other agent of the pool is on this device

    def install(self) -> None:
        for number in (*_SIGNALS, *_NOTICES):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, or a shell's background job
                signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.signal and number not in _NOTICES:
            os._exit(128 + number)
        self.signal = number

    def with_parent(self) -> None:
        """Hear what the pool says on standard input, and end when it ends: whoever started this agent is gone."""

        def watch() -> None:
            heard = b""
            while said := os.read(0, 64):  # not sys.stdin: its lock would be held when the interpreter ends
                heard += said
                *words, heard = heard.split(b"\n")
                if b"go" in words:
                    self.begin.set()
                if b"alone" in words:
                    self.alone = True
            self.signal = self.signal or signal.SIGTERM

        threading.Thread(target=watch, daemon=True).start()


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What an agent is to do."""

    studies_dir: Path
    names: tuple[str, ...]
    device: str = "auto"
    max_failures: int = MAX_FAILURES  # in a row
    smoke: bool = False  # try one batch before the first trial
    wandb: str = "off"  # mode of the mirror
    fuse: int = ALONE  # trials to train as one net, or AUTO
    ready: int | None = None  # a file descriptor: the pool waits there for a dot, and this agent then for its word
    stop: Stop = field(default_factory=Stop)


def work(order: Order, say: Say) -> int:
    """Train until every budget is reached or a signal asks to stop; the exit code.

    Raises:
        StudyError: a study is missing or damaged, or trials fail one after another.
        CnnError: the device or the tiles are not here.
    """
    specs = [StudyFolder(order.studies_dir / name).spec() for name in order.names]
    for place in {spec.tiles: place_of(spec, order.device) for spec in specs}.values():
        trial.check_place(place)
    if order.smoke:
        from sweeps import smoke

        try:
            smoke.try_studies(specs, order.device, lambda: bool(order.stop.signal))
        except StudyError as error:
            say(f"error: {error}")
            return SMOKE_FAILED
    if order.ready is not None:
        _await_word(order.ready, order.stop)
    code = 0 if order.stop.signal else _work_on(specs, order, say)
    return 128 + order.stop.signal if order.stop.signal else code


def _work_on(specs: Sequence[StudySpec], order: Order, say: Say) -> int:
    at_wandb = [spec for spec in specs if spec.engine == "wandb"]
    if not at_wandb:
        if order.fuse != ALONE:
            from sweeps.fused_agent import FusedAgent

            return FusedAgent(_engines(order, say), order, say).run()
        return Agent(_engines(order, say), order, say).run()
    if len(at_wandb) < len(specs):
        raise StudyError(f"study {at_wandb[0].name} is W&B's and another is Optuna's; start an agent for each")
    from sweeps import wandb_agent

    return wandb_agent.work(specs, order, say)


def _await_word(ready: int, stop: Stop) -> None:
    import sweeps.optuna_engine  # noqa: F401 - meanwhile

    with contextlib.suppress(BrokenPipeError):
        os.write(ready, b".")
    os.close(ready)
    while not stop.begin.wait(0.05) and not stop.signal:
        pass


def _engines(order: Order, say: Say) -> list[Engine]:
    from sweeps.optuna_engine import OptunaEngine

    agent = f"{socket.gethostname()}-{os.getpid()}"
    engines: list[Engine] = []
    for name in order.names:
        folder = StudyFolder(order.studies_dir / name)
        base = folder.spec().base
        engines.append(OptunaEngine(folder, agent, functools.partial(trial.point_of, base), say))
    return engines


def place_of(spec: StudySpec, device: str) -> Workplace:
    """Where the trials of a study are trained."""
    return Workplace(base=spec.base, tiles=spec.tiles, runs=spec.runs, device=device, study=spec.name)


def fair(engines: Sequence[Engine]) -> list[Engine]:
    """By the share of their budgets that is done or in work, the smallest first."""
    return sorted(engines, key=lambda engine: engine.share())


class Agent:
    """One process over some studies."""

    def __init__(self, engines: Sequence[Engine], order: Order, say: Say) -> None:
        self._engines = list(engines)
        self._order = order
        self._say = say
        self._n_failures = 0
        self._n_trained = 0
        self._paused: set[str] = set()
        self._code = 0

    def run(self) -> int:
        """Until nothing is left; the exit code."""
        while self._engines and not self._order.stop.signal and not self._code:
            found = self._claim()
            if found:
                self._train(*found)
            elif self._engines:
                time.sleep(WAIT_S)
        return self._code

    def _wish(self, engine: Engine) -> Wish:
        return control.wish_of(StudyFolder(self._order.studies_dir / engine.spec.name))

    def _heed(self) -> list[Engine]:
        """The studies that may be worked on now; stopped ones drop out."""
        wishes = [(engine, self._wish(engine)) for engine in self._engines]
        for engine, wish in wishes:
            name = engine.spec.name
            if wish is Wish.STOP:
                self._engines.remove(engine)
                self._say(f"study {name} is stopped; `arena sweep resume {name}` undoes it")
            elif wish is Wish.PAUSE and name not in self._paused:
                self._say(f"study {name} is paused; `arena sweep resume {name}` lets it go on")
        self._paused = {engine.spec.name for engine, wish in wishes if wish is Wish.PAUSE}
        return [engine for engine, wish in wishes if wish is Wish.RUN]

    def _claim(self) -> tuple[Engine, Claim] | None:
        """From the study with the smallest share of its budget done or in work; studies that are done drop out."""
        for engine in fair(self._heed()):
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
        result = trial.run_trial(self._place(engine), self._task(engine, claim), self._listener(engine, claim))
        self._settle(engine, claim, result)

    def _place(self, engine: Engine) -> Workplace:
        return dataclasses.replace(place_of(engine.spec, self._order.device), wandb=self._order.wandb)

    def _task(self, engine: Engine, claim: Claim) -> Task:
        return Task(number=claim.number, params=claim.params, metric=engine.spec.sweep.metric)

    def _listener(self, engine: Engine, claim: Claim) -> Callable[[EpochRow], Step]:
        metric = engine.spec.sweep.metric

        def listen(row: EpochRow) -> Step:
            step = engine.report(claim, row.epoch, float(getattr(row, metric)))
            ends = bool(self._order.stop.signal) or self._wish(engine) is not Wish.RUN
            return Step.PAUSE if ends and step is Step.CONTINUE else step

        return listen

    def _settle(self, engine: Engine, claim: Claim, result: TrialResult) -> None:
        """Record what came of a trial."""
        self._n_trained += 1
        if result.out_of_memory and not self._order.stop.alone:
            engine.release(claim)
            self._code = OUT_OF_MEMORY  # the pool tries it again with fewer agents on the device
            return
        if result.state is TrialState.PAUSED:
            engine.release(claim)
            return
        if result.out_of_memory:
            result = replace(result, cause="out of memory, alone on the device: this point is not tried again")
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
        if self._n_failures >= self._order.max_failures:
            name, n = engine.spec.name, self._n_failures
            what = f"{n} trials in a row failed, the last of {name}" if n > 1 else f"a trial of {name} failed"
            raise StudyError(f"{what}: {result.cause}; cure it and run the sweep again")
