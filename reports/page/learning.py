"""Section on how trainings learnt: curves, a row for each value, and what they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.facts.learning import LearningCurve, LearningFacts
from reports.figures.canvas import css_variable
from reports.figures.learning import learning_panels, value_colour
from reports.wording.learning import name_value, tell_learning
from reports.wording.page_texts import Texts


@dataclass(frozen=True, kw_only=True, slots=True)
class LearningRow:
    """One value at its best learning rate."""

    name: str
    colour: str  # a variable of the style sheet
    curve: LearningCurve


@dataclass(frozen=True, kw_only=True, slots=True)
class LearningPage:
    """One setting that trainings differ in."""

    facts: LearningFacts
    rows: tuple[LearningRow, ...]
    panels: tuple[str, ...]
    sentences: tuple[str, ...]


def learning_pages(learning: Sequence[LearningFacts], t: Texts) -> tuple[LearningPage, ...]:
    """Return the pages of the settings."""
    return tuple(_page(facts, t) for facts in learning)


def _page(facts: LearningFacts, t: Texts) -> LearningPage:
    rows = (
        LearningRow(name=name_value(facts, curve.value, t), colour=css_variable(value_colour(number)), curve=curve)
        for number, curve in enumerate(facts.best)
    )
    return LearningPage(facts=facts, rows=tuple(rows), panels=learning_panels(facts, t), sentences=tell_learning(facts, t))
