"""Figure of parallel coordinates: a line per trial through its settings to its value. Numbers first, drawing second.

Written as SVG by hand, for a line has to be an element of its own that a pointer can find.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from reports.analysis.trial_sample import best_trials, sample_trials
from reports.figures.canvas import css_variable, model_colour
from reports.sweep_figures.history import is_number, slug
from reports.wording.formats import leaf, score, setting
from reports.wording.page_texts import Texts
from sweeps.results import ParameterFacts, StudyFacts, TrialFacts

WIDTH, HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 720.0, 210.0, 40.0, 46.0, 12.0, 34.0
MOST_LINES = 200
_MOST_TICKS = 6
_BEST_SHARE = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Axis:
    """One upright axis: `ticks` are (height 0 to 1, text)."""

    title: str
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialLine:
    """One trial: its heights on all axes, 0 to 1."""

    number: int
    heights: tuple[float, ...]
    is_best: bool  # among the best tenth
    label: str


def parallel_lines(sweep: StudyFacts, t: Texts) -> tuple[tuple[Axis, ...], tuple[TrialLine, ...]]:
    """Return axes (parameters, most important first, then the value) and lines of the finished trials, the best last."""
    trials = [trial for trial in sample_trials(sweep, MOST_LINES) if trial.state == "finished" and is_number(trial.value)]
    trials = [trial for trial in trials if all(parameter.name in trial.params for parameter in sweep.varied)]
    if len(trials) < 2 or not sweep.varied:
        return (), ()
    scales = [_scale(parameter, trials) for parameter in sweep.varied]
    values = [trial.value for trial in trials if trial.value is not None]
    low, high = min(values), max(values)
    axes = [Axis(title=leaf(parameter.name), ticks=ticks) for parameter, (ticks, _) in zip(sweep.varied, scales, strict=True)]
    axes.append(Axis(title=t.metric(sweep.metric), ticks=((0.0, score(low)), (1.0, score(high)))))
    best = {trial.number for trial in best_trials(sweep, max(1, round(_BEST_SHARE * sweep.n("finished"))))}
    lines = [
        TrialLine(
            number=trial.number,
            heights=(*(heights[n] for _, heights in scales), ((trial.value or 0.0) - low) / (high - low or 1)),
            is_best=trial.number in best,
            label=_label(trial, sweep, t),
        )
        for n, trial in enumerate(trials)
    ]
    return tuple(axes), tuple(sorted(lines, key=lambda line: (line.is_best, line.number)))


def _label(trial: TrialFacts, sweep: StudyFacts, t: Texts) -> str:
    names = [f"{leaf(parameter.name)} {setting(trial.params[parameter.name])}" for parameter in sweep.varied]
    return f"{t('word.trial')} {trial.number}: {score(trial.value)}, {', '.join(names)}"


def _scale(parameter: ParameterFacts, trials: Sequence[TrialFacts]) -> tuple[tuple[tuple[float, str], ...], list[float]]:
    """Return the ticks of an axis, and each trial's height on it."""
    values = [trial.params[parameter.name] for trial in trials]
    numbers = [float(value) for value in values if isinstance(value, int | float) and is_number(value)]
    levels = sorted(set(values), key=lambda v: (0, float(v), "") if isinstance(v, int | float) else (1, 0.0, str(v)))
    if len(numbers) < len(values) or (len(levels) <= _MOST_TICKS and not parameter.log):
        height = {level: (n + 0.5) / len(levels) for n, level in enumerate(levels)}
        step = -(-len(levels) // _MOST_TICKS)
        return tuple((height[level], setting(level)) for level in levels[::step]), [height[value] for value in values]
    is_log = parameter.log and min(numbers) > 0
    scaled = [math.log(number) if is_log else number for number in numbers]
    low, high = min(scaled), max(scaled)
    heights = [(x - low) / (high - low) if high > low else 0.5 for x in scaled]
    return ((0.0, f"{min(numbers):.3g}"), (1.0, f"{max(numbers):.3g}")), heights


def parallel_plot(sweep: StudyFacts, t: Texts) -> str:
    """Draw the lines; empty with fewer than two trials that have all settings."""
    axes, lines = parallel_lines(sweep, t)
    if not axes:
        return ""
    xs = [_LEFT + n * (WIDTH - _LEFT - _RIGHT) / (len(axes) - 1) for n in range(len(axes))]
    colour = css_variable(model_colour(sweep.model, t))
    parts = [f'<g class="lines" style="color:var({colour})">']
    for line in lines:
        path = "L".join(f"{x:.1f} {_y(height):.1f}" for x, height in zip(xs, line.heights, strict=True))
        kind = ' class="best"' if line.is_best else ""
        parts.append(f'<path{kind} d="M{path}"><title>{html.escape(line.label)}</title></path>')
    parts.append("</g>")
    for x, axis in zip(xs, axes, strict=True):
        parts.append(_axis(x, axis, is_last=x == xs[-1]))
    alt = html.escape(t("alt.parallel", name=sweep.name))
    size = f'viewBox="0 0 {WIDTH:g} {HEIGHT:g}" width="{WIDTH:g}" height="{HEIGHT:g}"'
    return f'<svg class="parallel" id="parallel-{slug(sweep)}" {size} role="img" aria-label="{alt}">{"".join(parts)}</svg>'


def _y(height: float) -> float:
    return HEIGHT - _BOTTOM - height * (HEIGHT - _TOP - _BOTTOM)


def _axis(x: float, axis: Axis, *, is_last: bool) -> str:
    ticks = "".join(
        f'<text x="{x + 5:.1f}" y="{_y(height) + 3.5:.1f}">{html.escape(text)}</text>' for height, text in axis.ticks
    )
    anchor = "end" if is_last else "middle"
    end = WIDTH if is_last else x
    title = f'<text class="axis" x="{end:.1f}" y="{HEIGHT - 8:g}" text-anchor="{anchor}">{html.escape(axis.title)}</text>'
    return f'<path class="axis" d="M{x:.1f} {_TOP:g}V{HEIGHT - _BOTTOM:g}"/>{ticks}{title}'
