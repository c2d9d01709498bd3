"""The standings page: choice and order of the lines, ties, intervals and links, ready for its template."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup

from arena.base.texts import Words
from leaderboard.contest.disclosure import Digits
from leaderboard.pages.board_cache import BoardLine, PublicBoard
from leaderboard.pages.board_chart import draw_chart
from leaderboard.pages.render import join_names, render_fragment
from leaderboard.pages.team_page import axis_ends, project
from leaderboard.standings import FEWEST_UNITS, METRICS, MetricColumn, Part, format_metrics, list_metrics

SORTS = ("rank", "team", "score", "final", *(metric.key for metric in METRICS), "attempts", "sent")
_FALLING = (  # columns that sort from the greatest first
    *("score", "final", "attempts", "sent"),
    *(metric.key for metric in METRICS if not metric.is_lower_better),
)
_N_TOP = 20
_N_NEAR = 3  # neighbours on each side of the reader's line


@dataclass(frozen=True, kw_only=True, slots=True)
class StandingsView:
    """Options of the page, as a reader's query sets them."""

    sort: str = "rank"
    is_falling: bool = False
    is_all: bool = False
    refreshes: bool = True
    team: str | None = None  # the reader's
    is_static: bool = False  # a file, without links to other views

    def link(self, **changes: object) -> str:
        """Return the link to this view with `changes` applied."""
        view = replace(self, **changes)  # type: ignore[arg-type]
        query: dict[str, str] = {}
        if (view.sort, view.is_falling) != ("rank", False):
            query |= {"sort": view.sort, "order": "desc" if view.is_falling else "asc"}
        query |= {"show": "all"} if view.is_all else {}
        query |= {} if view.refreshes else {"refresh": "no"}
        return f"?{urlencode(query)}"


def parse_view(query: Mapping[str, str], team: str | None) -> StandingsView:
    """Return the view that a query asks for; missing or invalid options keep their defaults."""
    sort = query.get("sort", "rank")
    return StandingsView(
        sort=sort if sort in SORTS else "rank",
        is_falling=query.get("order") == "desc",
        is_all=query.get("show") == "all",
        refreshes=query.get("refresh") != "no",
        team=team,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class TableColumn:
    title: str
    style: str
    link: str  # sorts by this column; empty: not sortable
    sorted: str  # ascending, descending, or empty


@dataclass(frozen=True, kw_only=True, slots=True)
class TableRow:
    """A row of the table; x are positions on the axis of the intervals."""

    line: BoardLine
    metrics: Sequence[str]  # rounded
    is_own: bool
    ranks: str  # that chance leaves open, empty: not tested
    x: float
    low_x: float
    high_x: float
    n_before: int  # hidden teams above this row


@dataclass(frozen=True, kw_only=True, slots=True)
class StandingsPage:
    """The context of the template."""

    lead: str
    luck: str  # in the first score of a closed contest; empty before
    note: str
    chart: Markup  # best public scores over time; empty where there is nothing to draw
    lines: Sequence[TableRow]
    columns: Sequence[TableColumn]
    has_significance: bool
    is_final: bool
    basis: str  # key of the text on the scores that rank; empty where all are public
    digits: Digits
    refreshes: bool
    low: float  # ends of the axis of the intervals
    high: float
    controls: Sequence[tuple[str, str, Mapping[str, object]]]  # key of the text, link, values for the text


def draw_standings(board: PublicBoard, view: StandingsView, words: Words) -> tuple[StandingsPage, Markup]:
    """Return the page of a board, and its table as HTML."""
    page = build_standings_page(board, view, words)
    return page, render_fragment("_standings.html.j2", words, board=page)


def build_standings_page(board: PublicBoard, view: StandingsView, words: Words) -> StandingsPage:
    """Return the context of the page."""
    visible = _select_lines(board, view)
    ends = axis_ends([line.low for line in board.lines], [line.high for line in board.lines])
    hidden = _count_hidden(board, visible, view)
    metrics = list_metrics(*(line.metrics for line in board.lines))
    first = board.lines[0] if board.lines else None
    return StandingsPage(
        lead=write_lead(board, words),
        luck=_write_luck(board, words),
        note="" if first is None else _write_note(board, first, words),
        chart=_render_chart(board, words),
        lines=[_build_row(line, metrics, ends, hidden.get(line.team, 0), view) for line in visible],
        columns=_list_columns(board, view, words),
        low=ends[0],
        high=ends[1],
        has_significance=board.has_significance,
        is_final=board.is_final,
        basis="" if board.final_part is Part.PUBLIC else f"{'ranked' if board.is_final else 'ranks'}_by_{board.final_part}",
        digits=board.digits,
        refreshes=view.refreshes and not board.is_final and not view.is_static,
        controls=[] if view.is_static else _list_controls(board, visible, view),
    )


def _render_chart(board: PublicBoard, words: Words) -> Markup:
    chart = draw_chart(board, words)
    return Markup() if chart is None else render_fragment("_chart.html.j2", words, chart=chart, digits=board.digits.score)


def _write_note(board: PublicBoard, line: BoardLine, words: Words) -> str:
    n, replicates = words.number(line.n_units), words.number(line.n_replicates)
    notes = [words("ranks_help")] if board.has_significance else []
    notes.append(words("intervals_over", n=n, unit=words(f"unit_{line.unit}"), replicates=replicates))
    if board.evidence.unit == "clips":
        n_speakers = board.evidence.n_speakers
        notes.append(words("over_few_speakers", n=n_speakers) if n_speakers else words("over_no_speakers"))
    if board.smallest_difference is not None:
        notes.append(words("told_apart", difference=f"{board.smallest_difference:.3g}"))
    return " ".join(notes)


def _write_luck(board: PublicBoard, words: Words) -> str:
    """Return one sentence on the luck in the first score of a closed contest; empty where none was estimated."""
    first = next((line for line in board.lines if line.luck is not None), None)
    if first is None or first.luck is None:
        return ""
    n_ranked, luck = sum(line.rank is not None for line in board.lines), first.luck
    numbers = {
        "attempts": luck.of_attempts,
        "of_rank": luck.of_rank,
        "total": luck.of_attempts + luck.of_rank,
        "expected": luck.expected,
        "score": first.score if first.final is None else first.final,
    }
    key = "luck_public" if first.final is None else f"luck_{board.final_part}"
    return words(key, team=first.name, n=n_ranked, **{name: f"{value:.4f}" for name, value in numbers.items()})


def write_lead(board: PublicBoard, words: Words) -> str:
    """Return one sentence on the leader, ties by chance included."""
    lines = [line for line in board.lines if line.rank is not None]
    if not lines:
        return words("nobody")
    first = lines[0]
    shared = [line.name for line in lines if line.rank == 1]
    others = [line.name for line in lines[1:] if line.could_be_first]
    if len(lines) == 1:
        return words("first_only", team=first.name)
    if len(shared) > 1 and len(shared) > len(others):
        return words("first_shared", teams=join_names(words, shared))
    if not board.has_significance:
        return words("first_plain", team=first.name, metric=board.metric)
    if not board.evidence.names_leader:
        few, unit = board.evidence.n_speakers or board.evidence.n_units, "speakers" if board.evidence.n_speakers else "clips"
        return words("first_few", team=first.name, n=few, unit=words(f"unit_{unit}"), needed=FEWEST_UNITS)
    if others:
        key = "first_tied_1" if len(others) == 1 else "first_tied_n"
        return words(key, team=first.name, n=len(others), others=join_names(words, others))
    return words("first_alone", team=first.name)


def _get_metric(key: str, line: BoardLine) -> float:
    value = line.metrics.get(key)
    return math.inf if value is None else value


def _sort_lines(board: PublicBoard, view: StandingsView) -> list[BoardLine]:
    place = {line.team: index for index, line in enumerate(board.lines)}
    keys: dict[str, Callable[[BoardLine], Any]] = {
        "rank": lambda line: line.rank or place[line.team],
        "team": lambda line: line.name.casefold(),
        "score": lambda line: line.score,
        "final": lambda line: line.score if line.final is None else line.final,
        **{metric.key: partial(_get_metric, metric.key) for metric in METRICS},
        "attempts": lambda line: line.n_attempts,
        "sent": lambda line: line.sent_at,
    }
    return sorted(board.lines, key=keys[view.sort], reverse=view.is_falling)  # stable: equal lines keep the order of ranks


def _select_lines(board: PublicBoard, view: StandingsView) -> list[BoardLine]:
    lines = _sort_lines(board, view)
    if view.is_all or view.is_static or len(lines) <= _N_TOP + 2 * _N_NEAR + 1:
        return lines
    own_index = next((index for index, line in enumerate(lines) if line.team == view.team), None)
    near = set() if own_index is None else set(range(own_index - _N_NEAR, own_index + _N_NEAR + 1))
    return [line for index, line in enumerate(lines) if index < _N_TOP or index in near]


def _count_hidden(board: PublicBoard, visible: Sequence[BoardLine], view: StandingsView) -> dict[str, int]:
    """Return the number of hidden teams above each visible one, by team, where there are any."""
    indices = {line.team: index for index, line in enumerate(_sort_lines(board, view))}
    gaps = {line.team: indices[line.team] - indices[before.team] - 1 for before, line in pairwise(visible)}
    return {team: n for team, n in gaps.items() if n > 0}


def _format_ranks(line: BoardLine) -> str:
    if line.rank_low is None:
        return ""
    return str(line.rank_low) if line.rank_low == line.rank_high else f"{line.rank_low}–{line.rank_high}"  # noqa: RUF001


def _build_row(
    line: BoardLine, metrics: Sequence[MetricColumn], ends: tuple[float, float], n_before: int, view: StandingsView
) -> TableRow:
    return TableRow(
        line=line,
        metrics=format_metrics(line.metrics, metrics),
        is_own=line.team == view.team,
        ranks=_format_ranks(line),
        x=project(line.score if line.final is None else line.final, ends),
        low_x=project(line.low, ends),
        high_x=project(line.high, ends),
        n_before=n_before,
    )


def _list_columns(board: PublicBoard, view: StandingsView, words: Words) -> list[TableColumn]:
    titles = [("rank", words("rank"), "n")]
    titles += [("", words("ranks"), "n"), ("", words("groups"), "wide letters")] if board.has_significance else []
    titles.append(("team", words("team"), "who"))
    if board.is_final:
        titles.append(("final", words(f"{board.final_part}_score", metric=board.metric), "n"))
        titles.append(("score", words("public_score", metric=board.metric), "n wide"))
    else:
        titles.append(("score", board.metric, "n"))
    titles.append(("", words("interval"), "spread"))
    metrics = list_metrics(*(line.metrics for line in board.lines))
    titles += [(key, words(key), "n wide") for key in (*(metric.key for metric in metrics), "attempts", "sent")]
    columns = []
    for key, title, style in titles:
        is_sorted = key == view.sort
        falls = not view.is_falling if is_sorted else key in _FALLING
        columns.append(
            TableColumn(
                title=title,
                style=style,
                link=view.link(sort=key, is_falling=falls) if key and not view.is_static else "",
                sorted=("descending" if view.is_falling else "ascending") if is_sorted and not view.is_static else "",
            )
        )
    return columns


def _list_controls(
    board: PublicBoard, visible: Sequence[BoardLine], view: StandingsView
) -> list[tuple[str, str, Mapping[str, object]]]:
    controls: list[tuple[str, str, Mapping[str, object]]] = []
    if view.is_all and len(board.lines) > _N_TOP:
        controls.append(("show_top", view.link(is_all=False), {}))
    elif len(visible) < len(board.lines):
        controls.append(("show_all", view.link(is_all=True), {"n": f"{len(board.lines):,}"}))
    if not board.is_final:
        controls.append(("stop_refresh" if view.refreshes else "start_refresh", view.link(refreshes=not view.refreshes), {}))
    return controls
