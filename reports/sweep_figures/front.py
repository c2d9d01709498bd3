"""Score against cost with the Pareto front, of a study's trials or of trainings. Numbers first, drawing second."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from reports.facts.report import RunFacts
from reports.figures.canvas import INK, SMALL_PX, SOFT, PlotFrame, augment_marker, model_colour, x_title
from reports.sweep_figures.history import is_number, slug
from reports.wording.page_texts import Texts
from sweeps.results import StudyFacts, TrialFacts

FRONT = PlotFrame(width=350, height=200, left=38, right=10, top=8, bottom=34)
_WIDE = 10  # times the least cost, from which on the axis is logarithmic
_MOST_LABELS = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class FrontPoint:
    """A trial or training as it is drawn; `low` and `high` are the ends of its interval."""

    cost: float
    value: float
    low: float
    high: float
    label: str
    model: str
    variant: str
    is_feasible: bool = True
    is_on_front: bool = False


def list_front_points(sweep: StudyFacts) -> list[FrontPoint]:
    """List the finished trials by their first cost, with the range of their trainings; none of a study with one objective."""
    numbers = {trial.number for trial in sweep.front}
    points = []
    for trial in sweep.trials:
        if not (sweep.objectives and trial.state == "finished" and is_number(trial.value) and trial.costs):
            continue
        low, high = _list_range(sweep, trial)
        points.append(
            FrontPoint(
                cost=trial.costs[sweep.objectives[0]],
                value=float(trial.value or 0.0),
                low=low,
                high=high,
                label=str(trial.number),
                model=sweep.model,
                variant=sweep.variant,
                is_feasible=trial.is_feasible,
                is_on_front=trial.number in numbers,
            )
        )
    return sorted(points, key=lambda point: (point.cost, point.value))


def _list_range(sweep: StudyFacts, trial: TrialFacts) -> tuple[float, float]:
    """Return the least and the most of a trial's trainings; of a single one its value twice."""
    values = list(trial.epochs.values()) if sweep.n_trainings > 1 else [float(trial.value or 0.0)]
    return min(values), max(values)


def list_run_points(runs: Iterable[RunFacts]) -> list[FrontPoint]:
    """List trainings by their multiply-adds, with test macro-F1 and its interval."""
    points = [
        FrontPoint(
            cost=run.n_multiply_adds,
            value=run.test.macro_f1,
            low=run.interval.low,
            high=run.interval.high,
            label=run.model,
            model=run.model,
            variant=run.variant,
        )
        for run in runs
        if run.test and run.interval and run.n_multiply_adds
    ]
    points.sort(key=lambda point: (point.cost, -point.value))
    best = [-1.0, *itertools.accumulate((point.value for point in points), max)]
    return [replace(point, is_on_front=point.value > before) for point, before in zip(points, best, strict=False)]


def front_plot(sweep: StudyFacts, t: Texts) -> str:
    """Draw every finished trial and, as steps where the study has one cost, the front; empty without one."""
    points = list_front_points(sweep)
    if not points:
        return ""
    steps = [point for point in points if point.is_on_front and len(sweep.objectives) == 1]
    draw = _make_draw(points, steps, t(f"axis.{sweep.objectives[0]}"), t)
    return FRONT.to_svg(f"front-{slug(sweep)}", t("alt.front", name=sweep.name), draw)


def cost_plot(runs: Sequence[RunFacts], t: Texts) -> str:
    """Draw the trainings of several nets and, as steps, their front; empty where all cost the same."""
    points = list_run_points(runs)
    if len({point.cost for point in points}) < 2:
        return ""
    steps = [point for point in points if point.is_on_front]
    return FRONT.to_svg("front-runs", t("alt.cost"), _make_draw(points, steps, t("axis.multiply_adds"), t))


def _make_draw(points: Sequence[FrontPoint], steps: Sequence[FrontPoint], title: str, t: Texts) -> Callable[[Axes], None]:
    best = [point for point in points if point.is_on_front]
    others = [point for point in points if not point.is_on_front]

    def draw(axes: Axes) -> None:
        if points[-1].cost > _WIDE * points[0].cost > 0:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda cost, _: _shorten(cost)))
        axes.step([p.cost for p in steps], [p.value for p in steps], where="post", color=SOFT, linewidth=1)
        axes.vlines([p.cost for p in others], [p.low for p in others], [p.high for p in others], color=SOFT, linewidth=1)
        for marker in ("o", "D", "x"):
            group = [p for p in others if marker == (augment_marker(p.variant) if p.is_feasible else "x")]
            axes.plot(
                [p.cost for p in group], [p.value for p in group], marker, color=SOFT, markersize=4, markerfacecolor="none"
            )
        for p in best:
            axes.vlines(p.cost, p.low, p.high, color=model_colour(p.model, t), linewidth=2)
            axes.plot(p.cost, p.value, augment_marker(p.variant), color=model_colour(p.model, t), markersize=5)
        for p in best[:_MOST_LABELS]:
            side, x = ("right", -5) if p.cost == points[-1].cost else ("left", 5)  # within the frame
            axes.annotate(p.label, (p.cost, p.value), (x, -10), ha=side, textcoords="offset points", color=INK, size=SMALL_PX)
        x_title(axes, title)

    return draw


def _shorten(cost: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if cost >= size:
            return f"{cost / size:g}{letter}"
    return f"{cost:g}"
