"""The page of the standings: which lines, in which order, with which words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from arena.base.texts import Words
from leaderboard.pages.board_cache import Board, Line
from leaderboard.pages.render import fragment, listed
from leaderboard.pages.team_page import axis, place
from leaderboard.standings import METRICS, format_metrics

SORTS = ("rank", "team", "score", "final", *(metric.key for metric in METRICS), "attempts", "sent")
_FALLING = (  # first asked for, these begin with the greatest
    *("score", "final", "attempts", "sent"),
    *(metric.key for metric in METRICS if not metric.is_lower_better),
)
_N_TOP = 20
_N_NEAR = 3  # neighbours on each side of one's own line


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What a reader asked to see."""

    sort: str = "rank"
    is_falling: bool = False
    is_all: bool = False
    refreshes: bool = True
    own: str | None = None  # name of the reader's team
    is_static: bool = False  # a file, without links to other views

    def link(self, **changes: object) -> str:
        """The address of a view that differs in `changes`."""
        other = replace(self, **changes)  # type: ignore[arg-type]
        query: dict[str, str] = {}
        if (other.sort, other.is_falling) != ("rank", False):
            query |= {"sort": other.sort, "order": "desc" if other.is_falling else "asc"}
        query |= {"show": "all"} if other.is_all else {}
        query |= {} if other.refreshes else {"refresh": "no"}
        return f"?{urlencode(query)}"


def view_of(query: Mapping[str, str], own: str | None) -> View:
    """The view that a query asks for; what it does not name, or names wrongly, is as usual."""
    sort = query.get("sort", "rank")
    return View(
        sort=sort if sort in SORTS else "rank",
        is_falling=query.get("order") == "desc",
        is_all=query.get("show") == "all",
        refreshes=query.get("refresh") != "no",
        own=own,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    title: str
    style: str
    link: str  # empty: cannot be sorted by
    sorted: str  # ascending, descending, or empty


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownLine:
    """A line of the table. x are positions in the drawing of its interval."""

    line: Line
    metrics: Sequence[str]  # rounded
    is_own: bool
    is_tied: bool  # with the one above
    bracket: str  # class of the style sheet: top, middle, end; empty without
    x: float
    low_x: float
    high_x: float
    n_before: int  # teams that are left out above this line


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """The context of the template."""

    lead: str
    note: str
    lines: Sequence[ShownLine]
    columns: Sequence[Column]
    has_ties: bool
    is_final: bool
    has_private: bool
    refreshes: bool
    low: float  # ends of the axis of the intervals
    high: float
    controls: Sequence[tuple[str, str, Mapping[str, object]]]  # key of its text, link, what the text is filled with


def draw_standings(board: Board, view: View, words: Words) -> tuple[Page, Markup]:
    """Return the page of a board, and its table as HTML."""
    page = standings_page(board, view, words)
    return page, fragment("_standings.html.j2", words, board=page)


def standings_page(board: Board, view: View, words: Words) -> Page:
    """The page of a board."""
    shown = _chosen(board, view)
    ends = axis([line.low for line in board.lines], [line.high for line in board.lines])
    brackets = _brackets(board.lines) if view.sort == "rank" and not view.is_falling else {}
    before = _left_out(board, shown, view)
    first = board.lines[0] if board.lines else None
    return Page(
        lead=lead(board, words),
        note="" if first is None else _note(first, words),
        lines=[_shown(line, ends, brackets.get(line.team, ""), before.get(line.team, 0), view) for line in shown],
        columns=_columns(board, view, words),
        low=ends[0],
        high=ends[1],
        has_ties=any(line.is_tied for line in shown),
        is_final=board.is_final,
        has_private=board.has_private,
        refreshes=view.refreshes and not board.is_final and not view.is_static,
        controls=[] if view.is_static else _controls(board, shown, view),
    )


def _note(line: Line, words: Words) -> str:
    n, replicates = words.number(line.n_units), words.number(line.n_replicates)
    return words("intervals_over", n=n, unit=words(f"unit_{line.unit}"), replicates=replicates)


def lead(board: Board, words: Words) -> str:
    """Who is really first, in one sentence."""
    if not board.lines:
        return words("nobody")
    first = board.lines[0]
    shared = [line.name for line in board.lines if line.rank == 1]
    others = [line.name for line in board.lines[1:] if line.could_be_first]
    if len(board.lines) == 1:
        return words("first_only", team=first.name)
    if len(shared) > 1 and len(shared) > len(others):
        return words("first_shared", teams=listed(words, shared))
    if not board.is_known_to_chance:
        return words("first_plain", team=first.name, metric=board.metric)
    if others:
        key = "first_tied_1" if len(others) == 1 else "first_tied_n"
        return words(key, team=first.name, n=len(others), others=listed(words, others))
    return words("first_alone", team=first.name)


def _get_metric(key: str, line: Line) -> float:
    return line.metrics[key]


def _ordered(board: Board, view: View) -> list[Line]:
    keys: dict[str, Callable[[Line], Any]] = {
        "rank": lambda line: line.rank,
        "team": lambda line: line.name.casefold(),
        "score": lambda line: line.score,
        "final": lambda line: line.score if line.final is None else line.final,
        **{metric.key: partial(_get_metric, metric.key) for metric in METRICS},
        "attempts": lambda line: line.n_attempts,
        "sent": lambda line: line.sent_at,
    }
    return sorted(board.lines, key=keys[view.sort], reverse=view.is_falling)  # stable: equal ones stay in the order of ranks


def _chosen(board: Board, view: View) -> list[Line]:
    lines = _ordered(board, view)
    if view.is_all or view.is_static or len(lines) <= _N_TOP + 2 * _N_NEAR + 1:
        return lines
    at = next((place for place, line in enumerate(lines) if line.team == view.own), None)
    near = set() if at is None else set(range(at - _N_NEAR, at + _N_NEAR + 1))
    return [line for place, line in enumerate(lines) if place < _N_TOP or place in near]


def _left_out(board: Board, shown: Sequence[Line], view: View) -> dict[str, int]:
    place_of = {line.team: at for at, line in enumerate(_ordered(board, view))}
    places = [place_of[line.team] for line in shown]
    return {
        line.team: at - before - 1 for line, before, at in zip(shown[1:], places, places[1:], strict=False) if at > before + 1
    }


def _brackets(lines: Sequence[Line]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line, after in zip(lines, [*lines[1:], None], strict=False):
        goes_on = after is not None and after.is_tied
        if line.is_tied or goes_on:
            found[line.team] = "middle" if line.is_tied and goes_on else "end" if line.is_tied else "top"
    return found


def _shown(line: Line, ends: tuple[float, float], bracket: str, n_before: int, view: View) -> ShownLine:
    return ShownLine(
        line=line,
        metrics=format_metrics(line.metrics),
        is_own=line.team == view.own,
        is_tied=bool(bracket) and line.is_tied,
        bracket=bracket,
        x=place(line.score if line.final is None else line.final, ends),
        low_x=place(line.low, ends),
        high_x=place(line.high, ends),
        n_before=n_before,
    )


def _columns(board: Board, view: View, words: Words) -> list[Column]:
    titles = [("rank", words("rank"), "n"), ("team", words("team"), "who")]
    if board.is_final:
        titles.append(("final", words("private_score", metric=board.metric), "n"))
        titles.append(("score", words("public_score", metric=board.metric), "n wide"))
    else:
        titles.append(("score", board.metric, "n"))
    titles.append(("", words("interval"), "spread"))
    titles += [(key, words(key), "n wide") for key in (*(metric.key for metric in METRICS), "attempts", "sent")]
    columns = []
    for key, title, style in titles:
        is_sorted = key == view.sort
        falls = not view.is_falling if is_sorted else key in _FALLING
        columns.append(
            Column(
                title=title,
                style=style,
                link=view.link(sort=key, is_falling=falls) if key and not view.is_static else "",
                sorted=("descending" if view.is_falling else "ascending") if is_sorted and not view.is_static else "",
            )
        )
    return columns


def _controls(board: Board, shown: Sequence[Line], view: View) -> list[tuple[str, str, Mapping[str, object]]]:
    controls: list[tuple[str, str, Mapping[str, object]]] = []
    if view.is_all and len(board.lines) > _N_TOP:
        controls.append(("show_top", view.link(is_all=False), {}))
    elif len(shown) < len(board.lines):
        controls.append(("show_all", view.link(is_all=True), {"n": f"{len(board.lines):,}"}))
    if not board.is_final:
        controls.append(("stop_refresh" if view.refreshes else "start_refresh", view.link(refreshes=not view.refreshes), {}))
    return controls
