"""Pareto front of a study with several objectives: the metric against the first cost. Numbers first, drawing second."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullLocator

from reports.figures.canvas import INK, SOFT, PlotFrame, augment_marker, model_colour, x_title
from reports.sweep_figures.history import is_number, slug
from reports.wording.page_texts import Texts
from sweeps.results import StudyFacts

FRONT = PlotFrame(width=350, height=200, left=38, right=10, top=8, bottom=34)
_WIDE = 10  # times the least cost, from which on the axis is logarithmic


@dataclass(frozen=True, kw_only=True, slots=True)
class FrontPoint:
    """A finished trial as it is drawn."""

    cost: float
    value: float
    is_feasible: bool
    is_on_front: bool


def list_front_points(sweep: StudyFacts) -> list[FrontPoint]:
    """List the finished trials by their first cost; none of a study with one objective."""
    numbers = {trial.number for trial in sweep.front}
    points = [
        FrontPoint(
            cost=trial.costs[sweep.objectives[0]],
            value=float(trial.value or 0.0),
            is_feasible=trial.is_feasible,
            is_on_front=trial.number in numbers,
        )
        for trial in sweep.trials
        if sweep.objectives and trial.state == "finished" and is_number(trial.value) and trial.costs
    ]
    return sorted(points, key=lambda point: (point.cost, point.value))


def front_plot(sweep: StudyFacts, t: Texts) -> str:
    """Draw every finished trial and, as steps, the front; empty without one."""
    points = list_front_points(sweep)
    if not points:
        return ""
    best = [point for point in points if point.is_on_front]
    others = {
        is_feasible: [point for point in points if not point.is_on_front and point.is_feasible is is_feasible]
        for is_feasible in (True, False)
    }
    colour, marker = model_colour(sweep.model, t), augment_marker(sweep.variant)

    def draw(axes: Axes) -> None:
        if points[-1].cost > _WIDE * points[0].cost > 0:
            axes.set_xscale("log")
            axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: _shorten(cost)))
        if len(sweep.objectives) == 1:
            axes.step([p.cost for p in best], [p.value for p in best], where="post", color=INK, linewidth=1.2)
        for group, style in ((others[True], marker), (others[False], "x")):
            axes.plot(
                [p.cost for p in group], [p.value for p in group], style, color=SOFT, markersize=4, markerfacecolor="none"
            )
        axes.plot([p.cost for p in best], [p.value for p in best], marker, color=colour, markersize=5, linestyle="none")
        x_title(axes, t(f"axis.{sweep.objectives[0]}"))

    return FRONT.to_svg(f"front-{slug(sweep)}", t("alt.front", name=sweep.name), draw)


def _shorten(cost: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if cost >= size:
            return f"{cost / size:g}{letter}"
    return f"{cost:g}"
