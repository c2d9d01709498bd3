"""Sentences on a study and on the contest."""

from __future__ import annotations

from reports.facts.contest import ContestFacts
from reports.wording.formats import leaf, score, whole_percent
from reports.wording.page_texts import Texts
from sweeps.results import StudyFacts

FEW_TRIALS = 30  # finished trials below which the page calls importances a rough hint: their best quarter is seven


def sweep_sentence(sweep: StudyFacts, t: Texts) -> str:
    """Name the best trial and the parameter that mattered most, with a caveat where trials are few."""
    if not sweep.best:
        return t("sweep.none_finished")
    varied = {parameter.name for parameter in sweep.varied}
    settings = t.listed([f"{leaf(name)} {t.setting(value)}" for name, value in sweep.best.params.items() if name in varied])
    text = t("sweep.best", number=sweep.best.number, metric=t.metric(sweep.metric), value=score(sweep.best.value))
    text += f": {settings}." if settings else "."
    n_finished = sweep.n("finished")
    parameters = [parameter for parameter in sweep.varied if parameter.name in sweep.importances]
    if not parameters:
        return f"{text} {t.n('sweep.untold', n_finished)}"
    top = parameters[0]
    hint = f" {t.n('sweep.hint', n_finished)}" if n_finished < FEW_TRIALS else ""
    share = sweep.importances[top.name]
    how = t("sweep.most" if share > 0.5 else "sweep.less", name=leaf(top.name).capitalize(), share=whole_percent(share))
    return f"{text} {how}{hint}"


def contest_sentence(contest: ContestFacts, t: Texts) -> str:
    """Name the first team or teams, their lead, and how many could still be first."""
    if not contest.standings:
        return t("contest.nobody")
    first = [standing for standing in contest.standings if standing.rank == contest.standings[0].rank]
    rest = contest.standings[len(first) :]
    names, top = t.listed([standing.team for standing in first]), first[0]
    sure = ""
    if len(first) == 1:
        words = t("answer.interval", level=whole_percent(top.interval.level), span=t.span(top.interval.low, top.interval.high))
        sure = f" ({words})"
    text = t.n("contest.first", len(first), names=names, f1=score(top.macro_f1), sure=sure)
    if rest:
        text += t("contest.ahead", value=score(top.macro_f1 - rest[0].macro_f1), team=rest[0].team)
        n_level = sum(standing.could_be_first for standing in contest.standings)
        text += t("contest.level", n=n_level) if n_level > 1 else t("contest.clear")
    more = f" {t.n('contest.waiting', contest.n_waiting)}" if contest.n_waiting else ""
    return f"{text}.{more}"
