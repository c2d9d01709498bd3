"""Agents that a cluster places on machines, watched from here until the budgets are reached."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from arena.base.processes import record_signals
from sweeps.errors import StudyError
from sweeps.pool.agent_options import Say
from sweeps.pool.pool import Pool, PoolReport, make_report
from sweeps.pool.progress import PoolProgress, ProgressReader

_PROGRESS_EVERY_S = 2.0
_POLL_EVERY_S = 0.2


class ClusterAgents(Protocol):
    """Agents that were handed to a cluster."""

    def describe(self) -> str:
        """Return one line on what was handed over."""

    def read_failures(self) -> list[str | None]:
        """Return for each agent why it failed: empty if it ended well, None while it waits or works."""

    def interrupt(self) -> str:
        """Stop the agents at Ctrl-C, or leave them to the cluster; return one line on which."""

    def close(self) -> None:
        """Free the watcher's resources; agents that were left to the cluster go on."""


def parse_settings(texts: Sequence[str]) -> dict[str, str]:
    """Parse the `key=value` texts of `--place`; raises StudyError for any other text."""
    pairs = [text.partition("=") for text in texts]
    for key, equals, _ in pairs:
        if not (key and equals):
            raise StudyError(f"--place takes KEY=VALUE such as slurm_partition=gpu, not {key!r}")
    return {key: value for key, _, value in pairs}


def make_agent_argvs(pool: Pool, n_agents: int) -> list[list[str]]:
    """Return the arguments of each agent: valid on every machine, so paths are absolute."""
    options = replace(pool.options, studies_dir=pool.options.studies_dir.resolve(), smoke=False)
    return [options.to_argv() for _ in range(n_agents)]


def run_on_cluster(
    pool: Pool, hand_over: Callable[[], ClusterAgents], show: Callable[[PoolProgress], None], say: Say
) -> PoolReport:
    """Hand agents over and wait until they end; Ctrl-C ends the waiting.

    Raises:
        StudyError: the cluster takes no agents, or a study is damaged.
    """
    reader = ProgressReader(pool.specs, pool.options.studies_dir, pool.n_clips)
    progress = reader.read()
    if not any(study.is_unfinished for study in progress.studies):
        show(progress)
        return make_report(progress, n_failed_agents=0, interrupted=False)
    signals: list[int] = []
    with record_signals(signals), contextlib.closing(hand_over()) as agents:
        say(agents.describe())
        results = _wait(agents, signals, lambda: show(reader.read()))
        if signals:
            say(agents.interrupt())
    failures = [failure for failure in results if failure]
    for failure in failures:
        say(failure)
    progress = reader.read()
    show(progress)
    report = make_report(progress, n_failed_agents=len(failures), interrupted=bool(signals))
    if failures and len(failures) == len(results) and not progress.n_completed:
        raise StudyError(f"no agent got to work: {failures[-1]}")
    return report


def _wait(agents: ClusterAgents, signals: list[int], show: Callable[[], None]) -> list[str | None]:
    show_at = time.monotonic()
    while True:
        results = agents.read_failures()
        if signals or None not in results:
            return results
        if time.monotonic() >= show_at:
            show()
            show_at = time.monotonic() + _PROGRESS_EVERY_S
        time.sleep(_POLL_EVERY_S)
