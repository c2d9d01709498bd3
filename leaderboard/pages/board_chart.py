"""Chart of the board over time: the best public score of each of the top teams as a step line, drawn as SVG in two widths."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from arena.base.texts import Words
from leaderboard.deadline import format_utc
from leaderboard.pages.board_cache import BoardLine, PublicBoard

N_TEAMS = 8
_HEIGHT, _TOP, _BOTTOM, _LEFT = 280.0, 10.0, 26.0, 42.0
_LABEL_STEP = 17.0  # least distance of two labels
_LEADER = 16.0  # from the end of a line to its label
_STEPS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChartSize:
    """Width of a chart in CSS pixels, and of its labels."""

    style: str  # CSS class
    width: float
    right: float  # for the labels
    n_characters: int  # length of a label


SIZES = (
    ChartSize(style="wide", width=960, right=190, n_characters=24),
    ChartSize(style="narrow", width=350, right=112, n_characters=13),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChartLine:
    """A team's line; positions in CSS pixels."""

    path: str
    end_y: float
    label: str
    label_y: float
    leader: str  # path from the end of the line to the label


@dataclass(frozen=True, kw_only=True, slots=True)
class Tick:
    text: str
    position: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawing:
    """The chart in one width."""

    size: ChartSize
    height: float
    left: float
    right: float  # where the lines end
    bottom: float
    lines: Sequence[ChartLine]
    scores: Sequence[Tick]
    first: str  # moments at both ends, UTC
    last: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BoardChart:
    """The chart, its description and its numbers."""

    drawings: Sequence[Drawing]
    description: str
    rows: Sequence[tuple[str, datetime, float]]  # public name, moment, best score from then on


def draw_chart(board: PublicBoard, words: Words) -> BoardChart | None:
    """Return the chart of the top teams; None while nothing has happened at two moments."""
    lines = [line for line in board.lines if line.rank is not None and line.steps][:N_TEAMS]
    moments = [step.at for line in lines for step in line.steps]
    if len(set(moments)) < 2:
        return None
    spans = "; ".join(_describe(line, board.digits.score, words) for line in lines)
    return BoardChart(
        drawings=[_draw(lines, size) for size in SIZES],
        description=words("chart_alt", metric=board.metric, n=len(lines), spans=spans),
        rows=[(line.name, step.at, step.score) for line in lines for step in line.steps],
    )


def _describe(line: BoardLine, digits: int, words: Words) -> str:
    first, last = (f"{line.steps[index].score:.{digits}f}" for index in (0, -1))
    return words("chart_span", team=line.name, first=first, last=last)


def _draw(lines: Sequence[BoardLine], size: ChartSize) -> Drawing:
    moments = [step.at for line in lines for step in line.steps]
    scores = [step.score for line in lines for step in line.steps]
    first, last = min(moments), max(moments)
    ticks = _choose_ticks(min(scores), max(scores))
    low, high = ticks[0], ticks[-1]
    right, bottom = size.width - size.right, _HEIGHT - _BOTTOM

    def x(moment: datetime) -> float:
        return round(_LEFT + (moment - first) / (last - first) * (right - _LEFT), 1)

    def y(score: float) -> float:
        return round(bottom - (score - low) / (high - low) * (bottom - _TOP), 1)

    ends = [y(line.steps[-1].score) for line in lines]
    labels = _spread(ends, bottom)
    drawn = [
        ChartLine(
            path=f"M{x(line.steps[0].at)} {y(line.steps[0].score)}"
            + "".join(f"H{x(step.at)}V{y(step.score)}" for step in line.steps[1:])
            + f"H{right}",
            end_y=end_y,
            label=line.name if len(line.name) <= size.n_characters else f"{line.name[: size.n_characters - 1]}…",
            label_y=label_y,
            leader=f"M{right} {end_y}L{right + _LEADER - 4} {label_y}",
        )
        for line, end_y, label_y in zip(lines, ends, labels, strict=True)
    ]
    return Drawing(
        size=size,
        height=_HEIGHT,
        left=_LEFT,
        right=right,
        bottom=bottom,
        lines=drawn,
        scores=[Tick(text=f"{tick:g}", position=y(tick)) for tick in ticks],
        first=format_utc(first),
        last=format_utc(last),
    )


def _choose_ticks(low: float, high: float) -> list[float]:
    """Return two to six round values around all scores."""
    span = max(high - low, 1e-9)
    step = next((step for step in _STEPS if span / step <= 4), 10.0 ** math.ceil(math.log10(span / 4)))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(n * step, 6) for n in range(first, max(last, first + 1) + 1)]


def _spread(ends: Sequence[float], bottom: float) -> list[float]:
    """Return the heights of labels: near the ends of their lines, in their order, none over another."""
    order = sorted(range(len(ends)), key=lambda index: (ends[index], index))
    heights = [0.0] * len(ends)
    previous = _TOP - _LABEL_STEP
    for index in order:
        heights[index] = previous = max(ends[index], previous + _LABEL_STEP)
    limit = bottom
    for index in reversed(order):
        heights[index] = limit = min(heights[index], limit)
        limit -= _LABEL_STEP
    return [round(height, 1) for height in heights]
