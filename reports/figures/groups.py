"""Figure of the main run's score by speaker, age, gender or accent, with intervals. Numbers first, drawing second."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from reports.facts.clips import GroupFacts, GroupingFacts
from reports.facts.report import RunFacts
from reports.figures.canvas import (
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
from reports.figures.scores import score_limits
from reports.wording.formats import score
from reports.wording.page_texts import Texts

MOST_ROWS = 24
_ROW_PX = 22
_NAME_PX = 128
_WIDTH_PX = 350


def group_limits(groupings: Sequence[GroupingFacts]) -> Limits:
    """Return limits for all groupings, so that they can be compared."""
    values = [x for grouping in groupings for group in visible_groups(grouping) for x in _values(group)]
    return score_limits(values)


def visible_groups(grouping: GroupingFacts) -> tuple[GroupFacts, ...]:
    """Return the first groups that fit; of many speakers these are the lowest."""
    return grouping.groups[:MOST_ROWS]


def _values(group: GroupFacts) -> list[float]:
    return [group.macro_f1, *((group.interval.low, group.interval.high) if group.interval else ())]


def group_plot(run: RunFacts, grouping: GroupingFacts, limits: Limits, t: Texts) -> str:
    """Draw a line per group: name, marker, interval, score."""
    groups = visible_groups(grouping)
    frame = PlotFrame(width=_WIDTH_PX, height=_ROW_PX * len(groups) + 44, left=_NAME_PX, right=46, top=4, bottom=40)

    def draw_row(axes: Axes, y: float, group: GroupFacts) -> None:
        Label(offset_px=_NAME_PX).left(axes, y, truncate(t.group(grouping.kind, group.name), _NAME_PX - 8))
        if group.interval:
            ends = [group.interval.low, group.interval.high]
            axes.plot(ends, [y, y], color=SOFT, linewidth=1.5, linestyle=filter_dash(run.variant))
        marker = augment_marker(run.variant)
        axes.plot([group.macro_f1], [y], marker=marker, markersize=6, color=model_colour(run.model, t), clip_on=False)
        Label(offset_px=42).right(axes, y, score(group.macro_f1))

    draw = rows_plot(frame, enumerate(groups), limits, draw_row, t("axis.test_f1"))
    return frame.to_svg(f"groups-{grouping.kind}", t("alt.groups", kind=t(f"group.{grouping.kind}")), draw)
