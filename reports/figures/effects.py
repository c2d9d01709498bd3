"""Figure of main effects and interactions on one axis around zero. Numbers first, drawing second."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from reports.facts.report import EffectFacts
from reports.figures.canvas import INK, RULE, SMALL_PX, SOFT, Label, Limits, PlotFrame, rows_plot, truncate
from reports.wording.formats import signed
from reports.wording.page_texts import Texts
from reports.wording.summary import effect_name

_ROW_PX = 24
_NAME_PX = 168


@dataclass(frozen=True, kw_only=True, slots=True)
class EffectRow:
    """One line: the effect, its interval, and the single sets of trainings that it is the mean of."""

    label: str
    value: float
    low: float
    high: float
    parts: tuple[float, ...]
    is_clear: bool
    is_main: bool


def effect_rows(effects: Sequence[EffectFacts], t: Texts) -> list[EffectRow]:
    """Return a row for each effect, in the given order: main effects, then interactions."""
    return [
        EffectRow(
            label=t("effect.with_model", b=t.model(t.models[-1])) if effect.factors == ("model",) else effect_name(effect, t),
            value=effect.difference.value,
            low=effect.difference.interval.low,
            high=effect.difference.interval.high,
            parts=tuple(value for _, value in effect.difference.parts),
            is_clear=effect.difference.is_clear,
            is_main=len(effect.factors) == 1,
        )
        for effect in effects
    ]


def effect_limits(rows: Sequence[EffectRow]) -> Limits:
    """Return limits around zero, as wide to both sides as the widest line needs."""
    reach = max((abs(x) for row in rows for x in (row.low, row.high, *row.parts)), default=0.01)
    return -1.06 * max(reach, 0.005), 1.06 * max(reach, 0.005)


def effect_plot(effects: Sequence[EffectFacts], width: float, t: Texts) -> str:
    """Draw a line per effect: large marker the mean, small ones the single pairs."""
    rows = effect_rows(effects, t)
    name_px = _NAME_PX if width > 400 else 132
    frame = PlotFrame(width=width, height=_ROW_PX * len(rows) + 38, left=name_px, right=52, top=4, bottom=34)

    draw_row = functools.partial(_row, name_px=name_px)
    draw_rows = rows_plot(frame, enumerate(rows), effect_limits(rows), draw_row, t("axis.difference"))

    def draw(axes: Axes) -> None:
        axes.axvline(0, color=SOFT, linewidth=1)
        draw_rows(axes)

    return frame.to_svg(f"effects-{width:g}", t("alt.effects"), draw)


def _row(axes: Axes, y: float, row: EffectRow, *, name_px: float) -> None:
    colour = INK if row.is_clear else SOFT
    Label(offset_px=name_px, colour=INK if row.is_main else SOFT).left(axes, y, truncate(row.label, name_px - 8))
    axes.plot(row.parts, [y] * len(row.parts), "o", markersize=3, color=RULE, markeredgecolor=SOFT, markeredgewidth=0.6)
    axes.plot([row.low, row.high], [y, y], color=colour, linewidth=2 if row.is_main else 1.2)
    axes.plot([row.value], [y], "o" if row.is_main else "s", markersize=7 if row.is_main else 5, color=colour)
    Label(offset_px=48, size=SMALL_PX + 1, colour=colour).right(axes, y, signed(row.value))
