"""All pictures of the page, by the name under which a template places them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from reports.contest_figures import attempts_plot
from reports.curves import f1_curves, f1_limits, loss_curves, loss_limits
from reports.dots import dot_plot
from reports.facts import ReportFacts, SweepFacts
from reports.matrices import large_matrix, small_matrix
from reports.sweep_figures import history, importances, metric_limits, slice_of, slug

WIDE_PX, NARROW_PX = 720, 350


@dataclass(frozen=True, kw_only=True, slots=True)
class BothWidths:
    """The same numbers drawn for a desk and for a phone; the style sheet shows one."""

    wide: str
    narrow: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFigures:
    """The pictures of one training; `matrix` is empty without test clips."""

    loss: str
    f1: str
    matrix: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepFigures:
    """The pictures of one study; `importances` is empty where none are known."""

    anchor: str
    history: str
    slices: tuple[str, ...]
    importances: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """All pictures; None or empty where the facts have nothing to draw."""

    dots: BothWidths | None
    runs: dict[str, RunFigures]  # by digest
    large_matrix: str
    sweeps: dict[str, SweepFigures]  # by name
    attempts: BothWidths | None


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection meanwhile: 77 figures of cyclic objects took a fifth longer with it (2 cores, n = 7 each)."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_uncollected()
def draw_all(facts: ReportFacts) -> Figures:
    """Every picture that the facts give."""
    shown = facts.shown
    standings = facts.contest.standings if facts.contest else ()
    return Figures(
        dots=BothWidths(
            wide=dot_plot(facts.cells, facts.chosen, WIDE_PX), narrow=dot_plot(facts.cells, facts.chosen, NARROW_PX)
        )
        if facts.cells and not facts.is_one_fold
        else None,
        runs=_runs(facts),
        large_matrix=large_matrix(shown) if shown and shown.test else "",
        sweeps=_sweeps(facts.sweeps or ()),
        attempts=BothWidths(wide=attempts_plot(standings, WIDE_PX), narrow=attempts_plot(standings, NARROW_PX))
        if standings
        else None,
    )


def _runs(facts: ReportFacts) -> dict[str, RunFigures]:
    losses, scores = loss_limits(facts.runs), f1_limits(facts.runs)
    n_epochs = max((point.epoch for run in facts.runs for point in run.curve), default=1)
    return {
        run.digest: RunFigures(
            loss=loss_curves(run, losses, n_epochs),
            f1=f1_curves(run, scores, n_epochs),
            matrix=small_matrix(run) if run.test else "",
        )
        for run in facts.runs
    }


def _sweeps(sweeps: tuple[SweepFacts, ...]) -> dict[str, SweepFigures]:
    figures = {}
    for sweep in sweeps:
        limits = metric_limits([other for other in sweeps if other.metric == sweep.metric])
        figures[sweep.name] = SweepFigures(
            anchor=f"study-{slug(sweep)}",
            history=history(sweep, limits),
            slices=tuple(slice_of(sweep, parameter, limits) for parameter in sweep.parameters),
            importances=importances(sweep),
        )
    return figures
