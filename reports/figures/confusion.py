"""Confusion matrices: the chosen training's large with its counts, all eight small. Shade is the root of a row's share."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from reports.facts.report import RunFacts
from reports.figures.canvas import (
    INK,
    PAPER,
    RULE,
    SMALL_PX,
    SOFT,
    TEXT_PX,
    PlotFrame,
    css_variable,
    measure_px,
    model_colour,
    truncate,
)
from reports.wording.page_texts import Texts

_SMALL_PX, _SMALL_LEFT = 154, 14
_LARGE_PX, _MARGIN_PX = 336, 40  # the large matrix, and its axis with labels of one letter
_LETTER_PX, _LABEL_PX = 12, 96  # room for one letter, and the most that a label takes of a margin
_LEAST_PX = 6  # smaller letters are left out
_DARK_SHADE = 0.75  # darker cells have their count in the colour of the paper


def shades(confusion: Sequence[Sequence[int]]) -> list[list[float]]:
    """Return the root of each cell's share of its row, 0 to 1: one clip of a hundred still counts as a tenth."""
    return [[math.sqrt(n / sum(row)) if n else 0.0 for n in row] for row in confusion]


def large_matrix(run: RunFacts, t: Texts) -> str:
    """Draw the test confusion matrix with its counts."""

    labels = [truncate(label, _LABEL_PX) for label in run.labels]
    wide = max(_MARGIN_PX, _MARGIN_PX - _LETTER_PX + max(map(measure_px, labels)))
    cell_px = _LARGE_PX / len(labels)

    def draw(axes: Axes) -> None:
        _cells(axes, run, t)
        step = math.ceil(_LEAST_PX / cell_px)  # with very many classes some are named
        ticks = range(0, len(labels), step)
        axes.set_yticks(ticks, labels[::step])
        axes.set_xticks(ticks, labels[::step], rotation=90 if wide > _MARGIN_PX else 0)
        axes.tick_params(labelsize=min(TEXT_PX, max(_LEAST_PX, step * cell_px)))
        axes.set_xlabel(t("axis.predicted"), color=SOFT, size=SMALL_PX, labelpad=3)
        axes.set_ylabel(t("axis.spoken"), color=SOFT, size=SMALL_PX, labelpad=3)

    alt = t("alt.matrix_counts", name=t.cell(run.model, run.variant))
    frame = PlotFrame(width=_LARGE_PX + wide + 4, height=_LARGE_PX + wide + 4, left=wide, right=4, top=4, bottom=wide)
    return frame.to_svg(f"matrix-large-{run.digest}", alt, draw)


def small_matrix(run: RunFacts, t: Texts) -> str:
    """Draw the test confusion matrix in shades alone, by hand: eight took a tenth of the page's time in matplotlib."""
    confusion = run.test.confusion if run.test else ()
    side = _SMALL_PX / max(len(confusion), 1)
    parts = [f'<rect x="{_SMALL_LEFT}" y="0.5" width="{_SMALL_PX}" height="{_SMALL_PX}" fill="none" stroke="var(--rule)"/>']
    fill = f"var({css_variable(model_colour(run.model, t))})"
    labels = [html.escape(label) for label in run.labels]
    has_room = max(map(measure_px, labels)) <= min(side, _SMALL_LEFT) and side >= SMALL_PX
    for i, row in enumerate(shades(confusion)):
        parts += [
            f'<rect x="{_SMALL_LEFT + j * side:.2f}" y="{0.5 + i * side:.2f}" width="{side:.2f}" height="{side:.2f}" '
            f'fill="{fill}" fill-opacity="{shade:.2f}"'
            + ("/>" if has_room else f"><title>{labels[i]} \u2192 {labels[j]}: {confusion[i][j]}</title></rect>")
            for j, shade in enumerate(row)
            if shade
        ]
    for k, label in enumerate(labels if has_room else ()):
        middle = (k + 0.5) * side
        parts.append(f'<text x="{_SMALL_LEFT - 3}" y="{middle + 3.5:.2f}" text-anchor="end">{label}</text>')
        parts.append(f'<text x="{_SMALL_LEFT + middle:.2f}" y="{_SMALL_PX + 11}" text-anchor="middle">{label}</text>')
    size = f'viewBox="0 0 {_SMALL_LEFT + _SMALL_PX + 2} {_SMALL_PX + 14}" width="170" height="168"'
    alt = html.escape(t("alt.matrix", name=t.cell(run.model, run.variant)))
    return f'<svg class="small" {size} role="img" aria-label="{alt}">{"".join(parts)}</svg>'


def _cells(axes: Axes, run: RunFacts, t: Texts) -> None:
    confusion = run.test.confusion if run.test else ()
    n = len(confusion)
    count_px = measure_px(str(max(map(max, confusion), default=0)))
    size = min(TEXT_PX, TEXT_PX * 0.9 * _LARGE_PX / n / count_px)
    axes.grid(visible=False)
    axes.set_xlim(-0.5, n - 0.5)
    axes.set_ylim(n - 0.5, -0.5)
    axes.add_patch(Rectangle((-0.5, -0.5), n, n, fill=False, edgecolor=RULE, linewidth=1, clip_on=False))
    for i, row in enumerate(shades(confusion)):
        for j, shade in enumerate(row):
            if not shade:
                continue
            axes.add_patch(
                Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=model_colour(run.model, t), alpha=round(shade, 2), linewidth=0)
            )
            colour = PAPER if shade > _DARK_SHADE else INK
            if size >= _LEAST_PX:
                axes.text(j, i, str(confusion[i][j]), ha="center", va="center_baseline", size=size, color=colour)
