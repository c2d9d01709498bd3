"""A pool of agent processes over some studies: started, watched, stopped, and their failures shown."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from arena_terminal import Advance
from sweeps.errors import StudyError
from sweeps.study import StudyFolder, StudySpec

# Started by its path: `-m arena` would look for our modules in the working folder first.
_ARENA = Path(__file__).resolve().parents[1] / "arena.py"
_POLL_S = 1.0
_GLANCE_S = 0.1  # between looks at the processes alone
_N_TAIL = 6  # lines of a failed agent's log that are shown

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolReport:
    """How a pool ended."""

    n_settled: int
    budget: int
    n_failed_agents: int
    interrupted: bool

    @property
    def exit_code(self) -> int:
        if self.interrupted:
            return 130
        return 0 if self.n_settled >= self.budget else 1


@dataclass(slots=True)
class _Agent:
    number: int
    process: subprocess.Popen[bytes]
    log: Path
    reported: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """Which agents to start, and on what."""

    specs: Sequence[StudySpec]
    studies_dir: Path
    n_agents: int
    device: str = "auto"

    @property
    def budget(self) -> int:
        return sum(spec.budget for spec in self.specs)


def run_agents(pool: Pool, advance: Advance, say: Say) -> PoolReport:
    """Start agents and wait until they end; `advance` counts trials that finished or were pruned.

    The first Ctrl-C (or SIGTERM) asks all agents to end after their epoch, the second ends them at once.

    Raises:
        StudyError: a log cannot be written, or a study is damaged.
    """
    _mend(pool, say)
    watch = _Watch(pool.specs, pool.studies_dir)
    n_agents = pool.n_agents if watch.n_settled() < pool.budget else 0
    asked: list[int] = []
    with _signals(asked), _started(pool, n_agents) as agents:
        n_passed_on, n_failed = 0, 0
        advance(watch.n_settled())
        while True:
            for number in asked[n_passed_on:]:
                _pass_on(agents, number, first=not n_passed_on, say=say)
                n_passed_on += 1
            n_failed += _report_failures(agents, bool(asked), say)
            alive = any(agent.process.poll() is None for agent in agents)
            advance(watch.n_new(force=not alive), watch.note)
            if not alive:
                break
            time.sleep(_GLANCE_S)
    return PoolReport(n_settled=watch.n_counted, budget=pool.budget, n_failed_agents=n_failed, interrupted=bool(asked))


def _mend(pool: Pool, say: Say) -> None:
    """Set damaged tails of journals aside now, where the user sees the note; agents would say it into their logs."""
    from sweeps.journal import Journal

    for spec in pool.specs:
        Journal(StudyFolder(pool.studies_dir / spec.name).journal, say)


class _Watch:
    """Counts settled trials by reading what was added to the journals, at most once a second."""

    def __init__(self, specs: Sequence[StudySpec], studies_dir: Path) -> None:
        from sweeps.optuna_store import Reader

        self._readers = [(Reader(StudyFolder(studies_dir / spec.name)), spec.budget) for spec in specs]
        self._last = 0.0
        self.n_counted = 0
        self.note = ""

    def n_settled(self) -> int:
        """Each study counts up to its budget, so that one can not stand in for another."""
        counts = [(reader.counts(), budget) for reader, budget in self._readers]
        self.n_counted = sum(min(count.settled, budget) for count, budget in counts)
        pruned, running, failed = (sum(getattr(c, name) for c, _ in counts) for name in ("pruned", "running", "failed"))
        self.note = f"{running} running, {pruned} pruned" + (f", {failed} failed" if failed else "")
        self._last = time.monotonic()
        return self.n_counted

    def n_new(self, *, force: bool) -> int:
        """Trials settled since the last look."""
        if not force and time.monotonic() - self._last < _POLL_S:
            return 0
        before = self.n_counted
        return self.n_settled() - before


@contextlib.contextmanager
def _signals(asked: list[int]) -> Iterator[None]:
    def remember(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    before = {number: signal.signal(number, remember) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _started(pool: Pool, n_agents: int) -> Iterator[list[_Agent]]:
    agents: list[_Agent] = []
    try:
        for number in range(1, n_agents + 1):
            agents.append(_start(pool, number))
        yield agents
    finally:
        for agent in agents:
            if agent.process.poll() is None:
                agent.process.kill()
            agent.process.wait()
            if agent.process.stdin:
                agent.process.stdin.close()
            with contextlib.suppress(OSError):
                if not agent.log.stat().st_size:
                    agent.log.unlink()


def _start(pool: Pool, number: int) -> _Agent:
    log = pool.studies_dir / f"agent-{os.getpid()}-{number}.log"  # another pool may work in the same folder
    names = [spec.name for spec in pool.specs]
    command = [sys.executable, str(_ARENA), "sweep", "agent", *names, "--studies", str(pool.studies_dir)]
    with _opened(log) as file:
        # A pipe that closes when we die, however we die; a session of its own, so that Ctrl-C reaches it through us alone.
        process = subprocess.Popen(
            [*command, "--device", pool.device, "--with-parent"],
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return _Agent(number=number, process=process, log=log)


def _opened(log: Path) -> IO[bytes]:
    try:
        return log.open("wb")
    except OSError as error:
        raise StudyError(f"cannot write {log}: {error.strerror}; choose another folder with --studies") from error


def _pass_on(agents: Sequence[_Agent], number: int, *, first: bool, say: Say) -> None:
    if first:
        say("stopping: every agent ends after its epoch; once more ends them at once")
    for agent in agents:
        with contextlib.suppress(ProcessLookupError):
            agent.process.send_signal(number)


def _report_failures(agents: Sequence[_Agent], asked: bool, say: Say) -> int:
    """Tell of agents that ended in failure since the last look; how many."""
    n_failed = 0
    for agent in agents:
        code = agent.process.poll()
        if agent.reported or code is None:
            continue
        agent.reported = True
        if code == 0 or asked:
            continue
        n_failed += 1
        how = f"was killed by signal {-code} (9: often for want of memory)" if code < 0 else f"ended with exit code {code}"
        say(f"agent {agent.number} {how}; the end of {agent.log}:")
        for line in agent.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_N_TAIL:]:
            say(f"  {line}")
    return n_failed
