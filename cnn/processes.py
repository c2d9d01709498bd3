"""A process pool for independent tasks; results come in the order of the tasks. Standard library only."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

from arena.base.processes import follow_parent, without_main
from cnn.errors import CnnError
from cnn.hardware import n_processes

Task = TypeVar("Task")
Result = TypeVar("Result")
Progress = Callable[[int], None]  # takes the number of further steps


def _silent(_: object) -> None:
    pass


def _no_bar(_: int) -> AbstractContextManager[Progress]:
    return nullcontext(_silent)


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkOptions:
    """Options of long work: processes, progress bar and log."""

    n_jobs: int = 0  # processes; 0 chooses
    bar: Callable[[int], AbstractContextManager[Progress]] = _no_bar  # takes the number of steps; called if there are any
    log: Callable[[str], None] = _silent


def map_in_processes(work: Callable[[Task], Result], tasks: Sequence[Task], n_jobs: int) -> Iterator[Result]:
    """Yield `work` of every task, in order, from up to `n_jobs` processes: 1 is this process, 0 one per core.

    Raises:
        CnnError: a process was killed.
    """
    n_jobs = n_processes(on_gpu=False, n_tasks=len(tasks)) if n_jobs == 0 else min(n_jobs, len(tasks))
    if n_jobs <= 1:
        yield from map(work, tasks)
        return
    context = multiprocessing.get_context("spawn")  # a fork of a process with torch's threads may hang
    pool = ProcessPoolExecutor(n_jobs, mp_context=context, initializer=follow_parent)
    try:
        with without_main(), _interrupted_later():
            results = pool.map(work, tasks)
        yield from results
    except BrokenProcessPool as error:
        raise CnnError(
            "a process that shared the work was killed (often for want of memory); "
            "run the same command again with --jobs 1: what is done is kept"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _interrupted_later() -> Iterator[None]:
    """Start processes with Ctrl-C blocked, which would end each of them with a traceback."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
