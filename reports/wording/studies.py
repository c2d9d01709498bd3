"""Sentences on a study and on the contest."""

from __future__ import annotations

from reports.facts.contest import ContestFacts
from reports.wording.formats import TIE, leaf, score, whole_percent
from reports.wording.page_texts import Texts
from sweeps.importance import FEWEST_TRIALS
from sweeps.results import StudyFacts
from sweeps.retraining import Retraining

_MOST_LISTED = 10  # scores, one by one


def sweep_sentence(sweep: StudyFacts, t: Texts) -> str:
    """Name the best trial and the parameter that mattered most, or the reason why none is named."""
    if not sweep.best:
        return t("sweep.none_finished")
    varied = {parameter.name for parameter in sweep.varied}
    settings = t.listed([f"{leaf(name)} {t.setting(value)}" for name, value in sweep.best.params.items() if name in varied])
    text = t("sweep.best", number=sweep.best.number, metric=t.metric(sweep.metric), value=score(sweep.best.value))
    text += _tie(sweep, t)
    text += f": {settings}." if settings else "."
    if sweep.retraining:
        text = f"{text} {retraining_sentences(sweep, sweep.retraining, t)}"
    if not sweep.importances:
        return f"{text} {importances_note(sweep, t)}"
    name, first = next(iter(sweep.importances.items()))
    key = "sweep.most" if first.share > 0.5 else "sweep.less"
    span = f"{whole_percent(first.low)} {t('word.to')} {whole_percent(first.high)}"
    return f"{text} {t(key, name=leaf(name).capitalize(), share=whole_percent(first.share), span=span)}"


def retraining_sentences(sweep: StudyFacts, retraining: Retraining, t: Texts) -> str:
    """Tell what trainings with other seeds came to, how lucky the trial was, and the test score."""
    record, n, interval = retraining.record, len(retraining.runs), retraining.test_interval
    changes = t.listed([f"{leaf(key)} {value}" for key, _, value in (text.partition("=") for text in record.overrides)])
    each = t.listed([score(run.value) for run in retraining.runs]) if n <= _MOST_LISTED else _span(retraining, t)
    words = {
        "number": record.trial,
        "changes": t("sweep.changes", settings=changes) if changes else "",
        "metric": t.metric(sweep.metric),
        "mean": score(retraining.mean),
        "sd": score(retraining.sd),
        "each": each,
    }
    sure = t("answer.interval", level=whole_percent(interval.level), span=t.span(interval.low, interval.high))
    test = {"test": score(retraining.test_mean), "sd": score(retraining.test_sd), "sure": sure}
    luck = _luck(sweep, retraining, t)
    return " ".join(filter(None, (t.n("sweep.retrained", n, **words), luck, t.n("sweep.tested", n, **test))))


def _span(retraining: Retraining, t: Texts) -> str:
    values = [run.value for run in retraining.runs]
    return t.span(min(values), max(values))


def _luck(sweep: StudyFacts, retraining: Retraining, t: Texts) -> str:
    value = score(retraining.trial_value)
    if retraining.trial_value is None:
        return ""
    if retraining.record.trial in sweep.pruned:
        return t("sweep.was_pruned", value=value)
    if retraining.optimism is None:
        return t("sweep.not_equal", value=value)
    key = "sweep.lucky" if retraining.optimism >= TIE else "sweep.not_lucky"
    return t(key, value=value, optimism=score(retraining.optimism))


def _tie(sweep: StudyFacts, t: Texts) -> str:
    """Count the other trials that the best is no better than."""
    best = sweep.best.value if sweep.best else None
    values = [trial.value for trial in sweep.trials if trial.state == "finished" and trial is not sweep.best]
    n = sum(best is not None and value is not None and abs(value - best) < TIE for value in values)
    return t.n("sweep.tie", n) if n else ""


def importances_note(sweep: StudyFacts, t: Texts) -> str:
    """Return the reason why a study has no importances, as `sweeps.importance.explain_absence` has it in English."""
    n = sweep.n_completed
    return t("sweep.too_few" if n < FEWEST_TRIALS else "sweep.by_chance", fewest=FEWEST_TRIALS, n=n)


def luck_sentence(contest: ContestFacts, t: Texts) -> str:
    """Name the expected luck in the first score of a closed contest; empty where none was estimated."""
    for standing in contest.ranked:
        if (luck := standing.luck) is not None:
            parts = {"attempts": score(luck.of_attempts), "rank": score(luck.of_rank), "expected": score(luck.expected)}
            return t("contest.luck", team=standing.team, **parts)
    return ""


def contest_sentence(contest: ContestFacts, t: Texts) -> str:
    """Name the first team or teams, their lead, and how many could still be first."""
    ranked = contest.ranked
    if not ranked:
        return t("contest.nobody")
    first = [standing for standing in ranked if standing.rank == 1]
    rest = ranked[len(first) :]
    names, top = t.listed([standing.team for standing in first]), first[0]
    sure = ""
    if len(first) == 1:
        words = t("answer.interval", level=whole_percent(top.interval.level), span=t.span(top.interval.low, top.interval.high))
        sure = f" ({words})"
    text = t.n("contest.first", len(first), names=names, f1=score(top.macro_f1), sure=sure)
    if rest:
        text += t("contest.ahead", value=score(top.macro_f1 - rest[0].macro_f1), team=rest[0].team)
        n_level = sum(standing.could_be_first for standing in ranked)
        text += t("contest.level", n=n_level) if n_level > 1 else t("contest.clear") if n_level else ""
    more = f" {t.n('contest.waiting', contest.n_waiting)}" if contest.n_waiting else ""
    return f"{text}.{more}"
