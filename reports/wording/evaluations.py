"""Sentences on evaluations, none of which claims more than the numbers do."""

from __future__ import annotations

from collections.abc import Iterator

from arena.base.texts import format_labels
from cnn.runs.evaluation import group_folds
from reports.facts.evaluations import VALIDATION, EvaluationFacts, EvaluationGroup
from reports.wording.formats import leaf, percent, score, whole_percent
from reports.wording.page_texts import Texts

_FEW_SPEAKERS = 10  # fewer speakers make a percentile interval miss more often than its level
_FEW_OTHERS = 3  # evaluations that a sentence names; the table has all


def group_title(group: EvaluationGroup, t: Texts) -> str:
    """Return `Every speaker held out once`, or a name of the other folds."""
    key = f"held.title_{group.kind}" if group.kind in ("loso", "becker") else "held.title_folds"
    title = t(key, n=group.n_folds)
    return t("held.title_on_validation", title=title) if group.on == VALIDATION else title


def recipe_words(evaluation: EvaluationFacts, t: Texts) -> str:
    """Return `epochs 20, dropout 0.3`; empty where the group has one recipe."""
    return ", ".join(f"{leaf(key)} {t.setting(value)}" for key, value in evaluation.recipe)


def evaluation_name(evaluation: EvaluationFacts, t: Texts) -> str:
    """Return `Model B on raw + aug (epochs 20)`."""
    words = recipe_words(evaluation, t)
    return t.cell(evaluation.model, evaluation.variant) + (f" ({words})" if words else "")


def evaluation_lead(group: EvaluationGroup, t: Texts) -> str:
    """Sum the group up in one sentence: the highest mean of the complete evaluations, or their progress."""
    best = _best(group)
    if best is None:
        parts = [t("held.so_far", n=len(e.folds), of=e.n_folds, name=evaluation_name(e, t)) for e in group.evaluations]
        return t("held.unfinished", title=group_title(group, t), parts=t.listed(parts))
    return t.n(
        "held.lead",
        len(best.scores.speakers),
        voices=t(f"held.voices_{group.on}"),
        name=evaluation_name(best, t),
        mean=score(best.mean),
        folds=best.n_folds,
        worst=best.worst.speaker + (f" ({t.n('unit.clips', best.worst.n_clips)})" if best.worst.is_rough else ""),
        worst_f1=score(best.worst.macro_f1),
    )


def evaluation_detail(group: EvaluationGroup, t: Texts) -> str:
    """Return the interval of the best mean, and the means of the others; empty while no evaluation is complete."""
    best = _best(group)
    if best is None:
        return ""
    interval = best.scores.interval
    level, span = whole_percent(interval.level), t.span(interval.low, interval.high)
    sure = t("held.sure", pooled=score(best.scores.pooled_macro_f1), level=level, span=span)
    others = [evaluation for evaluation in group.evaluations if evaluation.has_all_folds and evaluation is not best]
    if not others:
        return sure
    if len(others) <= _FEW_OTHERS:
        rest = t.listed([t("held.has", name=evaluation_name(e, t), mean=score(e.mean)) for e in others])
    else:
        means = [evaluation.mean for evaluation in others]
        rest = t("held.others_have", span=t.span(min(means), max(means)))
    flattered = "" if group.on == VALIDATION else t("held.flattered")
    return f"{sure} {t('held.highest', n=len(others) + 1, flattered=flattered, rest=rest)}"


def confused_sentence(group: EvaluationGroup, t: Texts) -> str:
    """Name the most frequent confusions of the best complete evaluation; empty without one, or without confusions."""
    best = _best(group)
    if best is None or not best.scores.confused:
        return ""
    pairs = [
        t("held.pair", truth=pair.truth, predicted=pair.predicted, share=percent(pair.n / pair.n_truth))
        for pair in best.scores.confused
    ]
    return t("held.confused", name=evaluation_name(best, t), pairs=t.listed(pairs))


def _best(group: EvaluationGroup) -> EvaluationFacts | None:
    complete = [evaluation for evaluation in group.evaluations if evaluation.has_all_folds]
    return max(complete, key=lambda evaluation: evaluation.mean, default=None)


def group_caveats(group: EvaluationGroup, t: Texts) -> tuple[str, ...]:
    """List the limits of the group's numbers: interval, few speakers, one seed, unread folds."""
    interval = group.evaluations[0].scores.interval
    caveats = [t("held.interval", level=whole_percent(interval.level), n=t.count(interval.n_replicates))]
    n_speakers = interval.n_units
    if n_speakers < _FEW_SPEAKERS:
        caveats.append(t("held.few_speakers", n=n_speakers, few=_FEW_SPEAKERS))
    if group.n_seeds == 1:
        caveats.append(t("held.one_seed"))
    elif len({evaluation.seeds for evaluation in group.evaluations}) > 1:
        caveats.append(t("held.uneven_seeds"))
    if group.tested_corpus:
        caveats.append(t("held.corpus", corpus=group.tested_corpus))
    if group.on == VALIDATION:
        caveats.append(t("held.optimistic"))
    return tuple(dict.fromkeys([*caveats, *(note for e in group.evaluations for note in _digit_caveats(e, t))]))


def _digit_caveats(evaluation: EvaluationFacts, t: Texts) -> Iterator[str]:
    """Name the digits that folds lack, and those that their training lacked."""
    for key, name in (("digits.absent_in_folds", "absent"), ("digits.untrained", "untrained")):
        for labels, numbers in group_folds(evaluation.scores.folds, name).items():
            digits, folds = (format_labels(names, t("word.to")) for names in (labels, numbers))
            yield t(key, n=len(labels), labels=digits, folds=folds, of=len(evaluation.scores.labels) - len(labels))
