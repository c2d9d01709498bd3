"""Sentences on evaluations, which never say more than the numbers do."""

from __future__ import annotations

from reports.facts.evaluations import VALIDATION, EvaluationFacts, EvaluationGroup
from reports.wording.formats import leaf, percent, score, whole_percent
from reports.wording.page_texts import Texts

_FEW_SPEAKERS = 10  # below, a percentile interval misses more often than it says
_FEW_OTHERS = 3  # that a sentence names; the table has all


def group_title(group: EvaluationGroup, t: Texts) -> str:
    """`Every speaker held out once`, or what the folds are."""
    key = f"held.title_{group.kind}" if group.kind in ("loso", "becker") else "held.title_folds"
    title = t(key, n=group.n_folds)
    return t("held.title_on_validation", title=title) if group.on == VALIDATION else title


def recipe_words(evaluation: EvaluationFacts, t: Texts) -> str:
    """`epochs 20, dropout 0.3`; empty where nothing tells it from another."""
    return ", ".join(f"{leaf(key)} {t.setting(value)}" for key, value in evaluation.recipe)


def name_of(evaluation: EvaluationFacts, t: Texts) -> str:
    """`Model B on raw + aug (epochs 20)`."""
    words = recipe_words(evaluation, t)
    return t.cell(evaluation.model, evaluation.variant) + (f" ({words})" if words else "")


def evaluation_lead(group: EvaluationGroup, t: Texts) -> str:
    """What the group says in one sentence: the highest mean of the whole evaluations, or how far they are."""
    best = _best(group)
    if best is None:
        parts = [t("held.so_far", n=len(one.folds), of=one.n_folds, name=name_of(one, t)) for one in group.evaluations]
        return t("held.unfinished", title=group_title(group, t), parts=t.listed(parts))
    return t.n(
        "held.lead",
        len(best.scores.speakers),
        voices=t(f"held.voices_{group.on}"),
        name=name_of(best, t),
        mean=score(best.mean),
        folds=best.n_folds,
        worst=best.worst.speaker,
        worst_f1=score(best.worst.macro_f1),
    )


def evaluation_detail(group: EvaluationGroup, t: Texts) -> str:
    """How sure that is, and what the others reach; empty while nothing is whole."""
    best = _best(group)
    if best is None:
        return ""
    interval = best.scores.interval
    level, span = whole_percent(interval.level), t.span(interval.low, interval.high)
    sure = t("held.sure", pooled=score(best.scores.pooled_macro_f1), level=level, span=span)
    others = [one for one in group.evaluations if one.has_all_folds and one is not best]
    if not others:
        return sure
    if len(others) <= _FEW_OTHERS:
        rest = t.listed([t("held.has", name=name_of(one, t), mean=score(one.mean)) for one in others])
    else:
        means = [one.mean for one in others]
        rest = t("held.others_have", span=t.span(min(means), max(means)))
    flattered = "" if group.on == VALIDATION else t("held.flattered")
    return f"{sure} {t('held.highest', n=len(others) + 1, flattered=flattered, rest=rest)}"


def confused_sentence(group: EvaluationGroup, t: Texts) -> str:
    """What the best of the whole evaluations takes for something else most often; empty where nothing is, or none is whole."""
    best = _best(group)
    if best is None or not best.scores.confused:
        return ""
    shares = [(one, percent(one.n / one.n_truth)) for one in best.scores.confused]
    pairs = [t("held.pair", truth=one.truth, predicted=one.predicted, share=share) for one, share in shares]
    return t("held.confused", name=name_of(best, t), pairs=t.listed(pairs))


def _best(group: EvaluationGroup) -> EvaluationFacts | None:
    whole = [evaluation for evaluation in group.evaluations if evaluation.has_all_folds]
    return max(whole, key=lambda evaluation: evaluation.mean, default=None)


def group_caveats(group: EvaluationGroup, t: Texts) -> tuple[str, ...]:
    """What belongs beside the numbers of a group."""
    interval = group.evaluations[0].scores.interval
    found = [t("held.interval", level=whole_percent(interval.level), n=t.count(interval.n_replicates))]
    n_speakers = interval.n_units
    if n_speakers < _FEW_SPEAKERS:
        found.append(t("held.few_speakers", n=n_speakers, few=_FEW_SPEAKERS))
    if group.n_seeds == 1:
        found.append(t("held.one_seed"))
    elif len({one.seeds for one in group.evaluations}) > 1:
        found.append(t("held.uneven_seeds"))
    if group.on == VALIDATION:
        found.append(t("held.optimistic"))
    found += [
        f"{name_of(one, t)}: {note}." for one in group.evaluations for note in one.scores.notes if note.startswith("fold ")
    ]
    return tuple(found)
