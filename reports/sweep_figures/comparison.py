"""Figure of all studies: the best so far of each against the trials that it took. Numbers first, drawing second."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from reports.figures.canvas import SMALL_PX, Limits, PlotFrame, filter_dash, model_colour, x_title
from reports.sweep_figures.history import running_best
from reports.wording.page_texts import Texts
from sweeps.results import StudyFacts


def best_lines(sweeps: Sequence[StudyFacts]) -> list[tuple[StudyFacts, list[tuple[int, float]]]]:
    """Pair each study with its steps of (trial, best so far); studies without any are left out."""
    return [(sweep, steps) for sweep in sweeps if (steps := running_best(sweep))]


def best_limits(lines: Sequence[tuple[StudyFacts, list[tuple[int, float]]]]) -> Limits:
    """Return limits a little around the best values of all studies: the first guesses leave the picture."""
    ends, every = [steps[-1][1] for _, steps in lines], [y for _, steps in lines for _, y in steps]
    reach = max(max(ends) - min(ends), 0.01)
    if lines[0][0].is_maximized:
        return max(min(every), min(ends) - 1.5 * reach) - 0.05 * reach, max(ends) + 0.15 * reach
    return min(ends) - 0.15 * reach, min(max(every), max(ends) + 1.5 * reach) + 0.05 * reach


def best_plot(sweeps: Sequence[StudyFacts], width: float, t: Texts) -> str:
    """Draw the best so far of every study of the first one's metric; empty with fewer than two."""
    lines = best_lines([sweep for sweep in sweeps if sweep.metric == sweeps[0].metric]) if sweeps else []
    if len(lines) < 2:
        return ""
    frame = PlotFrame(width=width, height=230, left=40, right=10, top=8, bottom=34)
    limits = best_limits(lines)

    def draw(axes: Axes) -> None:
        axes.set_xlim(0, max(steps[-1][0] for _, steps in lines) or 1)
        axes.set_ylim(*limits)
        for sweep, steps in lines:
            xs, ys = [x for x, _ in steps], [y for _, y in steps]
            is_augmented = sweep.variant.endswith("+aug")
            axes.step(
                xs, ys, where="post", color=model_colour(sweep.model, t), linestyle=filter_dash(sweep.variant),
                linewidth=2.2 if is_augmented else 1.2,
            )  # fmt: skip
            if limits[0] <= ys[-1] <= limits[1] and is_augmented:
                axes.plot([xs[-1]], [ys[-1]], "D", markersize=5, color=model_colour(sweep.model, t), clip_on=False)
        x_title(axes, t("word.trial"))
        axes.tick_params(labelsize=SMALL_PX)

    return frame.to_svg(f"studies-{width:g}", t("alt.studies", metric=t.metric(lines[0][0].metric)), draw)
