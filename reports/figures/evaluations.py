"""Figure of an evaluation: a line of dots for every speaker, one dot for each training; the worst speakers of many."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from matplotlib.axes import Axes

from reports.facts.evaluations import EvaluationFacts, EvaluationGroup
from reports.figures.canvas import (
    SMALL_PX,
    SOFT,
    TEXT_PX,
    Label,
    PlotFrame,
    augment_marker,
    filter_dash,
    model_colour,
    rows_plot,
    truncate,
)
from reports.figures.scores import score_limits
from reports.wording.formats import score
from reports.wording.page_texts import Texts

MOST_ROWS = 20  # speakers that are named; of more the worst `N_WORST` are, and the rest is one line
N_WORST = 12
_NAME_PX = 108
_DODGE_PX = 8  # distance between the dots of one speaker


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeakerDots:
    """One speaker; in `dots` each training's mean with the least and the largest of its seeds, None where it has none."""

    label: str
    dots: tuple[tuple[float, float, float] | None, ...]  # mean, low, high
    is_rest: bool = False  # a row for many speakers: their median, the worst and the best of them


def speaker_order(group: EvaluationGroup) -> list[str]:
    """Sort the speakers of the group by their mean over its evaluations, the worst first."""
    scores: dict[str, list[float]] = {}
    for evaluation in group.evaluations:
        for speaker in evaluation.scores.speakers:
            scores.setdefault(speaker.speaker, []).append(speaker.macro_f1)
    return sorted(scores, key=lambda name: (sum(scores[name]) / len(scores[name]), name))


def speaker_rows(evaluations: Sequence[EvaluationFacts], order: Sequence[str], t: Texts) -> list[SpeakerDots]:
    """Return a row for each speaker of `order`; of more than twenty the first twelve, and one row for all others."""
    named = order if len(order) <= MOST_ROWS else order[:N_WORST]
    by_name = [{speaker.speaker: speaker for speaker in evaluation.scores.speakers} for evaluation in evaluations]
    rows = []
    for name in named:
        results = [speakers.get(name) for speakers in by_name]
        dots = tuple((result.macro_f1, min(result.by_seed), max(result.by_seed)) if result else None for result in results)
        rows.append(SpeakerDots(label=name, dots=dots))
    if rest := order[len(named) :]:
        scores = [[speakers[name].macro_f1 for name in rest if name in speakers] for speakers in by_name]
        spans = tuple((median(values), min(values), max(values)) if values else None for values in scores)
        rows.append(SpeakerDots(label=t.n("held.others", len(rest)), dots=spans, is_rest=True))
    return rows


def speaker_plot(group: EvaluationGroup, number: int, size: tuple[float, str], t: Texts) -> str:
    """Draw the rows of the group's recipe `number`, at a width, under a name; all recipes share order and axis."""
    width, name = size
    evaluations, order = group.select(group.recipes[number]), speaker_order(group)
    rows = speaker_rows(evaluations, order, t)
    all_rows = [speaker_rows(group.select(recipe), order, t) for recipe in group.recipes]
    every = [dot for rows_of_recipe in all_rows for row in rows_of_recipe for dot in row.dots if dot]
    row_px = 20 + _DODGE_PX * (len(evaluations) - 1)
    right = 46 if len(evaluations) == 1 else 12
    frame = PlotFrame(width=width, height=row_px * len(rows) + 46, left=_NAME_PX, right=right, top=4, bottom=42)
    limits = score_limits([value for dot in every for value in dot])
    draw_row = functools.partial(_row, evaluations=evaluations, dodge=_DODGE_PX / row_px, t=t)
    draw = rows_plot(frame, enumerate(rows), limits, draw_row, t("axis.speaker_f1", on=t(f"word.on_{group.on}")))
    return frame.to_svg(name, t("alt.held", n=len(order)), draw)


def _row(axes: Axes, y: float, row: SpeakerDots, *, evaluations: Sequence[EvaluationFacts], dodge: float, t: Texts) -> None:
    ink = Label(offset_px=_NAME_PX, colour=SOFT) if row.is_rest else Label(offset_px=_NAME_PX)
    ink.left(axes, y, truncate(row.label, _NAME_PX - TEXT_PX))
    for n, (evaluation, dot) in enumerate(zip(evaluations, row.dots, strict=True)):
        if dot is None:
            continue
        mean, low, high = dot
        colour, height = model_colour(evaluation.model, t), y + (n - (len(evaluations) - 1) / 2) * dodge
        axes.plot([low, high], [height, height], color=colour, linewidth=1.5, linestyle=filter_dash(evaluation.variant))
        if row.is_rest:
            axes.plot([mean], [height], marker="|", markersize=8, markeredgewidth=1.5, color=colour)
        else:
            marker = augment_marker(evaluation.variant)
            axes.plot([mean], [height], marker=marker, markersize=5 if marker == "D" else 6, color=colour, clip_on=False)
    if len(evaluations) == 1 and row.dots[0] is not None:
        Label(offset_px=42, colour=SOFT if row.is_rest else ink.colour, size=SMALL_PX if row.is_rest else TEXT_PX).right(
            axes, y, score(row.dots[0][0])
        )
