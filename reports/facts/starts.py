"""Fine tuning: trainings with a start beside the same ones without."""

from __future__ import annotations

from dataclasses import dataclass

from reports.facts.base import DifferenceFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class StartFacts:
    """Trainings that began with the same weights, and those that differ from them in nothing but that; means over seeds."""

    model: str  # its label
    variant: str
    start: str  # the last part of its path
    n_frozen: int
    epochs: int  # the same for both
    n_seeds: int
    n_clips: int  # tested
    with_start: float  # test macro-F1
    without: float
    difference: DifferenceFacts  # with minus without
