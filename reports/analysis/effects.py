"""The 2 x 2 x 2 design as contrasts: main effects and interactions of filter, augmentation and model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, product

from cnn.nets import PAIR
from reports.analysis.paired_bootstrap import Contrast, Resampled
from reports.facts.report import ArmKey, EffectFacts
from reports.wording.page_texts import Texts

FACTORS = ("filter", "augmentation", "model")

Levels = tuple[bool, bool, bool]  # bilateral, augmented, Model B


def effects(resampled: Resampled, digests: Mapping[ArmKey, str], t: Texts) -> tuple[EffectFacts, ...]:
    """Main effects, then interactions of two and of three, each the mean over all complete sets of trainings."""
    known: dict[Levels, str] = {}
    for bilateral, augmented, second in product((False, True), repeat=3):
        digest = digests.get(_place((bilateral, augmented, second)), "")
        if digest in resampled.scores:
            known[bilateral, augmented, second] = digest
    sets = [chosen for n in (1, 2, 3) for chosen in combinations(range(3), n)]
    return tuple(
        EffectFacts(factors=tuple(FACTORS[k] for k in chosen), difference=resampled.mean(contrasts))
        for chosen in sets
        if (contrasts := list(_contrasts(chosen, known, t)))
    )


def _place(levels: Levels) -> ArmKey:
    bilateral, augmented, second = levels
    return PAIR[second], ("bilateral" if bilateral else "raw") + ("+aug" if augmented else "")


def _contrasts(chosen: tuple[int, ...], known: Mapping[Levels, str], t: Texts) -> Iterator[Contrast]:
    """One for each setting of the other factors at which all 2 ** n trainings are there."""
    others = [k for k in range(3) if k not in chosen]
    for held in product((False, True), repeat=len(others)):
        at = dict(zip(others, held, strict=True))
        terms = []
        for moved in product((False, True), repeat=len(chosen)):
            level = {**at, **dict(zip(chosen, moved, strict=True))}
            sign = (-1.0) ** (len(chosen) - sum(moved))
            terms.append((sign, known.get((level[0], level[1], level[2]))))
        if all(digest is not None for _, digest in terms):
            name = ", ".join(_level_name(k, at[k], t) for k in reversed(others))
            yield Contrast(name=name, terms=tuple((sign, digest) for sign, digest in terms if digest is not None))


def _level_name(factor: int, level: bool, t: Texts) -> str:
    if factor == 2:
        return t.model(PAIR[level])
    return t(f"level.{FACTORS[factor]}.{'on' if level else 'off'}")
