"""Figures of the paper: pictures of the page as SVG files, with plain colours and several in one file."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

from reports.facts.report import ReportFacts
from reports.page.figures import Figures
from reports.page.inspections import InspectionPage
from reports.page.render import assets
from reports.wording.page_texts import Texts

_HEAD_PX, _GAP_PX, _PICTURE_PX = 18, 12, 96
_TAG = re.compile(r'<svg[^>]*? viewBox="0 0 ([\d.]+) ([\d.]+)"[^>]*>')
_FONT = "font-family:'Liberation Sans','Helvetica Neue',Arial,sans-serif"

Panel = tuple[str, str]  # title, SVG


def paper_figures(facts: ReportFacts, figures: Figures, inspections: Sequence[InspectionPage], t: Texts) -> dict[str, str]:
    """Return an SVG file for every picture of the facts, by name."""
    names = {run.digest: t.cell(run.model, run.variant) for run in facts.runs}
    drawings = {
        "scores": figures.dots.wide if figures.dots else "",
        "effects": figures.effects.wide if figures.effects else "",
        "curves-f1": _grid([(names[run], curves.f1) for run, curves in figures.runs.items()], 4),
        "curves-loss": _grid([(names[run], curves.loss) for run, curves in figures.runs.items()], 4),
        "confusion": figures.large_matrix,
        "groups": _grid([(t(f"group.{kind}").capitalize(), svg) for kind, svg in figures.groups.items()], 2),
        "studies": figures.studies.wide if figures.studies else "",
        "contest": figures.attempts.wide if figures.attempts else "",
    }
    for page in inspections[:1]:
        drawings["attention"] = _attention(page, t)
        drawings["embedding"] = _grid([(t("inspection.by_digit"), page.digits), (t("inspection.by_speaker"), page.speakers)], 2)
    return {name: standalone(svg) for name, svg in drawings.items() if svg}


def _size(svg: str) -> tuple[float, float]:
    match = _TAG.match(svg)
    assert match, "every picture of ours begins with its view box"
    return float(match[1]), float(match[2])


def _grid(panels: Sequence[Panel], n_across: int) -> str:
    """Set pictures side by side, each below its title, all cells as large as the largest."""
    visible = [(title, svg) for title, svg in panels if svg]
    if not visible:
        return ""
    wide = max(_size(svg)[0] for _, svg in visible) + _GAP_PX
    high = max(_size(svg)[1] for _, svg in visible) + _HEAD_PX + _GAP_PX
    n_across = min(n_across, len(visible))
    parts = []
    for number, (title, svg) in enumerate(visible):
        x, y = number % n_across * wide, number // n_across * high
        parts.append(f'<text x="{x:g}" y="{y + 12:g}" font-size="11" fill="var(--ink)">{html.escape(title)}</text>')
        parts.append(svg.replace("<svg", f'<svg x="{x:g}" y="{y + _HEAD_PX:g}"', 1))
    return _svg(n_across * wide, -(-len(visible) // n_across) * high, parts)


def _svg(wide: float, high: float, parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {wide:g} {high:g}" width="{wide:g}" height="{high:g}">{"".join(parts)}</svg>'


def _attention(page: InspectionPage, t: Texts) -> str:
    """Draw a column for each clip: spectrogram, Grad-CAM for the answer, occlusion."""
    panels = []
    for look in page.attention:
        clip = look.clip
        title = (
            t("mistakes.said", truth=clip.truth, predicted=clip.label)
            if clip.is_wrong
            else t("inspection.right", truth=clip.truth)
        )
        rows = [uri for uri in (look.picture, look.cam_label, look.occlusion) if uri]
        step = _PICTURE_PX + 6
        size = f'width="{_PICTURE_PX}" height="{_PICTURE_PX}" style="image-rendering:pixelated"'
        images = [f'<image y="{n * step}" {size} xlink:href="{uri}"/>' for n, uri in enumerate(rows)]
        panels.append((title, _svg(_PICTURE_PX + 24, len(rows) * step, images)))
    return _grid(panels, 6)


def standalone(svg: str) -> str:
    """Turn an `<svg>` of the page into a file: colours as on paper, its own name spaces and font."""
    style = str(assets()[0])
    light = dict(re.findall(r"(--[a-z-]+): (#[0-9a-f]+);", style[: style.index("@media")]))
    text = re.sub(r"var\((--[a-z-]+)\)", lambda match: light[match[1]], svg)
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return text.replace("<svg", f'<svg {spaces} style="{_FONT};background:#fff"', 1) + "\n"
