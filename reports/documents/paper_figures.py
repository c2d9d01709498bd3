"""Pictures of the page as files of their own: SVG with its colours written out, several of them in one."""

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

Panel = tuple[str, str]  # what stands above it, and its SVG


def paper_figures(facts: ReportFacts, figures: Figures, inspections: Sequence[InspectionPage], t: Texts) -> dict[str, str]:
    """An SVG file for every picture that there is, by name."""
    names = {run.digest: t.cell(run.model, run.variant) for run in facts.runs}
    found = {
        "scores": figures.dots.wide if figures.dots else "",
        "effects": figures.effects.wide if figures.effects else "",
        "curves-f1": _grid([(names[run], one.f1) for run, one in figures.runs.items()], 4),
        "curves-loss": _grid([(names[run], one.loss) for run, one in figures.runs.items()], 4),
        "confusion": figures.large_matrix,
        "groups": _grid([(t(f"group.{kind}").capitalize(), svg) for kind, svg in figures.groups.items()], 2),
        "studies": figures.studies.wide if figures.studies else "",
        "contest": figures.attempts.wide if figures.attempts else "",
    }
    for page in inspections[:1]:
        found["attention"] = _attention(page, t)
        found["embedding"] = _grid([(t("inspection.by_digit"), page.digits), (t("inspection.by_speaker"), page.speakers)], 2)
    return {name: standalone(svg) for name, svg in found.items() if svg}


def _size(svg: str) -> tuple[float, float]:
    found = _TAG.match(svg)
    assert found, "every picture of ours begins with its view box"
    return float(found[1]), float(found[2])


def _grid(panels: Sequence[Panel], n_across: int) -> str:
    """Pictures side by side, each below its words, all cells as large as the largest."""
    shown = [(words, svg) for words, svg in panels if svg]
    if not shown:
        return ""
    wide = max(_size(svg)[0] for _, svg in shown) + _GAP_PX
    high = max(_size(svg)[1] for _, svg in shown) + _HEAD_PX + _GAP_PX
    n_across = min(n_across, len(shown))
    parts = []
    for number, (words, svg) in enumerate(shown):
        x, y = number % n_across * wide, number // n_across * high
        parts.append(f'<text x="{x:g}" y="{y + 12:g}" font-size="11" fill="var(--ink)">{html.escape(words)}</text>')
        parts.append(svg.replace("<svg", f'<svg x="{x:g}" y="{y + _HEAD_PX:g}"', 1))
    return _svg(n_across * wide, -(-len(shown) // n_across) * high, parts)


def _svg(wide: float, high: float, parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {wide:g} {high:g}" width="{wide:g}" height="{high:g}">{"".join(parts)}</svg>'


def _attention(page: InspectionPage, t: Texts) -> str:
    """A column for each clip: the sound, Grad-CAM for the answer, what hiding costs."""
    panels = []
    for look in page.looked:
        clip = look.clip
        said = (
            t("mistakes.said", truth=clip.truth, predicted=clip.label)
            if clip.is_wrong
            else t("inspection.right", truth=clip.truth)
        )
        rows = [uri for uri in (look.picture, look.cam_label, look.occlusion) if uri]
        step = _PICTURE_PX + 6
        size = f'width="{_PICTURE_PX}" height="{_PICTURE_PX}" style="image-rendering:pixelated"'
        images = [f'<image y="{n * step}" {size} xlink:href="{uri}"/>' for n, uri in enumerate(rows)]
        panels.append((said, _svg(_PICTURE_PX + 24, len(rows) * step, images)))
    return _grid(panels, 6)


def standalone(svg: str) -> str:
    """An `<svg>` of the page as a file: colours as on paper, its own name spaces and font."""
    style = str(assets()[0])
    light = dict(re.findall(r"(--[a-z-]+): (#[0-9a-f]+);", style[: style.index("@media")]))
    text = re.sub(r"var\((--[a-z-]+)\)", lambda found: light[found[1]], svg)
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return text.replace("<svg", f'<svg {spaces} style="{_FONT};background:#fff"', 1) + "\n"
