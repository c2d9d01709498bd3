"""Confusion matrices: the chosen training's large with its counts, all eight small. Shade is the root of a row's share."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from reports.facts import RunFacts
from reports.formats import cell_name
from reports.svg import INK, PAPER, RULE, SMALL_PX, SOFT, TEXT_PX, Frame, model_colour

SMALL = Frame(width=170, height=164, left=14, right=2, top=2, bottom=14)
LARGE = Frame(width=380, height=380, left=40, right=4, top=4, bottom=40)
_DARK_SHADE = 0.75  # from here on a count is set in the colour of the paper


def shades(confusion: Sequence[Sequence[int]]) -> list[list[float]]:
    """The root of each cell's share of its row, 0 to 1: one clip of a hundred still shows as a tenth."""
    return [[math.sqrt(n / sum(row)) if n else 0.0 for n in row] for row in confusion]


def large_matrix(run: RunFacts) -> str:
    """The test confusion matrix with its counts."""

    def draw(axes: Axes) -> None:
        _cells(axes, run, has_counts=True)
        axes.tick_params(labelsize=TEXT_PX)
        axes.set_xlabel("predicted digit", color=SOFT, size=SMALL_PX, labelpad=3)
        axes.set_ylabel("spoken digit", color=SOFT, size=SMALL_PX, labelpad=3)

    return LARGE.to_svg(
        f"matrix-large-{run.digest}", f"Test confusion matrix with counts, {cell_name(run.model, run.variant)}", draw
    )


def small_matrix(run: RunFacts) -> str:
    """The test confusion matrix in shades alone."""

    def draw(axes: Axes) -> None:
        _cells(axes, run, has_counts=False)
        axes.tick_params(labelsize=9, pad=2)

    return SMALL.to_svg(f"matrix-{run.digest}", f"Test confusion matrix, {cell_name(run.model, run.variant)}", draw)


def _cells(axes: Axes, run: RunFacts, *, has_counts: bool) -> None:
    confusion = run.test.confusion if run.test else ()
    n = len(confusion)
    axes.grid(visible=False)
    axes.set_xlim(-0.5, n - 0.5)
    axes.set_ylim(n - 0.5, -0.5)
    axes.set_xticks(range(n), run.labels)
    axes.set_yticks(range(n), run.labels)
    axes.add_patch(Rectangle((-0.5, -0.5), n, n, fill=False, edgecolor=RULE, linewidth=1, clip_on=False))
    for i, row in enumerate(shades(confusion)):
        for j, shade in enumerate(row):
            if not shade:
                continue
            axes.add_patch(
                Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=model_colour(run.model), alpha=round(shade, 2), linewidth=0)
            )
            if has_counts:
                colour = PAPER if shade > _DARK_SHADE else INK
                axes.text(j, i, str(confusion[i][j]), ha="center", va="center_baseline", size=TEXT_PX, color=colour)
