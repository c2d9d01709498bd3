"""Figure of the answer: macro-F1 of each training with its interval. Numbers first, drawing second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from reports.facts.report import GridCell
from reports.figures.canvas import (
    SMALL_PX,
    SOFT,
    Label,
    Limits,
    PlotFrame,
    augment_marker,
    filter_dash,
    model_colour,
    rows_plot,
    truncate,
)
from reports.wording.formats import score, variant_name
from reports.wording.page_texts import Texts

DOT_ROW_PX = 21
_HEADING_PX = 300  # a heading has the whole line


@dataclass(frozen=True, kw_only=True, slots=True)
class DotRow:
    """One line of the dot plot; a heading has neither run nor value."""

    y: float
    label: str
    model: str
    variant: str
    value: float | None
    low: float | None
    high: float | None
    val: float | None
    is_chosen: bool
    is_heading: bool = False


def dot_rows(cells: Sequence[GridCell], chosen: str, t: Texts) -> list[DotRow]:
    """Return a row for each training under a heading per model, from top to bottom at y = 0, 1, 2, ..."""
    rows: list[DotRow] = []
    for cell in cells:
        if not rows or rows[-1].model != cell.model:
            empty: dict[str, None] = dict.fromkeys(("value", "low", "high", "val"))
            y = rows[-1].y + 1.3 if rows else 0.0
            label = t.introduce(cell.model)
            rows.append(DotRow(y=y, label=label, model=cell.model, variant="", is_chosen=False, is_heading=True, **empty))
        run = cell.run
        rows.append(
            DotRow(
                y=rows[-1].y + 1,
                label=variant_name(cell.variant),
                model=cell.model,
                variant=cell.variant,
                value=run.test.macro_f1 if run and run.test else None,
                low=run.interval.low if run and run.interval else None,
                high=run.interval.high if run and run.interval else None,
                val=run.val.macro_f1 if run and run.val else None,
                is_chosen=bool(run and run.digest == chosen),
            )
        )
    return rows


def score_limits(values: Sequence[float | None]) -> Limits:
    """Return a range that holds all scores with a little margin, inside 0 to 1."""
    scores = [value for value in values if value is not None]
    if not scores:
        return 0.0, 1.0
    low, high = min(scores), max(scores)
    air = max(0.06 * (high - low), 0.004)
    return max(0.0, low - air), min(1.0, high + air)


def dot_plot(cells: Sequence[GridCell], chosen: str, width: float, t: Texts) -> str:
    """Draw test macro-F1 of each training with its interval, a tick for validation; the same lines at any width."""
    rows = dot_rows(cells, chosen, t)
    frame = PlotFrame(width=width, height=DOT_ROW_PX * (rows[-1].y + 1) + 38, left=108, right=46, top=4, bottom=34)
    values = [value for row in rows for value in (row.value, row.low, row.high, row.val)]

    lines = ((row.y, row) for row in rows)
    draw = rows_plot(frame, lines, score_limits(values), lambda axes, _, row: _dot_row(axes, row, t), t("axis.test_f1"))
    return frame.to_svg(f"dots-{width:g}", t("alt.dots"), draw)


def _dot_row(axes: Axes, row: DotRow, t: Texts) -> None:
    colour = model_colour(row.model, t)
    if row.is_heading:
        Label(offset_px=108, colour=colour, weight="bold").left(axes, row.y, truncate(row.label, _HEADING_PX))
        return
    weight = "bold" if row.is_chosen else "normal"
    Label(offset_px=108, weight=weight).left(axes, row.y, row.label)
    if row.value is None:
        Label(offset_px=42, colour=SOFT, size=SMALL_PX).right(axes, row.y, t("word.missing"))
        return
    if row.low is not None and row.high is not None:
        axes.plot([row.low, row.high], [row.y] * 2, color=colour, linewidth=2, linestyle=filter_dash(row.variant))
        axes.plot(
            [row.low, row.high], [row.y] * 2, "|", color=colour, markersize=5, markeredgewidth=1.5
        )  # a dash may end early
    if row.val is not None:
        axes.plot([row.val], [row.y], marker="|", markersize=10, color=SOFT, markeredgewidth=1.2, clip_on=False)
    size = 6 if augment_marker(row.variant) == "D" else 7
    axes.plot([row.value], [row.y], marker=augment_marker(row.variant), markersize=size, color=colour, clip_on=False)
    Label(offset_px=42, weight=weight).right(axes, row.y, score(row.value))
