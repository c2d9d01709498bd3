"""Curves of learning: one set of curves against epochs, updates and seconds, a colour for each value of a setting."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from reports.facts.learning import LearningCurve, LearningFacts, LearningPoint
from reports.figures.canvas import MODEL_COLOURS, RULE, PlotFrame, x_title
from reports.wording.page_texts import Texts

_FRAME = PlotFrame(width=232, height=150, left=30, right=8, top=8, bottom=32)
_AXES: dict[str, Callable[[LearningPoint], float]] = {
    "epochs": lambda point: point.epochs,
    "updates": lambda point: point.updates,
    "seconds": lambda point: point.seconds,
}


def learning_panels(facts: LearningFacts, t: Texts) -> tuple[str, ...]:
    """Draw the validation macro-F1 of each value at its best learning rate, three times; the band is that of the seeds."""
    return tuple(_panel(facts, name, t) for name in _AXES)


def value_colour(number: int) -> str:
    """Return the colour of the value that comes at `number` from 0."""
    return MODEL_COLOURS[number]


def _panel(facts: LearningFacts, name: str, t: Texts) -> str:
    find_x, curves = _AXES[name], facts.best

    def draw(axes: Axes) -> None:
        if name != "epochs" and _is_wide([find_x(point) for curve in curves for point in curve.points]):
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.7g}"))
            axes.xaxis.set_minor_formatter(NullFormatter())
        axes.axhline(facts.score, color=RULE, linewidth=1.5, linestyle=(0, (2, 2)))
        for number, curve in enumerate(curves):
            _draw_curve(axes, curve, find_x, value_colour(number))
        axes.set_ylim(0, 1)
        x_title(axes, t(f"learning.{name}"))

    alt = t("alt.learning", axis=t(f"learning.{name}"), setting=t(f"learning.{facts.axis}"))
    return _FRAME.to_svg(f"learning-{facts.axis}-{name}", alt, draw)


def _draw_curve(axes: Axes, curve: LearningCurve, find_x: Callable[[LearningPoint], float], colour: str) -> None:
    x = [find_x(point) for point in curve.points]
    scores = [point.f1 for point in curve.points]
    axes.fill_between(x, [f1.low for f1 in scores], [f1.high for f1 in scores], color=colour, alpha=0.2, linewidth=0)
    axes.plot(x, [f1.mean for f1 in scores], color=colour, linewidth=2, marker="o" if len(x) == 1 else "", markersize=4)


def _is_wide(values: Sequence[float]) -> bool:
    """Return whether the values span so much that a logarithmic axis shows more."""
    return bool(values) and min(values) > 0 and math.log10(max(values) / min(values)) > 1.5
