"""Paper in Markdown that a team edits: the facts in sentences and tables, with figures as files beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from reports.documents.paper_figures import paper_figures
from reports.documents.paper_sections import OUTLINES
from reports.documents.paper_writer import PaperWriter
from reports.documents.stamped import digest_of_text
from reports.errors import NothingToReport
from reports.facts.report import ReportFacts
from reports.page.figures import draw_all
from reports.page.inspections import inspection_pages
from reports.page.output import write_page
from reports.wording.page_texts import page_texts

_STAMP = re.compile(r'^\[arena-paper\]: # "([0-9a-f]{16})"\n', flags=re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Paper:
    """The text, and the figures that it names."""

    text: str
    figures: dict[str, str]  # SVG by file name without ending


def compose_paper(facts: ReportFacts, folder: str, outline: str = "article") -> Paper:
    """Compose the paper of `facts`; its figures lie in `folder` beside it, its chapters are those of `OUTLINES`.

    Raises:
        NothingToReport: no finished training.
    """
    t = page_texts(facts)
    if not facts.runs:
        raise NothingToReport("a paper tells of trainings and none is finished; train with `arena train --all`")
    pages = inspection_pages(facts.inspections, t)
    w = PaperWriter(facts, folder, paper_figures(facts, draw_all(facts), pages, t))
    w.say(f"# {facts.title}")
    w.todo("todo_authors")
    for head, sections in OUTLINES[outline].items():
        w.head(head)
        for section in sections:
            section(w)
    body = "\n".join(w.lines).rstrip() + "\n"
    return Paper(text=f'{body}\n[arena-paper]: # "{digest_of_text(body)}"\n', figures=w.figures)


def is_unedited(out: Path) -> bool:
    """Return True where the paper at `out` is as it was written."""
    try:
        text = out.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    stamp = _STAMP.search(text)
    return stamp is not None and stamp[1] == digest_of_text(_STAMP.sub("", text).removesuffix("\n"))


def write_paper(paper: Paper, out: Path, folder: str) -> int:
    """Write the paper to `out` and its figures to `folder` beside it, and return their size in bytes.

    Raises:
        OutputError: it cannot be written.
    """
    size = sum(write_page(svg.encode(), out.parent / folder / f"{name}.svg") for name, svg in paper.figures.items())
    return size + write_page(paper.text.encode(), out)
