"""Curves of loss and macro-F1 by epoch, one small picture per training on shared axes. Numbers first, drawing second."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from reports.facts.report import RunFacts
from reports.figures.canvas import SMALL_PX, SOFT, Limits, PlotFrame, augment_marker, filter_dash, model_colour, x_title
from reports.wording.page_texts import Texts

CURVE = PlotFrame(width=216, height=106, left=28, right=33, top=8, bottom=32)


def loss_limits(runs: Sequence[RunFacts]) -> Limits:
    """Return 0 and the largest loss of any run, at most twice the loss of guessing: a diverged run leaves the picture."""
    losses = [x for run in runs for p in run.curve for x in (p.train_loss, p.val_loss) if math.isfinite(x)]
    guessing = math.log(max((len(run.labels) for run in runs), default=10) or 10)
    return 0.0, min(max(losses, default=1.0) * 1.03, 2 * guessing)


def f1_limits(runs: Sequence[RunFacts]) -> Limits:
    """Return the tenth below all scores after the first quarter of the epochs, and 1."""
    late = [
        x
        for run in runs
        for p in run.curve
        if p.epoch > len(run.curve) / 4
        for x in (p.train_macro_f1, p.val_macro_f1)
        if math.isfinite(x)
    ]
    return math.floor(10 * min(late, default=0.0)) / 10, 1.0


def loss_curves(run: RunFacts, limits: Limits, n_epochs: int, t: Texts) -> str:
    """Draw train and validation loss of one run."""
    series = [(p.epoch, p.train_loss, p.val_loss) for p in run.curve]
    return _curves(run, _Plot(name="loss", quantity=t("word.loss"), series=series, limits=limits, n_epochs=n_epochs), t)


def f1_curves(run: RunFacts, limits: Limits, n_epochs: int, t: Texts) -> str:
    """Draw train and validation macro-F1 of one run."""
    series = [(p.epoch, p.train_macro_f1, p.val_macro_f1) for p in run.curve]
    return _curves(run, _Plot(name="f1", quantity="macro-F1", series=series, limits=limits, n_epochs=n_epochs), t)


def label_heights(train: float, val: float, limits: Limits, least: float = 0.17) -> Limits:
    """Return the heights of the two line labels (0 to 1 of the axes' height), at least `least` apart."""
    low, high = limits
    true = [(y - low) / (high - low or 1) if math.isfinite(y) else 0.5 for y in (train, val)]
    heights = [min(max(height, 0.05), 0.95) for height in true]
    gap = abs(heights[0] - heights[1])
    if gap >= least:
        return heights[0], heights[1]
    up = 1 if true[0] >= true[1] else -1
    middle = min(max(sum(heights) / 2, 0.05 + least / 2), 0.95 - least / 2)
    return middle + up * least / 2, middle - up * least / 2


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plot:
    name: str  # in ids
    quantity: str
    series: list[tuple[int, float, float]]  # epoch, train, validation
    limits: Limits
    n_epochs: int


def _curves(run: RunFacts, plot: _Plot, t: Texts) -> str:
    series, limits = plot.series, plot.limits

    def draw(axes: Axes) -> None:
        axes.set_xlim(1, max(plot.n_epochs, 2))
        axes.set_ylim(*limits)
        epochs = [epoch for epoch, _, _ in series]
        colour = model_colour(run.model, t)
        dash = filter_dash(run.variant)
        axes.plot(epochs, [train for _, train, _ in series], color=SOFT, linewidth=1.2, linestyle=dash)
        axes.plot(epochs, [val for _, _, val in series], color=colour, linewidth=2, linestyle=dash)
        best = next(((epoch, val) for epoch, _, val in series if epoch == run.best_epoch), None)
        if best and limits[0] <= best[1] <= limits[1]:
            axes.plot(*best, marker=augment_marker(run.variant), markersize=6, color=colour, clip_on=False)
        if series:
            _line_labels(axes, series[-1], limits, (t("word.train"), t("word.val"), colour))
        x_title(axes, t("word.epoch"))

    alt = t("alt.curves", what=plot.quantity, name=t.cell(run.model, run.variant))
    return CURVE.to_svg(f"{plot.name}-{run.digest}", alt, draw)


def _line_labels(axes: Axes, last: tuple[int, float, float], limits: Limits, words: tuple[str, str, str]) -> None:
    epoch, train, val = last
    train_word, val_word, colour = words
    end = epoch / axes.get_xlim()[1]
    for text, height, ink in zip((train_word, val_word), label_heights(train, val, limits), (SOFT, colour), strict=True):
        axes.annotate(
            text,
            (min(end, 1.0), height),
            (8, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            va="center",
            color=ink,
            size=SMALL_PX,
        )
