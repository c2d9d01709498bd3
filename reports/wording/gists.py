"""Gists: one line beside the heading of a folded section, which says what opening it shows."""

from __future__ import annotations

from reports.facts.report import ReportFacts
from reports.wording.formats import score
from reports.wording.page_texts import Texts


def gist(section: str, facts: ReportFacts, t: Texts) -> str:
    """Return the gist of a folded section of the page."""
    write = {"held-out": _held_out, "mistakes": _mistakes, "sweeps": _sweeps, "contest": _contest, "data": _data}.get(section)
    if write:
        return write(facts, t) or t("gist.nothing")
    if section in ("trainings", "lineage") and not facts.runs:
        return t("gist.nothing")
    if section == "autoencoder":
        return t.n("gist.autoencoder", len(facts.autoencoders))
    models = t.listed([t.model(inspection.model) for inspection in facts.inspections])
    settings = t.listed([t(f"learning.{learning.axis}") for learning in facts.learning])
    return t(f"gist.{section}", trainings=t.n("unit.trainings", len(facts.runs)), models=models, settings=settings)


def _held_out(facts: ReportFacts, t: Texts) -> str:
    if not facts.evaluations:
        return ""
    means = [evaluation.mean for group in facts.evaluations for evaluation in group.evaluations]
    return t.n("gist.held_out", len(means), span=t.span(min(means), max(means)))


def _mistakes(facts: ReportFacts, t: Texts) -> str:
    parts = [t.n("gist.mistakes", len(facts.mistakes))] if facts.mistakes else []
    parts += [t.n("gist.doubts", len(facts.doubts))] if facts.doubts else []
    return t.listed(parts)


def _sweeps(facts: ReportFacts, t: Texts) -> str:
    if not facts.sweeps:
        return ""
    trials = t.n("gist.trials", sum(len(sweep.trials) for sweep in facts.sweeps))
    tried = t("gist.sweeps", studies=t.n("answer.studies", len(facts.sweeps)), trials=trials)
    metric = facts.sweeps[0].metric
    peers = [sweep for sweep in facts.sweeps if sweep.best and sweep.metric == metric]
    values = [sweep.best.value for sweep in peers if sweep.best and sweep.best.value is not None]
    if not values:
        return tried
    best = max(values) if peers[0].is_maximized else min(values)
    return t("gist.best", tried=tried, metric=t.metric(metric), value=score(best))


def _contest(facts: ReportFacts, t: Texts) -> str:
    contest = facts.contest
    if not contest:
        return ""
    ranked = contest.ranked
    first = ranked[0] if ranked else None
    return t.n("gist.contest", len(ranked), first=first.team, f1=score(first.macro_f1)) if first else contest.name


def _data(facts: ReportFacts, t: Texts) -> str:
    run = facts.main_run
    sizes = [f"{t(f'data.{name}')} {t.count(split.n)}" for name, split in run.splits.items()] if run else []
    return t("gist.data", sizes=", ".join(sizes), split=t.split(run.config.get("split.kind"))) if run else ""
