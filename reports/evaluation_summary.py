"""Sentences on evaluations, which never say more than the numbers do."""

from __future__ import annotations

from reports.evaluation_facts import VALIDATION, EvaluationFacts, EvaluationGroup
from reports.formats import cell_name, count, leaf, listed, percent, plural, score, setting, span, whole_percent

_FEW_SPEAKERS = 10  # below, a percentile interval misses more often than it says
_FEW_OTHERS = 3  # that a sentence names; the table has all


def group_title(group: EvaluationGroup) -> str:
    """`Every speaker held out once`, or what the folds are."""
    name = {"loso": "Every speaker held out once", "becker": "AudioMNIST\u2019s five folds"}
    title = name.get(group.kind, f"{group.n_folds} groups of speakers, each held out once")
    return f"{title}, scored on validation" if group.on == VALIDATION else title


def recipe_words(evaluation: EvaluationFacts) -> str:
    """`epochs 20, dropout 0.3`; empty where nothing tells it from another."""
    return ", ".join(f"{leaf(key)} {setting(value)}" for key, value in evaluation.recipe)


def name_of(evaluation: EvaluationFacts) -> str:
    """`Model B on raw + aug (epochs 20)`."""
    words = recipe_words(evaluation)
    return cell_name(evaluation.model, evaluation.variant) + (f" ({words})" if words else "")


def evaluation_lead(group: EvaluationGroup) -> str:
    """What the group says in one sentence: the highest mean of the whole evaluations, or how far they are."""
    best = _best(group)
    if best is None:
        parts = [f"{len(one.folds)} of {one.n_folds} folds of {name_of(one)}" for one in group.evaluations]
        return f"{group_title(group)}: not finished, {listed(parts)} so far."
    voices = "who validate and were never trained on" if group.on == VALIDATION else "never heard in training"
    return (
        f"On {plural(len(best.speakers), 'speaker')} {voices}, {name_of(best)} reaches a mean macro-F1 of {score(best.mean)} "
        f"over {best.n_folds} folds; the worst speaker, {best.worst.speaker}, has {score(best.worst.macro_f1)}."
    )


def evaluation_detail(group: EvaluationGroup) -> str:
    """How sure that is, and what the others reach; empty while nothing is whole."""
    best = _best(group)
    if best is None:
        return ""
    level = whole_percent(best.level)
    sure = f"Of all clips together it is {score(best.pooled)}, with a {level} interval of {span(best.low, best.high)}."
    others = [one for one in group.evaluations if one.has_all_folds and one is not best]
    if not others:
        return sure
    if len(others) <= _FEW_OTHERS:
        rest = listed([f"{name_of(one)} has {score(one.mean)}" for one in others])
    else:
        means = [one.mean for one in others]
        rest = f"the others have {span(min(means), max(means))}"
    flattered = "" if group.on == VALIDATION else ", picked by these very scores and so a little flattered"
    return f"{sure} It is the highest of {len(others) + 1}{flattered}; {rest}."


def confused_sentence(group: EvaluationGroup) -> str:
    """What the best of the whole evaluations takes for something else most often; empty where nothing is, or none is whole."""
    best = _best(group)
    if best is None or not best.confused:
        return ""
    pairs = [f"{one.truth} for {one.predicted} ({percent(one.n / one.n_truth)})" for one in best.confused]
    return f"{name_of(best)} takes most often {listed(pairs)}, of the clips of the digit that was spoken."


def _best(group: EvaluationGroup) -> EvaluationFacts | None:
    whole = [evaluation for evaluation in group.evaluations if evaluation.has_all_folds]
    return max(whole, key=lambda evaluation: evaluation.mean, default=None)


def group_caveats(group: EvaluationGroup) -> tuple[str, ...]:
    """What belongs beside the numbers of a group."""
    first = group.evaluations[0]
    found = [
        f"Interval: of the macro-F1 of all clips together, the middle {whole_percent(first.level)} of "
        f"{count(first.n_replicates)} draws of the speakers with replacement; it is over the speakers who are scored, not over "
        "those who train."
    ]
    n_speakers = len(first.speakers)
    if n_speakers < _FEW_SPEAKERS:
        found.append(f"With {n_speakers} speakers, fewer than {_FEW_SPEAKERS}, it is rough and comes out too narrow.")
    if group.n_seeds == 1:
        found.append("One seed each: nothing here covers the luck of another.")
    elif len({one.seeds for one in group.evaluations}) > 1:
        found.append("Not all have equally many seeds.")
    if group.on == VALIDATION:
        found.append(
            "These speakers validate: their scores are for choosing a recipe, and where they also chose the epoch that was "
            "kept they are a little optimistic. The test speakers of these runs are not shown."
        )
    found += [f"{name_of(one)}: {note}." for one in group.evaluations for note in one.notes if note.startswith("fold ")]
    return tuple(found)
