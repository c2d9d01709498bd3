"""A pool in the terminal: a table that is drawn again and again, or plain lines where nobody looks at a terminal."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from arena.base.terminal import duration, say
from sweeps.pool.progress import StudyLine, View
from sweeps.study.control import Wish

if TYPE_CHECKING:
    from rich.table import Table


Show = Callable[[View], None]

_PLAIN_EVERY_S = 10.0
_FEWEST_LINES = 2  # below this there is only the sum


@contextlib.contextmanager
def shown(title: str) -> Iterator[Show]:
    """Shows every view it is given: on a terminal as a table, elsewhere as a line now and then and one at the end."""
    last: list[View] = []
    on_terminal = sys.stderr.isatty() and os.environ.get("TERM", "") not in ("", "dumb")
    with _table() if on_terminal else _lines(title) as show:

        def keep(view: View) -> None:
            last[:] = [view]
            show(view)

        yield keep
    for view in last:
        say(f"{title}: {view.n_settled} of {view.budget} trials, {duration(view.elapsed_s)}{_speed(view)}")


@contextlib.contextmanager
def _table() -> Iterator[Show]:
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True)
    with Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop") as live:
        yield lambda view: live.update(table(view, console.width, console.height), refresh=True)


@contextlib.contextmanager
def _lines(title: str) -> Iterator[Show]:
    next_at = time.monotonic() + _PLAIN_EVERY_S
    done: set[str] = set()

    def show(view: View) -> None:
        nonlocal next_at
        for line in view.lines:
            if len(view.lines) > 1 and line.n_settled == line.budget and line.name not in done:
                say(f"study {line.name}: {line.budget} trials are done, the best {line.metric} {_best(line) or 'none'}")
                done.add(line.name)
        if time.monotonic() >= next_at:
            next_at = time.monotonic() + _PLAIN_EVERY_S
            say(f"{title}: {summary(view)}")

    yield show


def summary(view: View) -> str:
    """All studies in one line."""
    words = [f"{view.n_settled} of {view.budget} trials", f"{view.total('running')} running"]
    words += [f"{view.total(name)} {name}" for name in ("pruned", "failed") if view.total(name)]
    left = "" if view.left_s is None else f", about {duration(view.left_s)} left"
    return f"{', '.join(words)}, after {duration(view.elapsed_s)}{left}{_speed(view)}"


# Name, and how many characters a terminal must have for it; what matters least goes first.
_COLUMNS = (("finished", 56), ("running", 40), ("pruned", 64), ("failed", 48), ("dup.", 72))


def table(view: View, width: int, height: int) -> Table:
    """One row a study and the sum below, in a terminal of this size; studies that do not fit are counted."""
    from rich.table import Table
    from rich.text import Text

    columns = [name for name, least in _COLUMNS if width >= least]
    n_shown = max(height - 4, 0)  # header, the studies that are left out, the sum, the cursor
    made = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), expand=False)
    made.add_column("study", overflow="ellipsis", no_wrap=True, ratio=None)
    for name in ("trials", *columns, "best"):
        made.add_column(name, justify="right", no_wrap=True)
    lines = view.lines if len(view.lines) <= n_shown else view.lines[: max(n_shown - 1, 0)]
    for line in lines if n_shown >= _FEWEST_LINES else ():
        cells = [_count(line, name) for name in columns]
        made.add_row(Text(_named(line)), f"{line.n_settled}/{line.budget}", *cells, _best(line))
    return _with_sum(made, view, len(view.lines) - made.row_count, width)


def _with_sum(studies: Table, view: View, n_hidden: int, width: int) -> Table:
    from rich.table import Table
    from rich.text import Text

    whole = Table.grid()
    whole.add_column(no_wrap=True, overflow="ellipsis", max_width=width)
    if studies.row_count:
        whole.add_row(studies)
    if n_hidden and studies.row_count:
        whole.add_row(Text(f"and {n_hidden} more"))
    left = "" if view.left_s is None else f"{duration(view.left_s)} left"
    speed = f"{view.clips_per_s:,.0f} clips/s" if view.clips_per_s else ""
    words = (f"{view.n_settled} of {view.budget} trials", left, speed, f"{duration(view.elapsed_s)} so far")
    whole.add_row(Text(" \u00b7 ".join(word for word in words if word)))
    return whole


def _named(line: StudyLine) -> str:
    marks = {Wish.RUN: "", Wish.PAUSE: " (paused)", Wish.STOP: " (stopped)"}
    return line.name + marks[line.wish]


def _count(line: StudyLine, column: str) -> str:
    return str(getattr(line.counts, {"dup.": "duplicate"}.get(column, column)))


def _best(line: StudyLine) -> str:
    return f"{line.counts.best.value:.4f}" if line.counts.best else ""


def _speed(view: View) -> str:
    return f", {view.clips_per_s:,.0f} clips/s" if view.clips_per_s else ""
