"""Output of Arena's command lines: results on stdout, progress and notes on stderr. It imports no other room."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from rich.box import Box
    from rich.table import Table

JSON_HELP = "Print the result as JSON."
_PLAIN_EVERY_S = 10.0
_NOTEBOOK_WIDTH = 120  # the terminal of its `!commands` has 80 columns, and its page more
_CONTROLS = {  # a terminal obeys these, and names in shared files may hold them
    code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    for code in (*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
_FOLDED_WIDTH = 12  # the least of a column that may be folded


class Advance(Protocol):
    """Function that reports `n` more completed steps and notes the current one."""

    def __call__(self, n: int = 1, note: str = "") -> None: ...


def is_notebook() -> bool:
    """Return True in a command that a notebook started; ipykernel sets both variables for what it starts, on Colab too."""
    return "JPY_PARENT_PID" in os.environ or "inline" in os.environ.get("MPLBACKEND", "")


def can_repaint() -> bool:
    """Return True where stderr is a terminal that redraws lines; that of a notebook's `!commands` adds them all."""
    return sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown") and not is_notebook()


@contextmanager
def progress(title: str, total: int, done: int = 0) -> Iterator[Advance]:
    """Show a progress bar with the time left on a terminal; elsewhere print a line every ten seconds at most, one at the end.

    Args:
        done: steps of `total` that an earlier run completed.
    """
    if can_repaint():
        yield from _rich_bar(title, total, done)
    else:
        yield from _plain_lines(title, total, done)


def _rich_bar(title: str, total: int, done: int) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(compact=True),
        TextColumn("[dim]{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total, completed=done, note="")

        def advance(n: int = 1, note: str = "") -> None:
            bar.update(task, advance=n, note=note)

        yield advance


def _plain_lines(title: str, total: int, done: int) -> Iterator[Advance]:
    started = last = time.monotonic()
    before = done

    def advance(n: int = 1, note: str = "") -> None:
        nonlocal done, last
        done += n
        time_s = time.monotonic()
        if time_s - last >= _PLAIN_EVERY_S and done < total:
            last = time_s
            left_s = (time_s - started) * (total - done) / max(done - before, 1)
            line = f"{title}: {done:,} of {total:,} after {time_s - started:.0f} s, about {duration(left_s)} left"
            say(line + (f", {note}" if note else ""))

    yield advance
    say(f"{title}: {done:,} of {total:,} done in {time.monotonic() - started:.1f} s")


def say(text: str) -> None:
    """Print a line for the user on stderr."""
    print(text.translate(_CONTROLS), file=sys.stderr, flush=True)


def print_json(content: object) -> None:
    """Print a JSON document on stdout."""
    print(json.dumps(content, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Print a table on stdout; columns whose name begins with `#` are aligned right, those with `~` may be folded.

    Nothing is cut: in a terminal too narrow for the table its columns move together, then each row becomes a paragraph;
    elsewhere lines are as long as needed.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console

    columns_here = _NOTEBOOK_WIDTH if is_notebook() else None
    console = Console(force_terminal=sys.stdout.isatty(), width=columns_here)  # FORCE_COLOR, of a notebook, makes no terminal
    unlimited = Console(width=10_000)
    rows = [[cell.translate(_CONTROLS) for cell in row] for row in rows]
    table = _draw_table(columns, rows, title, box=SIMPLE_HEAD)
    width = unlimited.measure(table).maximum
    if not console.is_terminal:
        Console(width=max(width, 1), force_terminal=False).print(table)
    elif width <= console.width:
        console.print(table)
    elif unlimited.measure(compact := _draw_table(columns, rows, title, box=None)).minimum <= console.width:
        console.print(compact)
    else:
        _print_paragraphs(console.width, [name.lstrip("#~") for name in columns], rows, title)


def _draw_table(columns: Sequence[str], rows: Sequence[Sequence[str]], title: str, box: Box | None) -> Table:
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    padding = (0, 1 if box else 0, 0, 1)
    table = Table(title=title or None, title_justify="left", box=box, pad_edge=False, padding=padding)
    for number, name in enumerate(columns):
        justify: Literal["left", "right"] = "right" if name.startswith("#") else "left"
        folds, text = name.startswith("~"), name.lstrip("#~")
        width = max(cell_len(cell) for cell in (text, *(row[number] for row in rows)))
        least = min(width, _FOLDED_WIDTH) if folds else width
        table.add_column(Text(text), justify=justify, no_wrap=not folds, overflow="fold", min_width=least)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _print_paragraphs(width: int, columns: Sequence[str], rows: Sequence[Sequence[str]], title: str) -> None:
    import textwrap

    if title:
        print(title)
    for row in rows:
        facts = [f"{name}\u00a0{cell}".replace(" ", "\u00a0") for name, cell in zip(columns, row, strict=True) if cell]
        lines = textwrap.wrap(" \u00b7 ".join(facts), width, subsequent_indent="  ", break_long_words=False)
        print("\n".join(lines).replace("\u00a0", " "))


def duration(seconds: float) -> str:
    """Format seconds as `8.2 s`, `4 min 05 s` or `2 h 10 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
