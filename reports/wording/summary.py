"""Sentences of the page, none of which claims more than the numbers do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arena.base.scores import Interval
from cnn.runs import find_corpus
from reports.facts.base import DifferenceFacts
from reports.facts.report import EffectFacts, ReportFacts, RunFacts
from reports.wording.digits import digits_sentence
from reports.wording.evaluations import evaluation_detail, evaluation_lead
from reports.wording.formats import TIE, magnitude, score, seconds, signed, variant_name, whole_percent
from reports.wording.page_texts import Texts, page_texts
from reports.wording.studies import contest_sentence, luck_sentence, sweep_sentence

_MOST_NAMES = 2  # in a sentence that has a number for more


@dataclass(frozen=True, kw_only=True, slots=True)
class Summary:
    """All sentences of the page."""

    lead: str  # the answer
    answer: tuple[tuple[str, str], ...]  # lead, certainty and cost: each a heading and its sentences
    caveats: tuple[str, ...]  # limits of the numbers
    effects: tuple[str, ...]
    sweeps: dict[str, str]  # by study
    contest: str
    luck: str  # in the first score of a closed contest; empty before


def summarise(facts: ReportFacts) -> Summary:
    """Write all sentences of the page."""
    t = page_texts(facts)
    chosen = facts.run(facts.chosen)
    return Summary(
        lead=_lead(facts, chosen, t),
        answer=(*(_answer(facts, chosen, t) if chosen else ()), *_held_out(facts, t)),
        caveats=_caveats(facts, chosen, t) if chosen else _fold_caveats(facts, t),
        effects=tuple(effect_sentence(effect, t) for effect in facts.effects),
        sweeps={sweep.name: sweep_sentence(sweep, t) for sweep in facts.sweeps or ()},
        contest=contest_sentence(facts.contest, t) if facts.contest else "",
        luck=luck_sentence(facts.contest, t) if facts.contest else "",
    )


def describe_tested(facts: ReportFacts, t: Texts) -> str:
    """Say whose clips validate and test, each sentence after a space; empty where the table of parts says it all."""
    text = t("data.heard") if facts.validates_on_known_speakers else ""
    run = facts.main_run
    if run is None or not run.corpora:
        return text
    if corpus := run.config.get("split.test_corpus"):
        return text + t("data.one_corpus", all=t.listed(run.corpora), corpus=corpus)
    tested = {find_corpus(name, run.corpora) for name in (run.test.speakers if run.test else ())}
    return text + t("data.named_corpora", corpora=t.listed(sorted(tested))) if tested else text


def _lead(facts: ReportFacts, chosen: RunFacts | None, t: Texts) -> str:
    if facts.is_one_fold and facts.evaluations:
        return evaluation_lead(facts.evaluations[0], t)
    if chosen is None:
        return _lead_without_runs(facts, t)
    name = t("word.cell", model=t.introduce(chosen.model), variant=variant_name(chosen.variant))
    if not chosen.test:
        key = "answer.trial" if chosen.is_trial else "answer.untested"
        return t(key, name=name, val=score(chosen.val.macro_f1 if chosen.val else None))
    sure = f" ({interval_words(chosen.interval, t)})" if chosen.interval else ""
    if facts.validates_on_known_speakers:
        return t("answer.lead_heard", name=name, test=score(chosen.test.macro_f1), sure=sure)
    return t("answer.lead", name=name, test=score(chosen.test.macro_f1), sure=sure, tie=_tie(facts, chosen, t))


def _tie(facts: ReportFacts, chosen: RunFacts, t: Texts) -> str:
    """Name the trainings that the choice ties with: within a thousandth on validation, or within the interval on test."""
    ties = [run for run in facts.runs if _is_level(run, chosen) or (run.behind_choice and not run.behind_choice.is_clear)]
    if not ties:
        return ""
    if len(ties) > _MOST_NAMES:
        return t("answer.tie_many", n=len(ties), all=len(facts.runs) - 1)
    return t("answer.tie", names=t.listed([t.cell(run.model, run.variant) for run in ties]))


def _is_level(run: RunFacts, chosen: RunFacts) -> bool:
    """Return True if another run scores as the choice does on validation, to a thousandth."""
    return bool(run is not chosen and run.val and chosen.val and abs(run.val.macro_f1 - chosen.val.macro_f1) < TIE)


def _lead_without_runs(facts: ReportFacts, t: Texts) -> str:
    parts = [t.n("answer.studies", len(facts.sweeps))] if facts.sweeps else []
    parts += [t.n("answer.evaluations", n)] if (n := sum(len(group.evaluations) for group in facts.evaluations)) else []
    parts += [t("answer.a_contest")] if facts.contest else []
    return t("answer.no_training", parts=t.listed(parts))


def _held_out(facts: ReportFacts, t: Texts) -> tuple[tuple[str, str], ...]:
    """Sum up the first group beyond the lead; all groups stand in a section."""
    if not facts.evaluations:
        return ()
    first = facts.evaluations[0]
    detail = evaluation_detail(first, t) if facts.is_one_fold else f"{evaluation_lead(first, t)} {evaluation_detail(first, t)}"
    return ((t("answer.held_out"), detail.strip()),) if detail.strip() else ()


def interval_words(interval: Interval, t: Texts) -> str:
    """Return `95 % interval 0.931 to 0.968`."""
    return t("answer.interval", level=whole_percent(interval.level), span=t.span(interval.low, interval.high))


def _answer(facts: ReportFacts, chosen: RunFacts, t: Texts) -> tuple[tuple[str, str], ...]:
    others = [run for run in facts.runs if run.behind_choice]
    runner_up = facts.run(facts.runner_up)
    rows = [(t("answer.why_head"), _choice(facts, chosen, t))]
    ahead = (
        [_against(runner_up, runner_up.behind_choice, t)] if runner_up and runner_up.test and runner_up.behind_choice else []
    )
    ahead += [_against_all(others, t)] if len(others) > 1 else []
    if ahead:
        rows.append((t("answer.much_head"), " ".join(ahead)))
    if chosen.verdict in ("overfit", "underfit", "unsettled"):
        rows.append((t("answer.fit_head"), t(f"answer.fit_{chosen.verdict}")))
    if digits := digits_sentence(chosen, t):
        rows.append((t("digits.head"), digits))
    rows.append((t("answer.cost_head"), _cost(facts, chosen, t)))
    return tuple(rows)


def _choice(facts: ReportFacts, chosen: RunFacts, t: Texts) -> str:
    best = chosen.val.macro_f1 if chosen.val else 0.0
    tied = [run for run in facts.runs if _is_level(run, chosen)]
    names = t.listed([t.cell(run.model, run.variant) for run in tied])
    tie = t("answer.tied", names=names) if tied else ""
    clips = t("answer.val_clips_heard" if facts.validates_on_known_speakers else "answer.val_clips")
    ahead = t.n("answer.choice", len(facts.runs), val=score(best), clips=clips, tie=tie)
    return f"{ahead} {t('answer.no_part')}" if chosen.test else ahead


def _against(rival: RunFacts, difference: DifferenceFacts, t: Texts) -> str:
    name, value = t.cell(rival.model, rival.variant), rival.test.macro_f1 if rival.test else None
    interval = difference.interval
    if not difference.is_clear:
        verdict = t("answer.level", units=units(interval, t))
    else:
        verdict = t("answer.ahead" if difference.value > 0 else "answer.behind")
    span = t.signed_span(interval.low, interval.high)
    return t("answer.second", name=name, test=score(value), value=signed(difference.value), span=span, verdict=verdict)


def units(interval: Interval, t: Texts) -> str:
    """Return `300 clips` or `12 speakers`."""
    return t.n(f"unit.{interval.unit}", interval.n_units)


def _against_all(others: Sequence[RunFacts], t: Texts) -> str:
    clear = [run for run in others if run.behind_choice and run.behind_choice.is_clear]
    ahead = [run for run in clear if run.behind_choice and run.behind_choice.value < 0]
    n_behind, n_level = len(clear) - len(ahead), len(others) - len(clear)
    text = t.n("answer.of_others", n_behind, all=len(others), level=n_level)
    if ahead:
        names = t.listed([t.cell(run.model, run.variant) for run in ahead])
        return f"{text}; {t.n('answer.clearly_ahead', len(ahead), names=names)}"
    return f"{text}."


def _cost(facts: ReportFacts, chosen: RunFacts, t: Texts) -> str:
    threads = t.n("answer.threads", chosen.n_threads) if chosen.n_threads else ""
    cost = t(
        "answer.cost",
        time=seconds(chosen.wall_s),
        device=chosen.device or t("answer.unnamed_device"),
        threads=threads,
        parameters=t.count(chosen.n_parameters),
        adds=magnitude(chosen.n_multiply_adds),
    )
    total = seconds(sum(run.wall_s for run in facts.runs))
    return f"{cost} {t('answer.cost_all', n=len(facts.runs), time=total)}" if len(facts.runs) > 1 else cost


def _caveats(facts: ReportFacts, chosen: RunFacts, t: Texts) -> tuple[str, ...]:
    caveats = []
    interval, test = chosen.interval, chosen.test
    if interval and test:
        how = {"level": whole_percent(interval.level), "n": t.count(interval.n_replicates)}
        if interval.unit == "clips":
            caveats.append(t("trust.clips", **how, few=t.n("trust.few_speakers", len(test.speakers))))
        else:
            caveats.append(t("trust.speakers", **how, speakers=interval.n_units))
    seeds = {run.seed for run in facts.runs}
    if len(facts.runs) > 1:
        with_seed = t("trust.with_seed", seed=seeds.pop()) if len(seeds) == 1 else ""
        caveats.append(t("trust.one_training", seed=with_seed))
    if facts.validates_on_known_speakers:
        caveats.append(t("trust.heard"))
    if chosen.config.get("split.kind") == "random":
        caveats.append(t("trust.random"))
    return tuple(caveats)


def _fold_caveats(facts: ReportFacts, t: Texts) -> tuple[str, ...]:
    return (t("trust.one_fold"),) if facts.is_one_fold else ()


def effect_name(effect: EffectFacts, t: Texts) -> str:
    """Return `With the bilateral filter`, `resnet instead of lenet5`, or `filter x augmentation`."""
    if len(effect.factors) == 1:
        return t(f"effect.plus_{effect.factors[0]}", **_models(t))
    if len(effect.factors) > 2:
        return t("effect.all_three")
    return " \u00d7 ".join(t(f"effect.{factor}") for factor in effect.factors)


def _models(t: Texts) -> dict[str, str]:
    """Name Model A and Model B, for the texts that compare them."""
    return dict(zip("ab", map(t.model, t.models), strict=False))


def _interaction_names(effect: EffectFacts, t: Texts) -> dict[str, str]:
    """Name the parts of an interaction: the effect that changes, and the factor that changes it."""
    *first, last = effect.factors
    if not first:
        return {}
    return {
        "of": t("effect.of_both" if len(first) > 1 else f"effect.of_{first[0]}"),
        "than": t(f"effect.than_{last}", **_models(t)),
    }


def effect_sentence(effect: EffectFacts, t: Texts) -> str:
    """State the mean paired difference of a factor, or its change with another, with its interval and single pairs."""
    difference = effect.difference
    interval, n = difference.interval, len(difference.parts)
    detail = t("effect.detail", level=whole_percent(interval.level), span=t.signed_span(interval.low, interval.high))
    kind = "main" if len(effect.factors) == 1 else "interaction"
    if n > 1:
        values = [value for _, value in difference.parts]
        detail += t(f"effect.{kind}_parts", span=t.signed_span(min(values), max(values)))
    if kind == "main" and difference.speakers and interval.unit == "speakers":
        detail += t("effect.speakers", higher=difference.n_higher, all=len(difference.speakers))
    over = t.n(f"effect.{kind}_over", n)
    name = effect_name(effect, t)
    if difference.is_clear:
        way = "higher" if difference.value > 0 else "lower"
        value = score(abs(difference.value))
        return t(f"effect.{kind}_{way}", name=name, value=value, over=over, detail=detail, **_interaction_names(effect, t))
    value = signed(difference.value)
    return t(f"effect.{kind}_level", name=name, units=units(interval, t), value=value, over=over, detail=detail)
