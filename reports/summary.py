"""Sentences made of numbers, which never say more than the numbers do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.evaluation_summary import evaluation_detail, evaluation_lead
from reports.facts import ContestFacts, DifferenceFacts, EffectFacts, IntervalFacts, ReportFacts, RunFacts, SweepFacts
from reports.formats import (
    cell_name,
    count,
    leaf,
    listed,
    magnitude,
    metric_name,
    plural,
    score,
    seconds,
    setting,
    signed,
    signed_span,
    span,
    verdict_word,
    whole_percent,
)

FEW_TRIALS = (
    30  # finished trials below which the page calls importances a rough hint (the smoothing forest has little to split)
)
_SAME_SCORE = 1e-9


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """What the page says in words."""

    lead: str  # the answer
    answer: tuple[str, ...]  # how sure, and at what cost
    caveats: tuple[str, ...]  # what the numbers do not say
    effects: tuple[str, ...]
    sweeps: dict[str, str]  # by study
    contest: str


def summarise(facts: ReportFacts) -> Summary:
    """All sentences of the page."""
    chosen, runner_up = facts.run(facts.chosen), facts.run(facts.runner_up)
    return Summary(
        lead=_lead(facts, chosen),
        answer=(*(_answer(facts, chosen, runner_up) if chosen else ()), *_evaluated(facts)),
        caveats=_caveats(facts, chosen) if chosen else _fold_caveats(facts),
        effects=tuple(effect_sentence(effect) for effect in facts.effects),
        sweeps={sweep.name: sweep_sentence(sweep) for sweep in facts.sweeps or ()},
        contest=contest_sentence(facts.contest) if facts.contest else "",
    )


def _lead(facts: ReportFacts, chosen: RunFacts | None) -> str:
    if facts.is_one_fold and facts.evaluations:
        return evaluation_lead(facts.evaluations[0])
    if chosen is None:
        return _lead_without_runs(facts)
    name = cell_name(chosen.model, chosen.variant)
    val = chosen.val.macro_f1 if chosen.val else None
    if not chosen.test:
        return f"{name} is best by validation, with macro-F1 {score(val)}. It was not tested: the split holds no test clips."
    sure = f" ({interval_words(chosen.interval)})" if chosen.interval else ""
    if facts.hears_validation:
        return (
            f"{name} scores highest on new clips of voices it knows, which says nothing of a new voice. "
            f"On test speakers it reaches macro-F1 {score(chosen.test.macro_f1)}{sure}."
        )
    return f"{name} is the choice by validation. On test it reaches macro-F1 {score(chosen.test.macro_f1)}{sure}."


def _lead_without_runs(facts: ReportFacts) -> str:
    parts = [plural(len(facts.sweeps), "study", "studies")] if facts.sweeps else []
    parts += [plural(n, "evaluation")] if (n := sum(len(group.evaluations) for group in facts.evaluations)) else []
    parts += ["the standings of a contest"] if facts.contest else []
    return f"No finished training to compare. This page holds {listed(parts)}."


def _evaluated(facts: ReportFacts) -> tuple[str, ...]:
    """What the first group says and the lead does not; all groups stand in their own section."""
    if not facts.evaluations:
        return ()
    first = facts.evaluations[0]
    said = (evaluation_detail(first),) if facts.is_one_fold else (f"{evaluation_lead(first)} {evaluation_detail(first)}",)
    return tuple(text.strip() for text in said if text)


def interval_words(interval: IntervalFacts) -> str:
    """`95 % interval 0.931 to 0.968`."""
    return f"{whole_percent(interval.level)} interval {span(interval.low, interval.high)}"


def _answer(facts: ReportFacts, chosen: RunFacts, runner_up: RunFacts | None) -> tuple[str, ...]:
    others = [run for run in facts.runs if run.behind_choice]
    sentences = [_choice(facts, chosen)]
    if runner_up and runner_up.test and runner_up.behind_choice:
        sentences.append(_against(runner_up, runner_up.behind_choice))
    if len(others) > 1:
        sentences.append(_against_all(others))
    if chosen.verdict in ("overfit", "underfit", "unsettled"):
        word = f"are {chosen.verdict}" if chosen.verdict == "unsettled" else f"say that it {verdict_word(chosen.verdict)}"
        sentences.append(f"Its curves {word}; the reason stands under “Fit and cost”.")
    sentences.append(_cost(facts, chosen))
    return tuple(sentences)


def _choice(facts: ReportFacts, chosen: RunFacts) -> str:
    best = chosen.val.macro_f1 if chosen.val else 0.0
    tied = [run for run in facts.runs if run.val and run is not chosen and abs(run.val.macro_f1 - best) < _SAME_SCORE]
    names = [cell_name(run.model, run.variant) for run in tied]
    tie = f", level with {listed(names)}; the lowest validation loss decided" if tied else ""
    clips = "validation clips, of voices heard in training," if facts.hears_validation else "validation clips"
    ahead = f"Its macro-F1 of {score(best)} on the {clips} is the highest of {plural(len(facts.runs), 'training')}{tie}."
    return f"{ahead} The test clips had no part in that choice." if chosen.test else ahead


def _against(other: RunFacts, difference: DifferenceFacts) -> str:
    name, value = cell_name(other.model, other.variant), other.test.macro_f1 if other.test else None
    paired = f"paired difference {signed(difference.value)}, {signed_span(difference.interval.low, difference.interval.high)}"
    if not difference.is_clear:
        verdict = f"on these {units(difference.interval)} the two cannot be told apart"
    elif difference.value > 0:
        verdict = "the choice is ahead by more than these test clips leave to chance"
    else:
        verdict = "on test it is ahead of the choice by more than chance among these clips"
    return f"Second by validation is {name}, with {score(value)} on test ({paired}): {verdict}."


def units(interval: IntervalFacts) -> str:
    """`300 clips` or `12 speakers`."""
    return f"{count(interval.n_units)} {interval.unit}"


def _against_all(others: Sequence[RunFacts]) -> str:
    clear = [run for run in others if run.behind_choice and run.behind_choice.is_clear]
    ahead = [run for run in clear if run.behind_choice and run.behind_choice.value < 0]
    n_level = len(others) - len(clear)
    n_behind = len(clear) - len(ahead)
    lies = "lies" if n_behind == 1 else "lie"
    text = (
        f"Of the {len(others)} others, {n_behind} {lies} clearly behind it on test and {n_level} cannot be told apart from it"
    )
    if ahead:
        names = listed([cell_name(run.model, run.variant) for run in ahead])
        return f"{text}; {names} {'lies' if len(ahead) == 1 else 'lie'} clearly ahead, which validation did not foresee."
    return f"{text}."


def _cost(facts: ReportFacts, chosen: RunFacts) -> str:
    threads = f" with {plural(chosen.n_threads, 'thread')}" if chosen.n_threads else ""
    own = (
        f"Its training took {seconds(chosen.wall_s)} on {chosen.device or 'an unnamed device'}{threads}; the net has "
        f"{count(chosen.n_parameters)} parameters and spends {magnitude(chosen.n_multiply_adds)} multiply-adds on a clip."
    )
    total = sum(run.wall_s for run in facts.runs)
    return f"{own} All {len(facts.runs)} trainings together took {seconds(total)}." if len(facts.runs) > 1 else own


def _caveats(facts: ReportFacts, chosen: RunFacts) -> tuple[str, ...]:
    found = []
    interval, test = chosen.interval, chosen.test
    if interval and test:
        level, n_replicates = whole_percent(interval.level), count(interval.n_replicates)
        how = f"An interval is the middle {level} of {n_replicates} bootstrap resamples of the test "
        if interval.unit == "clips":
            n = len(test.speakers)
            voices = f"the same {plural(n, 'speaker')}" if n > 1 else "the same speaker"
            few = f"{n} {'are' if n > 1 else 'is'} too few to tell"
            found.append(
                f"{how}clips. It says how far a score would move with other clips of {voices}. "
                f"It says nothing on speakers that were never recorded: {few}."
            )
        else:
            found.append(
                f"{how}speakers. It says how far a score would move with {interval.n_units} other speakers like these."
            )
    seeds = {run.seed for run in facts.runs}
    if len(facts.runs) > 1:
        with_seed = f" with seed {seeds.pop()}" if len(seeds) == 1 else ""
        found.append(f"Each number is of one training{with_seed}. No interval here covers the luck of another seed.")
    if facts.hears_validation:
        found.append(
            "Validation is of other clips of the speakers who train: it says nothing of a new voice, it chose no epoch (the "
            "last one was kept), and the choice that this page makes by it is a name for one training, not for the best. "
            "To choose, hold speakers out for it (split.validation=speakers)."
        )
    if chosen.config.get("split.kind") == "random":
        found.append(
            "The split is random over clips: every test speaker may also be heard in training, so new voices would score lower."
        )
    return tuple(found)


def _fold_caveats(facts: ReportFacts) -> tuple[str, ...]:
    if not facts.is_one_fold:
        return ()
    text = (
        "The trainings below are one fold of an evaluation, since no others were found: what they score hangs on who was held "
        "out. None is chosen among them; believe what the folds say together."
    )
    return (text,)


def effect_sentence(effect: EffectFacts) -> str:
    """The mean paired difference of one factor, with its interval and its single pairs."""
    difference = effect.difference
    n = len(difference.parts)
    interval = difference.interval
    detail = f"{whole_percent(interval.level)} interval {signed_span(interval.low, interval.high)}"
    if n > 1:
        values = [value for _, value in difference.parts]
        detail += f", single pairs {signed_span(min(values), max(values))}"
    over = f"on average over {plural(n, 'pair')} of trainings" if n > 1 else "in the one pair of trainings there is"
    plus = f"With {effect.plus}" if effect.factor != "model" else effect.plus
    if difference.is_clear:
        way = "higher" if difference.value > 0 else "lower"
        return f"{plus}: test macro-F1 is {score(abs(difference.value))} {way} {over} ({detail})."
    return f"{plus}: no difference that these {units(interval)} can show; {signed(difference.value)} {over} ({detail})."


def sweep_sentence(sweep: SweepFacts) -> str:
    """What the best trial was, and which parameter mattered, with a caveat where trials are few."""
    if not sweep.best:
        return "No trial has finished: there is nothing to learn from yet."
    varied = {parameter.name for parameter in sweep.parameters}
    settings = listed([f"{leaf(name)} {setting(value)}" for name, value in sweep.best.params.items() if name in varied])
    text = f"Trial {sweep.best.number} is best with {metric_name(sweep.metric)} {score(sweep.best.value)}"
    text += f": {settings}." if settings else "."
    known = [parameter for parameter in sweep.parameters if parameter.importance is not None]
    if not known:
        return f"{text} {plural(sweep.n_finished, 'finished trial')} did not suffice to tell which parameter mattered."
    top = known[0]
    hint = f" From {plural(sweep.n_finished, 'finished trial')} this is a rough hint." if sweep.n_finished < FEW_TRIALS else ""
    share = top.importance or 0.0
    how = "explains most of what varied" if share > 0.5 else "mattered most, though it explains less than half of what varied"
    return f"{text} {leaf(top.name).capitalize()} {how} ({whole_percent(share)}).{hint}"


def contest_sentence(contest: ContestFacts) -> str:
    """Who is first, by how much; ties are named."""
    if not contest.standings:
        return "No team has submitted yet."
    first = [standing for standing in contest.standings if standing.rank == contest.standings[0].rank]
    rest = contest.standings[len(first) :]
    who, top = listed([standing.team for standing in first]), first[0]
    sure = f" ({interval_words(top.interval)})" if top.interval and len(first) == 1 else ""
    verb = "is first" if len(first) == 1 else "share the first rank"
    text = f"{who} {verb} with macro-F1 {score(top.macro_f1)}{sure}"
    if rest:
        text += f", {score(top.macro_f1 - rest[0].macro_f1)} ahead of {rest[0].team}"
        if top.interval and rest[0].interval and top.interval.low <= rest[0].interval.high:
            text += f"; their intervals overlap: other {top.interval.unit} could rank them otherwise"
    more = (
        f" {plural(contest.n_waiting, 'team')} {'has' if contest.n_waiting == 1 else 'have'} not submitted."
        if contest.n_waiting
        else ""
    )
    return f"{text}.{more}"
