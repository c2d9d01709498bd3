"""Section on studies: the trials listed beside the pictures, the best and those that failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.analysis.trial_sample import best_trials, sample_trials
from reports.sweep_figures.history import slug
from sweeps.results import StudyFacts, TrialFacts

N_BEST, N_FAILED = 15, 5


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyPage:
    """One study as it stands on the page."""

    slug: str
    n_shown: int  # trials in the pictures
    trials: tuple[TrialFacts, ...]


def study_pages(sweeps: Sequence[StudyFacts]) -> dict[str, StudyPage]:
    """Return the pages of the studies, by name."""
    return {sweep.name: _page(sweep) for sweep in sweeps}


def _page(sweep: StudyFacts) -> StudyPage:
    failed = [trial for trial in sweep.trials if trial.state == "failed"][:N_FAILED]
    return StudyPage(slug=slug(sweep), n_shown=len(sample_trials(sweep)), trials=(*best_trials(sweep, N_BEST), *failed))
