"""All figures of the page, by the names that its templates use."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from reports.facts.report import ReportFacts
from reports.figures.confusion import large_matrix, small_matrix
from reports.figures.contest import attempts_plot
from reports.figures.curves import f1_curves, f1_limits, loss_curves, loss_limits
from reports.figures.effects import effect_plot
from reports.figures.groups import group_limits, group_plot
from reports.figures.scores import dot_plot
from reports.sweep_figures.comparison import best_plot
from reports.sweep_figures.contour import contour_plot
from reports.sweep_figures.front import cost_plot, front_plot
from reports.sweep_figures.history import history_plot, importance_plot, metric_limits, slice_plot, slug
from reports.sweep_figures.parallel_coordinates import parallel_plot
from reports.wording.page_texts import Texts, page_texts
from sweeps.results import StudyFacts

WIDE_PX, HALF_PX, NARROW_PX = 720, 544, 350


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
    """The pictures of one study, each empty where there is nothing to draw."""

    anchor: str
    history: str
    slices: tuple[str, ...]
    importances: str
    parallel: str
    contour: str
    front: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """All pictures; None or empty where the facts have nothing to draw."""

    dots: BothWidths | None
    effects: BothWidths | None
    runs: dict[str, RunFigures]  # by digest
    large_matrix: str
    groups: dict[str, str]  # by kind
    studies: BothWidths | None
    sweeps: dict[str, SweepFigures]  # by name
    attempts: BothWidths | None
    cost: str  # the trainings', where nets of several costs are shown


@contextmanager
def _gc_paused() -> Iterator[None]:
    """Pause garbage collection: 77 figures of cyclic objects took a fifth longer with it (2 cores, n = 7 each)."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@_gc_paused()
def draw_all(facts: ReportFacts) -> Figures:
    """Draw every figure that the facts have numbers for."""
    t = page_texts(facts)
    main_run = facts.main_run
    limits = group_limits(facts.groupings)
    standings = facts.contest.standings if facts.contest else ()
    has_dots = bool(facts.cells) and not facts.is_one_fold
    return Figures(
        dots=_both(lambda width: dot_plot(facts.cells, facts.chosen, width, t), HALF_PX) if has_dots else None,
        effects=_both(lambda width: effect_plot(facts.effects, width, t), HALF_PX) if facts.effects else None,
        runs=_runs(facts, t),
        large_matrix=large_matrix(main_run, t) if main_run and main_run.test else "",
        groups={grouping.kind: group_plot(main_run, grouping, limits, t) for grouping in facts.groupings} if main_run else {},
        studies=_both(lambda width: best_plot(facts.sweeps or (), width, t)) if facts.sweeps else None,
        sweeps=_sweeps(facts.sweeps or (), t),
        attempts=_both(lambda width: attempts_plot(standings, width, t)) if standings else None,
        cost=cost_plot(facts.runs, t),
    )


def _both(draw: Callable[[float], str], wide_px: float = WIDE_PX) -> BothWidths:
    return BothWidths(wide=draw(wide_px), narrow=draw(NARROW_PX))


def _runs(facts: ReportFacts, t: Texts) -> dict[str, RunFigures]:
    losses, scores = loss_limits(facts.runs), f1_limits(facts.runs)
    n_epochs = max((point.epoch for run in facts.runs for point in run.curve), default=1)
    return {
        run.digest: RunFigures(
            loss=loss_curves(run, losses, n_epochs, t),
            f1=f1_curves(run, scores, n_epochs, t),
            matrix=small_matrix(run, t) if run.test else "",
        )
        for run in facts.runs
    }


def _sweeps(sweeps: tuple[StudyFacts, ...], t: Texts) -> dict[str, SweepFigures]:
    figures = {}
    for sweep in sweeps:
        limits = metric_limits([peer for peer in sweeps if peer.metric == sweep.metric])
        figures[sweep.name] = SweepFigures(
            anchor=f"study-{slug(sweep)}",
            history=history_plot(sweep, limits, t),
            slices=tuple(slice_plot(sweep, parameter, limits, t) for parameter in sweep.varied),
            importances=importance_plot(sweep, t),
            parallel=parallel_plot(sweep, t),
            contour=contour_plot(sweep, limits, t),
            front=front_plot(sweep, t),
        )
    return figures
