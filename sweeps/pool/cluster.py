"""Agents that an engine other than ours places on machines, watched from here until the budgets are reached."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from arena.base.processes import recorded_signals
from sweeps.errors import StudyError
from sweeps.pool.agent_options import Say
from sweeps.pool.pool import Pool, PoolReport, report_of
from sweeps.pool.progress import View, Watch

_LOOK_EVERY_S = 2.0
_GLANCE_S = 0.2


class Placed(Protocol):
    """Agents that were handed to an engine."""

    def said(self) -> str:
        """One line on what was handed over."""

    def ends(self) -> list[str | None]:
        """For each agent how it ended: empty when well, None while it waits or works."""

    def leave(self) -> str:
        """Called at Ctrl-C: stop the agents or leave them; one line on which."""

    def close(self) -> None:
        """Free what watching took; agents that were left go on."""


def options_of(texts: Sequence[str]) -> dict[str, str]:
    """What `--place key=value` texts say; raises StudyError for one that is no such text."""
    pairs = [text.partition("=") for text in texts]
    for key, equals, _ in pairs:
        if not (key and equals):
            raise StudyError(f"--place takes KEY=VALUE such as slurm_partition=gpu, not {key!r}")
    return {key: value for key, _, value in pairs}


def commands(pool: Pool, n_agents: int) -> list[list[str]]:
    """What each agent is started with: the same everywhere, so paths are absolute."""
    options = replace(pool.options, studies_dir=pool.options.studies_dir.resolve(), smoke=False)
    return [options.to_argv() for _ in range(n_agents)]


def run_placed(pool: Pool, hand_over: Callable[[], Placed], show: Callable[[View], None], say: Say) -> PoolReport:
    """Hand agents over and wait until they end; Ctrl-C ends the waiting.

    Raises:
        StudyError: the engine takes no agents, or a study is damaged.
    """
    watch = Watch(pool.specs, pool.options.studies_dir, pool.n_clips)
    view = watch.look()
    if view.n_settled >= view.budget:
        show(view)
        return report_of(view, n_failed_agents=0, interrupted=False)
    asked: list[int] = []
    with recorded_signals(asked), contextlib.closing(hand_over()) as placed:
        say(placed.said())
        ends = _attend(placed, asked, lambda: show(watch.look()))
        if asked:
            say(placed.leave())
    failures = [end for end in ends if end]
    for end in failures:
        say(end)
    view = watch.look()
    show(view)
    report = report_of(view, n_failed_agents=len(failures), interrupted=bool(asked))
    if failures and len(failures) == len(ends) and not view.n_settled:
        raise StudyError(f"no agent got to work: {failures[-1]}")
    return report


def _attend(placed: Placed, asked: list[int], show: Callable[[], None]) -> list[str | None]:
    look_at = time.monotonic()
    while True:
        ends = placed.ends()
        if asked or None not in ends:
            return ends
        if time.monotonic() >= look_at:
            show()
            look_at = time.monotonic() + _LOOK_EVERY_S
        time.sleep(_GLANCE_S)
