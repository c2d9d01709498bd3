"""A pool of agents over some studies, watched until the budgets are reached; signals ask it to end."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from arena.base.processes import record_signals
from sweeps.pool.agent_options import AgentOptions, Say
from sweeps.pool.progress import PoolProgress, ProgressReader, StudyProgress
from sweeps.pool.slots import Slot
from sweeps.pool.spare import SpareAgent
from sweeps.pool.supervisor import Supervisor
from sweeps.study.control import Command
from sweeps.study.folder import StudyFolder, StudySpec

_PROGRESS_EVERY_S = 1.0
_POLL_EVERY_S = 0.1  # for the processes alone
_TAIL_BYTES = 1 << 16


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolReport:
    """Result of a pool."""

    n_completed: int
    budget: int
    n_failed_agents: int
    interrupted: bool
    halted: tuple[str, ...]  # unfinished studies that are paused or stopped
    n_unfinished: int  # studies that reached neither their budget nor a limit
    ends: tuple[str, ...]  # sentences on studies that reached a limit before their budget

    @property
    def advice(self) -> str:
        """Command that trains the rest."""
        if self.halted:
            return f"`arena sweep resume {' '.join(self.halted)}`, and after it the same command, goes on with the rest"
        return "the same command goes on with the rest"

    @property
    def exit_code(self) -> int:
        if self.interrupted:
            return 130
        return 1 if self.n_unfinished else 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """Studies to train, options of the agents, and a slot for each."""

    specs: Sequence[StudySpec]
    options: AgentOptions
    slots: tuple[Slot, ...]
    n_clips: Sequence[int]  # clips in an epoch, by study
    spare: SpareAgent | None = None  # becomes the first agent


def run_agents(pool: Pool, show: Callable[[PoolProgress], None], say: Say) -> PoolReport:
    """Start agents and wait until they end; `show` gets the progress about once a second.

    The first Ctrl-C (or SIGTERM) asks all agents to end after their epoch, the second ends them at once.

    Raises:
        StudyError: a log cannot be written, a study is damaged, or the smoke trial failed.
    """
    _repair_journals(pool, say)
    reader = ProgressReader(pool.specs, pool.options.studies_dir, pool.n_clips)
    progress = reader.read()
    warned = _warn_of_halted(progress, set(), say)
    signals: list[int] = []
    n_failed = 0
    if any(study.is_unfinished and study.command is not Command.STOP for study in progress.studies):
        with record_signals(signals), Supervisor(pool.options, pool.slots, say, pool.spare) as supervisor:
            _wait(supervisor, signals, lambda: show(reader.read()), say)
            n_failed = supervisor.n_failed
        progress = reader.read()
    show(progress)
    _warn_of_halted(progress, warned, say)
    return make_report(progress, n_failed_agents=n_failed, interrupted=bool(signals))


def make_report(progress: PoolProgress, *, n_failed_agents: int, interrupted: bool) -> PoolReport:
    """Return the report of a pool that ended with this progress."""
    return PoolReport(
        n_completed=progress.n_completed,
        budget=progress.budget,
        n_failed_agents=n_failed_agents,
        interrupted=interrupted,
        n_unfinished=sum(study.is_unfinished for study in progress.studies),
        ends=tuple(_describe_end(study) for study in progress.studies if study.end),
        halted=tuple(study.name for study in progress.studies if study.is_unfinished and study.command is not Command.RUN),
    )


def _describe_end(study: StudyProgress) -> str:
    trials = f"{study.n_completed} of {study.budget} trials"
    more = "the same command with more --hours, or another --until or metric.target, goes on"
    return f"study {study.name} ended after {trials}: {study.end}; {more}"


def _wait(supervisor: Supervisor, signals: list[int], show: Callable[[], None], say: Say) -> None:
    n_forwarded, show_at = 0, time.monotonic()
    while True:
        for number in signals[n_forwarded:]:
            if not n_forwarded:
                say("stopping: every agent ends after its epoch; once more ends them at once")
            supervisor.signal(number)
            n_forwarded += 1
        supervisor.poll(is_stopping=bool(signals))
        if not supervisor.is_working:
            return
        if time.monotonic() >= show_at:
            show()
            show_at = time.monotonic() + _PROGRESS_EVERY_S
        time.sleep(_POLL_EVERY_S)


def _warn_of_halted(progress: PoolProgress, warned: set[str], say: Say) -> set[str]:
    """Say which studies are paused or stopped, but for those in `warned`; return the names of both."""
    for study in progress.studies:
        if study.name not in warned and study.is_unfinished and study.command is not Command.RUN:
            state = "stopped" if study.command is Command.STOP else "paused, and agents wait"
            say(f"study {study.name} is {state}; `arena sweep resume {study.name}` undoes it")
            warned = {*warned, study.name}
    return warned


def _repair_journals(pool: Pool, say: Say) -> None:
    """Set damaged tails of journals aside here, where the user sees the note, not in an agent's log."""
    for spec in pool.specs:
        path = StudyFolder(pool.options.studies_dir / spec.name).journal
        if not _has_sound_end(path):
            from sweeps.study.journal import Journal  # loads Optuna, which this process has no other use for

            Journal(path, say)


def _has_sound_end(journal: Path) -> bool:
    if not journal.exists():
        return True
    with journal.open("rb") as file:
        file.seek(max(os.fstat(file.fileno()).st_size - _TAIL_BYTES, 0))
        tail = file.read()
    if not tail:
        return True
    try:
        return tail.endswith(b"\n") and isinstance(json.loads(tail[:-1].rpartition(b"\n")[2]), dict)
    except ValueError:
        return False
