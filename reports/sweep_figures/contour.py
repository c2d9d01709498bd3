"""Contour plot of learning rate against batch size, blank far from every trial. Numbers first, drawing second."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator
from numpy.typing import NDArray

from reports.figures.canvas import INK, Limits, PlotFrame, augment_marker, x_title
from reports.sweep_figures.history import is_number, slug
from reports.wording.formats import leaf
from reports.wording.page_texts import Texts
from sweeps.results import StudyFacts

X, Y = "train.learning_rate", "train.batch_size"
CONTOUR = PlotFrame(width=350, height=200, left=38, right=10, top=8, bottom=34)
N_X, N_Y = 40, 24
_WIDTH = 0.18  # standard deviation of the kernel, where the searched range of each axis is 1
_FAR = 0.34  # distance from the nearest trial beyond which nothing is claimed
_FEWEST = 6
_N_BANDS = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """The smoothed value on a grid, NaN where no trial was near, and the trials."""

    xs: NDArray[np.float64]  # (N_X,) learning rates
    ys: NDArray[np.float64]  # (N_Y,) batch sizes
    values: NDArray[np.float64]  # (N_Y, N_X)
    points: tuple[tuple[float, float, float], ...]  # learning rate, batch size, value


def smooth_field(sweep: StudyFacts) -> Field | None:
    """Smooth the finished trials' values over both logarithms (Nadaraya-Watson 1964); None where these were not searched."""
    points = []
    for trial in sweep.trials:
        x, y, value = trial.params.get(X), trial.params.get(Y), trial.value
        if trial.state == "finished" and is_positive(x) and is_positive(y) and is_number(value):
            points.append((float(str(x)), float(str(y)), float(value or 0.0)))
    logs = np.log([(x, y) for x, y, _ in points]) if points else np.zeros((0, 2))
    if len(points) < _FEWEST or np.any(np.ptp(logs, axis=0) == 0):
        return None
    low, reach = logs.min(axis=0), np.ptp(logs, axis=0)
    positions = (logs - low) / reach
    across, up = np.linspace(0, 1, N_X), np.linspace(0, 1, N_Y)
    grid = np.stack(np.meshgrid(across, up), axis=-1)[:, :, None, :]  # (N_Y, N_X, 1, 2)
    distances = np.sqrt(((grid - positions) ** 2).sum(-1))  # (N_Y, N_X, N)
    weights = np.exp(-0.5 * (distances / _WIDTH) ** 2)
    values = (weights @ np.array([value for _, _, value in points])) / np.maximum(weights.sum(-1), 1e-12)
    values[distances.min(-1) > _FAR] = math.nan
    return Field(xs=np.exp(low[0] + reach[0] * across), ys=np.exp(low[1] + reach[1] * up), values=values, points=tuple(points))


def is_positive(value: object) -> bool:
    return isinstance(value, int | float) and is_number(value) and value > 0


def contour_plot(sweep: StudyFacts, limits: Limits, t: Texts) -> str:
    """Draw the field, dark to light as the metric rises; empty without one."""
    field = smooth_field(sweep)
    if field is None:
        return ""

    def draw(axes: Axes) -> None:
        axes.grid(visible=False)
        axes.set_xscale("log")
        axes.set_yscale("log")
        bands = np.linspace(*limits, _N_BANDS + 1)
        values = np.ma.masked_invalid(np.clip(field.values, *limits))
        axes.contourf(field.xs, field.ys, values, levels=bands, cmap="viridis", extend="neither")
        axes.plot(
            [x for x, _, _ in field.points], [y for _, y, _ in field.points], linestyle="none",
            marker=augment_marker(sweep.variant), markersize=3, color="#ffffff", markeredgecolor="#000000", markeredgewidth=0.5,
        )  # fmt: skip
        _, best_y, _ = best = max(field.points, key=lambda point: point[2] if sweep.is_maximized else -point[2])
        axes.plot([best[0]], [best_y], "*", markersize=11, color="#ffffff", markeredgecolor="#000000", markeredgewidth=0.8)
        axes.set_xlim(field.xs[0] * 0.9, field.xs[-1] * 1.1)
        axes.set_ylim(field.ys[0] * 0.85, field.ys[-1] * 1.18)
        sizes = sorted({y for _, y, _ in field.points})
        axes.set_yticks(sizes[:: -(-len(sizes) // 6)], [f"{y:g}" for y in sizes[:: -(-len(sizes) // 6)]])
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_locator(LogLocator(numticks=5))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axes.tick_params(labelcolor=INK)
        x_title(axes, f"{leaf(X)}{t('axis.log')}")

    return CONTOUR.to_svg(f"contour-{slug(sweep)}", t("alt.contour", name=sweep.name), draw)
