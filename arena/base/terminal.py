"""Output of Arena's command lines: results on stdout, progress and notes on stderr. It imports no other room."""

from __future__ import annotations

import itertools
import json
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol, TextIO

JSON_HELP = "Print the result as JSON."
_PLAIN_EVERY_S = 10.0
_NOTEBOOK_WIDTH = 120  # the terminal of its `!commands` has 80 columns, and its page more
CONTROLS = {  # a terminal obeys these, and names in shared files may hold them
    code: f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
    for code in (*range(9), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
_CELL = CONTROLS | {9: "\\t", 10: "\\n"}
_HARD_BLANK = "\0"  # CONTROLS leaves none
_WIDTH = 80  # a terminal's that does not say its own
_GAP, _SMALL_GAP = 3, 2  # blanks between the columns of a table
_FOLDED_WIDTH = 14  # the least of prose, unless a word is longer
_is_wide = ContextVar("is_wide", default=False)


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
    from rich import progress as columns
    from rich.console import Console
    from rich.text import Text

    class NoteColumn(columns.ProgressColumn):
        """The note on the current step, which ends where the line does."""

        def render(self, task: columns.Task) -> Text:
            return Text(task.fields["note"].translate(_CELL), style="dim", no_wrap=True, overflow="ellipsis")

    console = Console(stderr=True)
    with columns.Progress(
        columns.TextColumn("{task.description}"),
        columns.BarColumn(bar_width=min(console.width // 8, 28)),
        columns.MofNCompleteColumn(),
        columns.TimeElapsedColumn(),
        columns.TextColumn("left"),
        columns.TimeRemainingColumn(compact=True),
        NoteColumn(),
        console=console,
    ) as bar:
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
            line = f"{title}: {done:,} of {total:,} after {_format_seconds(time_s - started)}, {format_time_left(left_s)}"
            say(line + (f", {note}" if note else ""))

    yield advance
    say(f"{title}: {done:,} of {total:,} done in {time.monotonic() - started:.1f} s")


def say(text: str) -> None:
    """Print a line for the user on stderr."""
    print(_wrap_lines(text, sys.stderr), file=sys.stderr, flush=True)


def print_json(content: object) -> None:
    """Print a JSON document on stdout."""
    print(json.dumps(content, indent=2, ensure_ascii=False))


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. Those of priority 1 always stay; of the others the largest number leaves a narrow table first."""

    name: str
    priority: int = 1
    silent: str | None = None  # the column is left out where all rows say this


class Number(Column):
    """A column that is aligned right."""


class Prose(Column):
    """A column whose cells may go on in a next line, between words."""


def widen_tables(is_requested: bool) -> None:
    """Set whether the tables of this command have all their columns, however narrow the terminal is."""
    _is_wide.set(is_requested)


def is_widened() -> bool:
    """Return whether this command was asked for all that there is, by --wide."""
    return _is_wide.get()


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Print a table on stdout, in a terminal with the columns that it has room for; a note on stderr counts the others.

    Only prose is folded: what is copied stays whole. In a pipe every row is one line, unless COLUMNS sets a width.
    """
    speaking = [n for n, column in enumerate(columns) if any(row[n] != column.silent for row in rows) or column.silent is None]
    columns = [columns[n] for n in speaking]
    names = [column.name for column in columns]
    cells = [[cell.translate(_CELL) for cell in row] for row in (names, *([row[n] for n in speaking] for row in rows))]
    layout = _fit(columns, cells, None if _is_wide.get() else _find_width(sys.stdout))
    header, *lines = ("\n".join(_draw_row(columns, row, layout)) for row in cells)
    rule = "\u2500" if (sys.stdout.encoding or "").lower().startswith("utf") else "-"
    if title:
        print(title.translate(_CELL))
    _print_bold(header)
    print("\n".join((rule * layout.width, *lines)), flush=True)
    if n_dropped := len(columns) - len(layout.widths):
        say(f"{n_dropped} column{'s' * (n_dropped > 1)} more with --wide")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    widths: dict[int, int]  # by the number of the column; those that are dropped have none
    gap: int

    @property
    def width(self) -> int:
        return sum(self.widths.values()) + self.gap * (len(self.widths) - 1)


def _find_width(stream: TextIO) -> int | None:
    """Return the columns that a line may have; None for as many as needed."""
    if (columns := os.environ.get("COLUMNS", "")).isdecimal() and int(columns):
        return int(columns)
    if is_notebook():
        return _NOTEBOOK_WIDTH
    return (os.get_terminal_size(stream.fileno()).columns or _WIDTH) if stream.isatty() else None


def _fit(columns: Sequence[Column], cells: Sequence[Sequence[str]], width: int | None) -> _Layout:
    """Move the columns together, then fold prose, then drop columns, until the table fits or the rest has priority 1."""
    full = {n: max(map(_measure, texts)) for n, texts in enumerate(zip(*cells, strict=True))}
    if width is None:
        return _Layout(widths=full, gap=_GAP)
    words = {n: _measure_longest_word(row[n] for row in cells) if isinstance(columns[n], Prose) else full[n] for n in full}
    least = {n: max(words[n], min(full[n], _FOLDED_WIDTH)) for n in full}
    stay: set[int] = set()
    for n in sorted(full, key=lambda n: (columns[n].priority, n)):
        if columns[n].priority == 1 or _Layout(widths={m: least[m] for m in {*stay, n}}, gap=_SMALL_GAP).width <= width:
            stay.add(n)
    full, least, words = ({n: widths[n] for n in sorted(stay)} for widths in (full, least, words))
    for layout in (_Layout(widths=full, gap=_GAP), _Layout(widths=full, gap=_SMALL_GAP)):
        if layout.width <= width:
            return layout
    widths = _widen(least if _Layout(widths=least, gap=_SMALL_GAP).width <= width else words, full, width)
    widths = {n: max(_measure(line) for row in cells for line in _wrap(row[n], widths[n])) for n in widths}
    return _Layout(widths=widths, gap=_SMALL_GAP)


def _measure_longest_word(texts: Iterable[str]) -> int:
    return max((_measure(word.strip(" ")) for text in texts for word in _split_words(text)), default=0)


def _widen(least: dict[int, int], full: dict[int, int], width: int) -> dict[int, int]:
    """Widen the columns that have most lines, until the table has this width."""
    widths = dict(least)
    while _Layout(widths=widths, gap=_SMALL_GAP).width < width:
        widths[max(widths, key=lambda n: full[n] / max(widths[n], 1))] += 1
    return widths


def _draw_row(columns: Sequence[Column], row: Sequence[str], layout: _Layout) -> Iterator[str]:
    folded = [_wrap(row[n], width) for n, width in layout.widths.items()]
    for texts in itertools.zip_longest(*folded, fillvalue=""):
        yield (" " * layout.gap).join(map(_pad, texts, layout.widths.values(), (columns[n] for n in layout.widths))).rstrip()


def _pad(text: str, width: int, column: Column) -> str:
    blanks = " " * (width - _measure(text))
    return blanks + text if isinstance(column, Number) else text + blanks


def _print_bold(text: str) -> None:
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        from rich.console import Console
        from rich.text import Text

        Console(force_terminal=True).print(Text(text, style="bold"), soft_wrap=True)
    else:
        print(text)


def print_text(text: str, hang: int = 0) -> None:
    """Print a paragraph on stdout, in a terminal wrapped with `hang` blanks before its further lines."""
    print(_wrap_lines(text, sys.stdout, hang))


def _wrap_lines(text: str, stream: TextIO, hang: int = 0) -> str:
    """Wrap each line for a terminal, at blanks outside of `commands` and before no unit; elsewhere lines stay as they are."""
    text = text.translate(CONTROLS)
    width = _find_width(stream) if stream.isatty() else None
    if width is None:
        return text
    text = re.sub("`[^`\n]*`", lambda match: match[0].replace(" ", _HARD_BLANK), text)
    text = re.sub(r"(?<=\d) (?=[a-zA-Z%])", _HARD_BLANK, text)
    lines = []
    for line in text.split("\n"):
        start = len(line) - len(line.lstrip(" ")) + hang
        first, *further = _wrap(line[start:], width - start)
        lines += [line[:start] + first, *(" " * start + part for part in further)]
    return "\n".join(lines).replace(_HARD_BLANK, " ")


def _wrap(text: str, width: int) -> list[str]:
    """Break a text at blanks, and between the characters of a word that holds wide ones."""
    lines = [""]
    for word in _split_words(text) if _measure(text) > width else [text]:
        if lines[-1] and _measure(lines[-1] + word) > width:
            lines.append(word.lstrip(" "))
        else:
            lines[-1] += word
    return lines


def _split_words(text: str) -> list[str]:
    """Return the words with the blanks before them."""
    words = re.findall(" *[^ ]+", text)
    return [part for word in words for part in (word if _measure(word) > len(word) else [word])]


def _measure(text: str) -> int:
    """Return the columns that a text takes in a terminal, where some characters are two wide."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def duration(seconds: float) -> str:
    """Format seconds as `8.2 s`, `4 min 05 s` or `2 h 10 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def format_time_left(seconds: float) -> str:
    """Format an estimate as `about 40 s left` or `about 4 min 05 s left`."""
    return f"about {_format_seconds(seconds)} left" if seconds >= 1 else "almost done"


def _format_seconds(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 60 else duration(seconds)
