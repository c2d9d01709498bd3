"""Section on evaluations: facts, sentences and pictures, group by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.facts.evaluations import EvaluationGroup
from reports.figures.evaluations import MOST_ROWS, speaker_order, speaker_plot
from reports.page.figures import NARROW_PX, WIDE_PX, BothWidths
from reports.wording.evaluations import (
    confused_sentence,
    evaluation_detail,
    evaluation_lead,
    group_caveats,
    group_title,
    recipe_words,
)
from reports.wording.page_texts import Texts


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """One recipe's picture; `words` is empty where there is one recipe."""

    words: str
    pictures: BothWidths


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupPage:
    """One group as it stands on the page."""

    facts: EvaluationGroup
    title: str
    sentence: str
    confused: str  # empty while no evaluation is complete
    recipes: tuple[str, ...]  # recipe of each evaluation in words
    panels: tuple[Panel, ...]
    caveats: tuple[str, ...]
    has_rest: bool  # more speakers than the picture names


def group_pages(groups: Sequence[EvaluationGroup], t: Texts) -> tuple[GroupPage, ...]:
    """Draw all groups."""
    return tuple(_page(group, number, t) for number, group in enumerate(groups))


def _page(group: EvaluationGroup, number: int, t: Texts) -> GroupPage:
    panels = tuple(
        Panel(
            words=recipe_words(group.select(recipe)[0], t),
            pictures=BothWidths(
                wide=speaker_plot(group, n, (WIDE_PX, f"held-out-{number}-{n}-wide"), t),
                narrow=speaker_plot(group, n, (NARROW_PX, f"held-out-{number}-{n}-narrow"), t),
            ),
        )
        for n, recipe in enumerate(group.recipes)
    )
    return GroupPage(
        facts=group,
        title=group_title(group, t),
        sentence=f"{evaluation_lead(group, t)} {evaluation_detail(group, t)}".strip(),
        confused=confused_sentence(group, t),
        recipes=tuple(recipe_words(evaluation, t) for evaluation in group.evaluations),
        panels=panels,
        caveats=group_caveats(group, t),
        has_rest=len(speaker_order(group)) > MOST_ROWS,
    )
