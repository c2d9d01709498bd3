"""Outline of the page: the sections that lead it, on two screens of a desk, and those that are folded behind one line."""

from __future__ import annotations

from dataclasses import dataclass

from reports.facts.base import Note, NoteKind
from reports.facts.report import ReportFacts
from reports.wording.gists import gist
from reports.wording.page_texts import Texts

# A section has its name here, `_<name>.html.j2`, `head.<name>` in the texts, and its value in ReportPage; a folded one its
# gist in reports/wording/gists.py too.
LEADING = ("answer", "curves", "confusions")
FOLDED = (
    *("held-out", "trainings", "mistakes", "inspection", "learning", "autoencoder"),
    *("sweeps", "contest", "data", "lineage", "reading"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class PageOutline:
    """Sections of the page in their order, and which notes stand on its first screen."""

    leading: tuple[str, ...]
    folded: dict[str, str]  # gists, by section
    opened: tuple[str, ...]  # folded sections that are open at first: all that a page without trainings has to say
    alarms: tuple[Note, ...]  # errors and missing trainings
    remarks: tuple[Note, ...]


def make_outline(facts: ReportFacts, t: Texts) -> PageOutline:
    """Lay the page out."""
    held_out, *others = FOLDED
    is_led = bool(facts.cells) and not facts.is_one_fold  # by trainings of which one is chosen
    folded = [held_out, *(LEADING[1:] if facts.cells and not is_led else ()), *others]
    optional = {"inspection": facts.inspections, "learning": facts.learning, "autoencoder": facts.autoencoders}
    absent = {name for name, value in optional.items() if not value}
    substance = {
        "held-out": facts.evaluations,
        "sweeps": facts.sweeps,
        "contest": facts.contest,
        "autoencoder": facts.autoencoders,
    }
    return PageOutline(
        leading=LEADING if is_led else LEADING[:1],
        folded={name: gist(name, facts, t) for name in folded if name not in absent},
        opened=() if is_led else tuple(name for name, value in substance.items() if value),
        alarms=tuple(note for note in facts.notes if note.kind is not NoteKind.REMARK),
        remarks=tuple(note for note in facts.notes if note.kind is NoteKind.REMARK),
    )
