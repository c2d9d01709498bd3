"""Figures of t-SNE embeddings: clips by digit and by speaker. Axes have no unit and are left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from matplotlib.axes import Axes
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

from reports.facts.inspections import EmbeddedClip, InspectionFacts
from reports.figures.canvas import SMALL_PX, SOFT, PlotFrame, truncate
from reports.wording.page_texts import Texts

_FRAME = PlotFrame(width=350, height=350, left=4, right=4, top=4, bottom=4)
_WITH_NAMES = PlotFrame(width=350, height=350, left=4, right=4, top=4, bottom=44)
# After Tol's bright and muted schemes, evened out so that each stands on light and dark paper; the digit or the mark's form
# says the same without colour.
COLOURS = (
    *("#3b7dbd", "#e0625f", "#2f9a5b", "#b8901a", "#38a3b8", "#b5508f", "#8a8a85", "#d9772b", "#7d6bc9", "#94a13a"),
)  # fmt: skip
_MARKS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p")
_DIGIT_PX, _MARK_PX = 7, 4
_MOST_LETTERS = 2  # a label that is drawn itself
_MOST_NAMES, _ACROSS_CLASSES, _NAME_PX, _LEGEND_ROW_PX = 30, 3, 90, 15  # in a legend


@dataclass(frozen=True, kw_only=True, slots=True)
class _Mark:
    form: Any  # as matplotlib takes a marker
    colour: str
    size_px: float = _MARK_PX


def embedding_by_digit(facts: InspectionFacts, t: Texts) -> str:
    """Draw each clip as the digit that was spoken, or with a mark of its class where names are longer."""
    labels = sorted({clip.truth for clip in facts.embedding})
    has_marks = max(map(len, labels)) > _MOST_LETTERS
    groups = {label: [clip for clip in facts.embedding if clip.truth == label] for label in labels}

    def draw(axes: Axes) -> None:
        for number, (label, clips) in enumerate(groups.items()):
            if has_marks:
                _points(axes, clips, _mark(number), truncate(label, _NAME_PX))
                continue
            form: Any = TextPath((0, 0), label, size=1)
            box = form.get_extents()
            centred = form.transformed(Affine2D().translate(-(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2))
            _points(axes, clips, _Mark(form=centred, colour=COLOURS[number % len(COLOURS)], size_px=_DIGIT_PX))
        _frame_points(axes, facts.embedding)
        if has_legend:
            _legend(axes, _ACROSS_CLASSES)

    has_legend = has_marks and len(labels) <= _MOST_NAMES
    rows = -(-len(labels) // _ACROSS_CLASSES)
    high = _FRAME.height + rows * _LEGEND_ROW_PX if has_legend else _FRAME.height
    frame = replace(_FRAME, height=high, bottom=_FRAME.bottom + high - _FRAME.height)
    return frame.to_svg(f"tsne-digit-{facts.run}", t("inspection.alt_digit", name=t.cell(facts.model, facts.variant)), draw)


def embedding_by_speaker(facts: InspectionFacts, t: Texts) -> str:
    """Draw each clip with the mark of its speaker; after the ten with the most clips the rest is grey."""
    counts = Counter(clip.speaker for clip in facts.embedding)
    named = sorted(name for name, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: len(COLOURS)])

    def draw(axes: Axes) -> None:
        rest = [clip for clip in facts.embedding if clip.speaker not in named]
        if rest:
            _points(axes, rest, _Mark(form=".", colour=SOFT), t("inspection.others"))
        for number, name in enumerate(named):
            clips = [clip for clip in facts.embedding if clip.speaker == name]
            _points(axes, clips, _mark(number), name or t("word.unknown"))
        _frame_points(axes, facts.embedding)
        _legend(axes, 4)

    alt = t("inspection.alt_speaker", name=t.cell(facts.model, facts.variant))
    return _WITH_NAMES.to_svg(f"tsne-speaker-{facts.run}", alt, draw)


def _mark(number: int) -> _Mark:
    """Return one of a hundred marks: each colour comes again with another form."""
    again = number // len(COLOURS)
    return _Mark(form=_MARKS[(number + again) % len(_MARKS)], colour=COLOURS[number % len(COLOURS)])


def _legend(axes: Axes, n_across: int) -> None:
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        ncols=n_across,
        frameon=False,
        fontsize=SMALL_PX,
        labelcolor=SOFT,
        handletextpad=0.1,
        columnspacing=1.0,
        borderaxespad=0.2,
    )


def _points(axes: Axes, clips: Sequence[EmbeddedClip], mark: _Mark, label: str = "") -> None:
    x, y = [clip.x for clip in clips], [clip.y for clip in clips]
    look: Any = {"marker": mark.form, "color": mark.colour, "markersize": mark.size_px, "markeredgewidth": 0}
    axes.plot(x, y, linestyle="none", label=label or None, **look)


def _frame_points(axes: Axes, clips: Sequence[EmbeddedClip]) -> None:
    axes.grid(visible=False)
    axes.set_xticks([])
    axes.set_yticks([])
    for low, high, limit in (
        (min(clip.x for clip in clips), max(clip.x for clip in clips), axes.set_xlim),
        (min(clip.y for clip in clips), max(clip.y for clip in clips), axes.set_ylim),
    ):
        margin = 0.04 * (high - low) or 1.0
        limit(low - margin, high + margin)
