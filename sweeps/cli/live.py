"""Live progress of a pool: a table on a terminal, redrawn, and plain lines elsewhere."""

from __future__ import annotations

import contextlib
import importlib.util
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from arena.base.install import install_command
from arena.base.terminal import can_repaint, duration, format_time_left, say
from sweeps.pool.progress import PoolProgress, StudyProgress
from sweeps.study.control import Command

if TYPE_CHECKING:
    from rich.table import Table


Show = Callable[[PoolProgress], None]

_PLAIN_EVERY_S = 10.0
_MIN_ROWS = 2  # with fewer there is only the sum


def say_live_page(names: Sequence[str], studies: Path) -> None:
    """Say on a terminal which command opens the page of all learning curves."""
    if not can_repaint():
        return
    words = ["arena", "sweep", "dashboard", *(names if len(names) == 1 else ())]
    words += [] if studies == Path("studies") else ["--studies", str(studies)]
    install = "" if importlib.util.find_spec("optuna_dashboard") else f" (first `{install_command('dashboard')}`)"
    say(f"all learning curves, live: `{shlex.join(words)}` in another terminal{install}")


@contextlib.contextmanager
def live_progress(title: str) -> Iterator[Show]:
    """Yield a function that shows progress: on a terminal as a table, elsewhere as a line now and then."""
    last: list[PoolProgress] = []
    with _table() if can_repaint() else _lines(title) as show:

        def show_and_store(progress: PoolProgress) -> None:
            last[:] = [progress]
            show(progress)

        yield show_and_store
    for progress in last:
        say(f"{title}: {progress.n_completed} of {progress.budget} trials, {duration(progress.elapsed_s)}{_speed(progress)}")


@contextlib.contextmanager
def _table() -> Iterator[Show]:
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    with Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop") as live:
        yield lambda progress: live.update(draw_table(progress, console.width, console.height), refresh=True)


@contextlib.contextmanager
def _lines(title: str) -> Iterator[Show]:
    next_at = time.monotonic() + _PLAIN_EVERY_S
    completed: set[str] = set()

    def show(progress: PoolProgress) -> None:
        nonlocal next_at
        for study in progress.studies:
            if len(progress.studies) > 1 and not study.is_unfinished and study.name not in completed:
                trials = f"{study.n_completed} of {study.budget} trials"
                say(f"study {study.name}: {trials}, the best {study.metric} {_best(study) or 'none'}")
                completed.add(study.name)
        if time.monotonic() >= next_at:
            next_at = time.monotonic() + _PLAIN_EVERY_S
            say(f"{title}: {summary(progress)}")

    yield show


def summary(progress: PoolProgress) -> str:
    """Return one line on all studies together."""
    words = [f"{progress.n_completed} of {progress.budget} trials", f"{progress.sum_counts('running')} running"]
    words += [f"{progress.sum_counts(name)} {name}" for name in ("pruned", "failed") if progress.sum_counts(name)]
    time_left = "" if progress.remaining_s is None else f", {format_time_left(progress.remaining_s)}"
    return f"{', '.join(words)}, after {duration(progress.elapsed_s)}{time_left}{_speed(progress)}"


# Name, and the least width of a terminal for it: the least important column goes first.
_COLUMNS = (("finished", 56), ("running", 40), ("pruned", 64), ("failed", 48), ("dup.", 72))


def draw_table(progress: PoolProgress, width: int, height: int) -> Table:
    """Draw a row for each study that fits this terminal size, the number of others, and the sum."""
    from rich.table import Table
    from rich.text import Text

    columns = [name for name, least in _COLUMNS if width >= least]
    n_rows = max(height - 4, 0)  # without header, count of hidden studies, sum and cursor
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), expand=False)
    table.add_column("study", overflow="ellipsis", no_wrap=True, ratio=None)
    for name in ("trials", *columns, "best"):
        table.add_column(name, justify="right", no_wrap=True)
    studies = progress.studies if len(progress.studies) <= n_rows else progress.studies[: max(n_rows - 1, 0)]
    for study in studies if n_rows >= _MIN_ROWS else ():
        cells = [_count(study, name) for name in columns]
        table.add_row(Text(_label(study)), f"{study.n_completed}/{study.budget}", *cells, _best(study))
    return _with_sum(table, progress, len(progress.studies) - table.row_count, width)


def _with_sum(studies: Table, progress: PoolProgress, n_hidden: int, width: int) -> Table:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid()
    grid.add_column(no_wrap=True, overflow="ellipsis", max_width=width)
    if studies.row_count:
        grid.add_row(studies)
    if n_hidden and studies.row_count:
        grid.add_row(Text(f"and {n_hidden} more"))
    time_left = "" if progress.remaining_s is None else format_time_left(progress.remaining_s)
    speed = f"{progress.clips_per_s:,.0f} tiles/s" if progress.clips_per_s else ""
    words = (f"{progress.n_completed} of {progress.budget} trials", time_left, speed, f"{duration(progress.elapsed_s)} so far")
    grid.add_row(Text(" \u00b7 ".join(word for word in words if word)))
    return grid


def _label(study: StudyProgress) -> str:
    marks = {Command.RUN: "", Command.PAUSE: " (paused)", Command.STOP: " (stopped)"}
    return study.name + marks[study.command]


def _count(study: StudyProgress, column: str) -> str:
    return str(getattr(study.counts, {"dup.": "duplicate"}.get(column, column)))


def _best(study: StudyProgress) -> str:
    return f"{study.counts.best.value:.4f}" if study.counts.best else ""


def _speed(progress: PoolProgress) -> str:
    return f", {progress.clips_per_s:,.0f} tiles/s" if progress.clips_per_s else ""
