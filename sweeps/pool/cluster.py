"""Agents that a cluster places on machines, watched from here until the budgets are reached."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from arena.base.processes import record_signals
from sweeps.errors import StudyError
from sweeps.pool.agent_job import MAX_RESTARTS, AgentExit
from sweeps.pool.agent_options import SMOKE_FAILED, Say
from sweeps.pool.pool import Pool, PoolReport, make_report
from sweeps.pool.progress import PoolProgress, ProgressReader
from sweeps.study.control import Command

_PROGRESS_EVERY_S = 2.0
_POLL_EVERY_S = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentEnd:
    """End of an agent that was handed to a cluster."""

    name: str  # its job's or actor's
    failure: str = ""  # empty: it ended well
    is_smoke: bool = False  # one batch before its first trial failed
    is_cancelled: bool = False


class ClusterAgents(Protocol):
    """Agents that were handed to a cluster."""

    @property
    def waits_after_interrupt(self) -> bool:
        """True where agents that are interrupted end after their epoch, which the watch awaits."""

    def describe(self) -> str:
        """Return one line on what was handed over."""

    def read_ends(self) -> Sequence[AgentEnd | None]:
        """Return the end of each agent; None while it waits, works, or is to be started again."""

    def interrupt(self) -> str:
        """Ask the agents to end at Ctrl-C, or leave them to the cluster; return one line on which."""

    def cancel_waiting(self) -> None:
        """Take those agents back that have no machine yet: nothing is left to train."""

    def cancel(self) -> None:
        """End the agents at once."""

    def close(self) -> None:
        """Free the watcher's resources; agents that were left to the cluster go on."""


def describe_exit(name: str, end: AgentExit, log: str = "") -> AgentEnd:
    """Return the end of an agent by the exit of its process; `log` is where its messages are."""
    if end.code == SMOKE_FAILED:
        return AgentEnd(name=name, failure=end.last_line.removeprefix("error: "), is_smoke=True)
    if not end.code:
        return AgentEnd(name=name)
    how = f"was killed by signal {-end.code}" if end.code < 0 else f"ended with exit code {end.code}"
    times = f", {MAX_RESTARTS + 1} times by now (9: often for want of memory)" if end.code < 0 else ""
    words = f": {end.last_line}" if end.code > 0 and end.last_line else ""
    return AgentEnd(name=name, failure=f"its agent {how}{times}{words}{log}")


def parse_place(texts: Sequence[str]) -> dict[str, str]:
    """Parse the `key=value` texts of `--place`; raises StudyError for any other text."""
    pairs = [text.partition("=") for text in texts]
    for key, equals, _ in pairs:
        if not (key and equals):
            raise StudyError(f"--place takes KEY=VALUE such as slurm_partition=gpu, not {key!r}")
    return {key: value for key, _, value in pairs}


def make_agent_argvs(pool: Pool, n_agents: int) -> list[list[str]]:
    """Return the arguments of each agent: valid on every machine, so paths are absolute."""
    options = replace(pool.options, studies_dir=pool.options.studies_dir.resolve())
    return [options.to_argv() for _ in range(n_agents)]


def run_on_cluster(
    pool: Pool, hand_over: Callable[[], ClusterAgents], show: Callable[[PoolProgress], None], say: Say
) -> PoolReport:
    """Hand agents over and wait until they end; Ctrl-C ends the waiting, and the agents where they are not left to the cluster.

    Raises:
        StudyError: the cluster takes no agents, a study is damaged, the smoke trial failed, or no agent got to work.
    """
    reader = ProgressReader(pool.specs, pool.options.studies_dir, pool.n_clips)
    progress = reader.read()
    if not any(study.is_unfinished for study in progress.studies):
        show(progress)
        return make_report(progress, n_failed_agents=0, interrupted=False)
    signals: list[int] = []
    with record_signals(signals), contextlib.closing(hand_over()) as agents:
        say(agents.describe())
        ends = _Watch(agents, reader, show, say).wait(signals)
    progress = reader.read()
    show(progress)
    failures = [end for end in ends if end and end.failure and not (end.is_cancelled and not _has_work(progress))]
    if len(failures) == len(ends) and not (progress.n_completed or any(end.is_cancelled for end in failures)):
        raise StudyError("no agent got to work")
    return make_report(progress, n_failed_agents=len(failures), interrupted=bool(signals))


def _has_work(progress: PoolProgress) -> bool:
    return any(study.is_unfinished and study.command is not Command.STOP for study in progress.studies)


class _Watch:
    """Watch of a cluster's agents: their progress, their failures as these come, and the signals to the watcher."""

    def __init__(self, agents: ClusterAgents, reader: ProgressReader, show: Callable[[PoolProgress], None], say: Say) -> None:
        self._agents, self._reader, self._show, self._say = agents, reader, show, say
        self._n_epochs = reader.read().sum_counts("epochs")
        self._has_work = True
        self._reported: set[str] = set()

    def wait(self, signals: list[int]) -> Sequence[AgentEnd | None]:
        """Return the ends of all agents, or of those that ended before Ctrl-C ended the watch."""
        n_signals, show_at = 0, time.monotonic()
        while True:
            ends = self._agents.read_ends()
            self._report_failures(ends)
            if signals and not n_signals:
                self._say(self._agents.interrupt())
            n_signals = len(signals)
            if None not in ends or n_signals > (1 if self._agents.waits_after_interrupt else 0):
                return ends
            if time.monotonic() >= show_at:
                self._show_progress()
                show_at = time.monotonic() + _PROGRESS_EVERY_S
            time.sleep(_POLL_EVERY_S)

    def _show_progress(self) -> None:
        progress = self._reader.read()
        self._show(progress)
        if self._has_work and not _has_work(progress):
            self._has_work = False
            self._agents.cancel_waiting()

    def _report_failures(self, ends: Sequence[AgentEnd | None]) -> None:
        failed = [end for end in ends if end and end.failure and end.name not in self._reported]
        self._reported.update(end.name for end in failed)
        if any(end.is_smoke for end in failed) and not self._has_trained():
            self._agents.cancel()
            raise StudyError(next(end.failure for end in failed if end.is_smoke))
        for failure in dict.fromkeys(end.failure for end in failed if self._has_work or not end.is_cancelled):
            self._say(f"{', '.join(end.name for end in failed if end.failure == failure)}: {failure}")

    def _has_trained(self) -> bool:
        progress = self._reader.read()
        return progress.sum_counts("epochs") > self._n_epochs or progress.sum_counts("running") > 0
