"""Figures of one study: history, a slice per parameter, importances. Numbers first, drawing second."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from reports.analysis.trial_sample import sample_trials
from reports.figures.canvas import INK, RULE, SOFT, TEXT_PX, Limits, PlotFrame, augment_marker, model_colour, x_title
from reports.wording.formats import leaf, score, setting, whole_percent
from reports.wording.page_texts import Texts
from sweeps.results import ParameterFacts, StudyFacts, TrialFacts

HISTORY = PlotFrame(width=350, height=176, left=34, right=40, top=8, bottom=34)
SLICE = PlotFrame(width=172, height=132, left=30, right=8, top=6, bottom=32)
_BAR_PX = 22
_LETTER_PX = 5.6  # mean width of digits and small letters at 10 pixels
_MOST_LEVELS = 8  # more distinct numbers make an axis, fewer are levels


def metric_limits(sweeps: Sequence[StudyFacts]) -> Limits:
    """Return one range for all studies of one metric: all but the worst tenth of the finished trials, with a margin."""
    finished = [trial.value for sweep in sweeps for trial in sweep.trials if trial.state == "finished"]
    values = sorted((value for value in finished if value is not None and is_number(value)), reverse=not sweeps[0].is_maximized)
    if not values:
        return 0.0, 1.0
    ends = values[len(values) // 10], values[-1]
    air = max(0.08 * abs(ends[1] - ends[0]), 1e-3)
    return min(ends) - air, max(ends) + air


def is_number(value: object) -> bool:
    """Return True for a value or parameter that can stand on an axis."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def running_best(sweep: StudyFacts) -> list[tuple[int, float]]:
    """Return (trial, best value so far) of the finished trials: each that was better, and the last trial."""
    steps: list[tuple[int, float]] = []
    for trial in sweep.trials:
        if trial.state != "finished" or trial.value is None or not is_number(trial.value) or not trial.is_feasible:
            continue
        if not steps or ((trial.value > steps[-1][1]) == sweep.is_maximized and trial.value != steps[-1][1]):
            steps.append((trial.number, trial.value))
    if steps and sweep.trials[-1].number > steps[-1][0]:
        steps.append((sweep.trials[-1].number, steps[-1][1]))
    return steps


@dataclass(frozen=True, kw_only=True, slots=True)
class Dot:
    """A trial as it is drawn: `y` is held inside the limits, `is_below` where it had to be."""

    x: float
    y: float
    is_below: bool
    is_pruned: bool


def dots(trials: Sequence[TrialFacts], xs: Sequence[float], limits: Limits) -> list[Dot]:
    """Return the dots of trials that have a value, at their `xs`."""
    low, high = limits
    return [
        Dot(x=x, y=min(max(trial.value, low), high), is_below=not low <= trial.value <= high, is_pruned=trial.state == "pruned")
        for trial, x in zip(trials, xs, strict=True)
        if trial.value is not None and is_number(trial.value) and trial.state in ("finished", "pruned")
    ]


def history_plot(sweep: StudyFacts, limits: Limits, t: Texts) -> str:
    """Draw every trial in its order (of thousands a sample), the best so far as a line."""
    visible = sample_trials(sweep)

    def draw(axes: Axes) -> None:
        axes.set_xlim(-1, max(sweep.trials[-1].number + 1 if sweep.trials else 0, 2))
        axes.set_ylim(*limits)
        points = dots(visible, [trial.number for trial in visible], limits)
        _plot_dots(axes, sweep, points, model_colour(sweep.model, t))
        failed = [trial.number for trial in visible if trial.state == "failed"]
        if failed:
            axes.plot(failed, [limits[0]] * len(failed), "x", color=INK, markersize=5, markeredgewidth=1.2, clip_on=False)
        steps = running_best(sweep)
        if steps:
            axes.step(*zip(*steps, strict=True), where="post", color=INK, linewidth=1.4)
            axes.annotate(
                score(steps[-1][1]),
                (1, steps[-1][1]),
                (3, 0),
                xycoords=axes.get_yaxis_transform(),
                textcoords="offset points",
                va="center",
                color=INK,
                size=TEXT_PX,
                weight="bold",
            )
        x_title(axes, t("word.trial"))

    return HISTORY.to_svg(f"history-{slug(sweep)}", t("alt.history", name=sweep.name), draw)


def slice_xs(parameter: ParameterFacts, trials: Sequence[TrialFacts]) -> tuple[list[float], list[str]]:
    """Return each trial's x on a parameter's axis, and the names of its levels; no names where it is a scale.

    Levels are 0, 1, 2, ..., and trials spread around theirs by their number, so that equal values do not hide each other.
    """
    values = [trial.params.get(parameter.name) for trial in trials]
    is_fine = parameter.log or any(isinstance(value, float) for value in values) or len(set(values)) > _MOST_LEVELS
    is_scale = is_fine and parameter.kind != "categorical" and all(is_number(value) for value in values)
    if is_scale:
        return [float(value) for value in values if isinstance(value, int | float)], []
    ranked = {value for value in values if value is not None}
    ordered = sorted(ranked, key=lambda v: (0, float(v), "") if isinstance(v, int | float) else (1, 0.0, str(v)))
    index = {value: n for n, value in enumerate(ordered)}
    xs = [index.get(value, -9) + ((trial.number * 0.618) % 1 - 0.5) * 0.5 for value, trial in zip(values, trials, strict=True)]
    return xs, [setting(value) for value in ordered]


def label_levels(levels: Sequence[str], width_px: float) -> range:
    """Choose the levels to name on an axis: all, or every second, third, ..., so that the names do not touch."""
    for step in range(1, len(levels) + 1):
        widest = max(len(name) for name in levels[::step]) + 1.5
        if widest * _LETTER_PX <= step * width_px / (len(levels) + 0.2):
            return range(0, len(levels), step)
    return range(0, len(levels), max(len(levels), 1))


def slice_plot(sweep: StudyFacts, parameter: ParameterFacts, limits: Limits, t: Texts) -> str:
    """Draw value against one parameter."""
    trials = [trial for trial in sample_trials(sweep) if parameter.name in trial.params]
    xs, levels = slice_xs(parameter, trials)

    def draw(axes: Axes) -> None:
        axes.set_ylim(*limits)
        if levels:
            axes.set_xlim(-0.6, len(levels) - 0.4)
            visible = label_levels(levels, SLICE.width - SLICE.left - SLICE.right)
            axes.set_xticks(visible, [levels[n] for n in visible])
        elif parameter.log and min(xs, default=1.0) > 0:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(numticks=5))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        _plot_dots(axes, sweep, dots(trials, xs, limits), model_colour(sweep.model, t), size=3.5)
        x_title(axes, leaf(parameter.name) + (t("axis.log") if parameter.log and not levels else ""))

    name = f"slice-{slug(sweep)}-{parameter.name.replace('.', '-')}"
    return SLICE.to_svg(name, t("alt.slice", parameter=leaf(parameter.name), name=sweep.name), draw)


def importance_plot(sweep: StudyFacts, t: Texts) -> str:
    """Draw a bar per parameter; empty where the study has no importances."""
    ranked = [parameter for parameter in sweep.varied if parameter.name in sweep.importances]
    if not ranked:
        return ""
    frame = PlotFrame(width=350, height=_BAR_PX * len(ranked) + 12, left=112, right=48, top=6, bottom=6)

    def draw(axes: Axes) -> None:
        axes.grid(visible=False)
        axes.set_xlim(0, 1)
        axes.set_xticks([])
        axes.set_ylim(len(ranked) - 0.5, -0.5)
        axes.set_yticks(range(len(ranked)), [leaf(parameter.name) for parameter in ranked])
        axes.tick_params(labelcolor=INK, labelsize=TEXT_PX)
        for y, parameter in enumerate(ranked):
            importance = sweep.importances[parameter.name]
            axes.barh(y, 1, height=0.12, color=RULE)
            axes.barh(y, importance.share, height=0.36, color=model_colour(sweep.model, t))
            axes.plot((importance.low, importance.high), (y, y), color=INK, linewidth=1)
            axes.annotate(
                whole_percent(importance.share),
                (1, y),
                (44, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                color=INK,
                size=TEXT_PX,
            )

    return frame.to_svg(f"importances-{slug(sweep)}", t("alt.importances", name=sweep.name), draw)


def slug(sweep: StudyFacts) -> str:
    """Return the study's name as letters and digits that can be part of an id."""
    return "".join(c if c.isascii() and c.isalnum() else f"-{ord(c):x}-" for c in sweep.name)


def _plot_dots(axes: Axes, sweep: StudyFacts, points: Sequence[Dot], colour: str, size: float = 4.5) -> None:
    groups = (
        ([p for p in points if not p.is_below and not p.is_pruned], augment_marker(sweep.variant), colour, colour),
        ([p for p in points if not p.is_below and p.is_pruned], augment_marker(sweep.variant), "none", SOFT),
        ([p for p in points if p.is_below], "v", "none", SOFT),
    )
    for group, marker, face, edge in groups:
        if group:
            axes.plot(
                [p.x for p in group], [p.y for p in group], linestyle="none", marker=marker, markersize=size,
                markerfacecolor=face, markeredgecolor=edge, markeredgewidth=0.9, alpha=0.85, clip_on=False,
            )  # fmt: skip
