"""Main effects and interactions of filter, augmentation and model, as contrasts of the 2 x 2 x 2 design."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product

from reports.analysis.paired_bootstrap import Contrast, ResampledScores
from reports.facts.models import CellKey
from reports.facts.report import EffectFacts
from reports.wording.page_texts import Texts

FACTORS = ("filter", "augmentation", "model")

Levels = tuple[bool, bool, bool]  # bilateral, augmented, Model B


def compute_effects(
    resampled: ResampledScores, digests: Mapping[CellKey, str], models: Sequence[str], t: Texts
) -> tuple[EffectFacts, ...]:
    """Return main effects, then interactions of two and of three, each the mean over all complete sets of trainings.

    `models` are the labels of Model A and Model B; without the second the model is no factor.
    """
    runs: dict[Levels, str] = {}
    for bilateral, augmented, second in product((False, True), (False, True), range(len(models))):
        variant = ("bilateral" if bilateral else "raw") + ("+aug" if augmented else "")
        digest = digests.get((models[second], variant), "")
        if digest in resampled.scores:
            runs[bilateral, augmented, bool(second)] = digest
    sets = [factors for n in (1, 2, 3) for factors in combinations(range(3), n)]
    return tuple(
        EffectFacts(factors=tuple(FACTORS[k] for k in factors), difference=resampled.mean(contrasts))
        for factors in sets
        if (contrasts := list(_contrasts(factors, runs, models, t)))
    )


def _contrasts(factors: tuple[int, ...], runs: Mapping[Levels, str], models: Sequence[str], t: Texts) -> Iterator[Contrast]:
    """Yield a contrast for each setting of the other factors that has all 2 ** n trainings."""
    others = [k for k in range(3) if k not in factors]
    for fixed_levels in product((False, True), repeat=len(others)):
        setting = dict(zip(others, fixed_levels, strict=True))
        terms = []
        for levels in product((False, True), repeat=len(factors)):
            level = {**setting, **dict(zip(factors, levels, strict=True))}
            sign = (-1.0) ** (len(factors) - sum(levels))
            terms.append((sign, runs.get((level[0], level[1], level[2]))))
        if all(digest is not None for _, digest in terms):
            name = ", ".join(_level_name(k, setting[k], models, t) for k in reversed(others))
            yield Contrast(name=name, terms=tuple((sign, digest) for sign, digest in terms if digest is not None))


def _level_name(factor: int, level: bool, models: Sequence[str], t: Texts) -> str:
    if factor == 2:
        return t.model(models[level])
    return t(f"level.{FACTORS[factor]}.{'on' if level else 'off'}")
