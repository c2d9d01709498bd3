"""Every speaker of an evaluation as a line of dots, one dot for each training; the worst speakers where there are many."""

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
    Frame,
    Label,
    augment_marker,
    filter_dash,
    fitted,
    model_colour,
    rows_plot,
)
from reports.figures.scores import score_limits
from reports.wording.formats import score
from reports.wording.page_texts import Texts

MOST_ROWS = 20  # speakers that are named; of more the worst `N_WORST` are, and the rest is one line
N_WORST = 12
_NAME_PX = 108
_DODGE_PX = 8  # between the dots of one speaker


@dataclass(frozen=True, kw_only=True, slots=True)
class SpeakerRow:
    """One speaker; in `dots` each training's mean with the least and the largest of its seeds, None where it has none."""

    label: str
    dots: tuple[tuple[float, float, float] | None, ...]  # mean, low, high
    is_rest: bool = False  # of many speakers: their median, the worst and the best of them


def speaker_order(group: EvaluationGroup) -> list[str]:
    """Every speaker of the group, the worst by the mean over its evaluations first."""
    scores: dict[str, list[float]] = {}
    for evaluation in group.evaluations:
        for one in evaluation.scores.speakers:
            scores.setdefault(one.speaker, []).append(one.macro_f1)
    return sorted(scores, key=lambda name: (sum(scores[name]) / len(scores[name]), name))


def speaker_rows(evaluations: Sequence[EvaluationFacts], order: Sequence[str], t: Texts) -> list[SpeakerRow]:
    """One line for each speaker of `order`; of more than twenty the first twelve, and one line for all others."""
    named = order if len(order) <= MOST_ROWS else order[:N_WORST]
    by_name = [{one.speaker: one for one in evaluation.scores.speakers} for evaluation in evaluations]
    rows = []
    for name in named:
        found = [speakers.get(name) for speakers in by_name]
        dots = tuple((one.macro_f1, min(one.by_seed), max(one.by_seed)) if one else None for one in found)
        rows.append(SpeakerRow(label=name, dots=dots))
    if rest := order[len(named) :]:
        scores = [[speakers[name].macro_f1 for name in rest if name in speakers] for speakers in by_name]
        spans = tuple((median(some), min(some), max(some)) if some else None for some in scores)
        rows.append(SpeakerRow(label=t.n("held.others", len(rest)), dots=spans, is_rest=True))
    return rows


def speaker_plot(group: EvaluationGroup, number: int, size: tuple[float, str], t: Texts) -> str:
    """The lines of the group's recipe `number`, at a width, under a name; all recipes share order and axis."""
    width, name = size
    evaluations, order = group.select(group.recipes[number]), speaker_order(group)
    rows = speaker_rows(evaluations, order, t)
    shown = [speaker_rows(group.select(recipe), order, t) for recipe in group.recipes]
    every = [dot for some in shown for row in some for dot in row.dots if dot]
    row_px = 20 + _DODGE_PX * (len(evaluations) - 1)
    is_alone = len(evaluations) == 1
    frame = Frame(width=width, height=row_px * len(rows) + 46, left=_NAME_PX, right=46 if is_alone else 12, top=4, bottom=42)

    limits = score_limits([value for dot in every for value in dot])
    draw_row = functools.partial(_row, evaluations=evaluations, dodge=_DODGE_PX / row_px)
    draw = rows_plot(frame, enumerate(rows), limits, draw_row, t("axis.speaker_f1", on=t(f"word.on_{group.on}")))
    return frame.to_svg(name, t("alt.held", n=len(order)), draw)


def _row(axes: Axes, y: float, row: SpeakerRow, *, evaluations: Sequence[EvaluationFacts], dodge: float) -> None:
    ink = Label(offset_px=_NAME_PX, colour=SOFT) if row.is_rest else Label(offset_px=_NAME_PX)
    ink.left(axes, y, fitted(row.label, _NAME_PX - TEXT_PX))
    for place, (evaluation, dot) in enumerate(zip(evaluations, row.dots, strict=True)):
        if dot is None:
            continue
        mean, low, high = dot
        colour, at = model_colour(evaluation.model), y + (place - (len(evaluations) - 1) / 2) * dodge
        axes.plot([low, high], [at, at], color=colour, linewidth=1.5, linestyle=filter_dash(evaluation.variant))
        if row.is_rest:
            axes.plot([mean], [at], marker="|", markersize=8, markeredgewidth=1.5, color=colour)
        else:
            marker = augment_marker(evaluation.variant)
            axes.plot([mean], [at], marker=marker, markersize=5 if marker == "D" else 6, color=colour, clip_on=False)
    if len(evaluations) == 1 and row.dots[0] is not None:
        Label(offset_px=42, colour=SOFT if row.is_rest else ink.colour, size=SMALL_PX if row.is_rest else TEXT_PX).right(
            axes, y, score(row.dots[0][0])
        )
