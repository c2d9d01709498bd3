"""A pool of agents over some studies: watched until the budgets are reached, and asked to end by signals."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from arena.base.processes import recorded_signals
from sweeps.pool.agent_options import AgentOptions, Say
from sweeps.pool.progress import View, Watch
from sweeps.pool.slots import Slot
from sweeps.pool.supervisor import Crew
from sweeps.study.control import Wish
from sweeps.study.folder import StudyFolder, StudySpec

_LOOK_EVERY_S = 1.0
_GLANCE_S = 0.1  # between looks at the processes alone
_TAIL_BYTES = 1 << 16


@dataclass(frozen=True, kw_only=True, slots=True)
class PoolReport:
    """How a pool ended."""

    n_settled: int
    budget: int
    n_failed_agents: int
    interrupted: bool
    held: tuple[str, ...]  # unfinished studies that are paused or stopped

    @property
    def way_on(self) -> str:
        """What trains the rest."""
        if self.held:
            return f"`arena sweep resume {' '.join(self.held)}`, and after it the same command, goes on with the rest"
        return "the same command goes on with the rest"

    @property
    def exit_code(self) -> int:
        if self.interrupted:
            return 130
        return 0 if self.n_settled >= self.budget else 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    """Which agents to start, and on what."""

    specs: Sequence[StudySpec]
    options: AgentOptions
    slots: tuple[Slot, ...]
    n_clips: Sequence[int]  # by study: how many are trained in an epoch


def run_agents(pool: Pool, show: Callable[[View], None], say: Say) -> PoolReport:
    """Start agents and wait until they end; `show` gets the studies about once a second.

    The first Ctrl-C (or SIGTERM) asks all agents to end after their epoch, the second ends them at once.

    Raises:
        StudyError: a log cannot be written, a study is damaged, or the smoke trial failed.
    """
    _mend(pool, say)
    watch = Watch(pool.specs, pool.options.studies_dir, pool.n_clips)
    view = watch.look()
    told = _tell_wishes(view, set(), say)
    asked: list[int] = []
    n_failed = 0
    if any(line.n_settled < line.budget and line.wish is not Wish.STOP for line in view.lines):
        with recorded_signals(asked), Crew(pool.options, pool.slots, say) as crew:
            _attend(crew, asked, lambda: show(watch.look()), say)
            n_failed = crew.n_failed
        view = watch.look()
    show(view)
    _tell_wishes(view, told, say)
    return report_of(view, n_failed_agents=n_failed, interrupted=bool(asked))


def report_of(view: View, *, n_failed_agents: int, interrupted: bool) -> PoolReport:
    """How a pool ended whose studies look like `view`."""
    return PoolReport(
        n_settled=view.n_settled,
        budget=view.budget,
        n_failed_agents=n_failed_agents,
        interrupted=interrupted,
        held=tuple(line.name for line in view.lines if line.wish is not Wish.RUN and line.n_settled < line.budget),
    )


def _attend(crew: Crew, asked: list[int], show: Callable[[], None], say: Say) -> None:
    n_passed_on, look_at = 0, time.monotonic()
    while True:
        for number in asked[n_passed_on:]:
            if not n_passed_on:
                say("stopping: every agent ends after its epoch; once more ends them at once")
            crew.signal(number)
            n_passed_on += 1
        crew.look(is_asked=bool(asked))
        if not crew.is_working:
            return
        if time.monotonic() >= look_at:
            show()
            look_at = time.monotonic() + _LOOK_EVERY_S
        time.sleep(_GLANCE_S)


def _tell_wishes(view: View, told: set[str], say: Say) -> set[str]:
    """Say which studies are paused or stopped, each once; all that were told."""
    for line in view.lines:
        if line.name not in told and line.n_settled < line.budget and line.wish is not Wish.RUN:
            state = "stopped" if line.wish is Wish.STOP else "paused, and agents wait"
            say(f"study {line.name} is {state}; `arena sweep resume {line.name}` undoes it")
            told = {*told, line.name}
    return told


def _mend(pool: Pool, say: Say) -> None:
    """Set damaged tails of journals aside now, where the user sees the note; agents would say it into their logs."""
    for spec in pool.specs:
        path = StudyFolder(pool.options.studies_dir / spec.name).journal
        if not _ends_well(path):
            from sweeps.study.journal import Journal  # loads Optuna, which this process has no other use for

            Journal(path, say)


def _ends_well(journal: Path) -> bool:
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
