"""Costs of a trial as further objectives, all minimized, or as constraints: feasible trials, and the Pareto front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sweeps.study.folder import StudySpec
from sweeps.sweepfile.metric import Goal

COSTS = "costs"  # attribute of a trial: by name, where the study has such objectives or constraints


def is_feasible(spec: StudySpec, attributes: Mapping[str, Any]) -> bool:
    """Return whether a trial with these attributes keeps to the study's constraints."""
    costs = attributes.get(COSTS, {})
    return all(name in costs and costs[name] <= most for name, most in spec.settings.constraints.items())


def list_losses(spec: StudySpec, values: Sequence[float]) -> list[float]:
    """Return Optuna's values of a trial with the metric's sign such that smaller is better."""
    return [-values[0] if spec.sweep.goal is Goal.MAXIMIZE else values[0], *values[1:]]


def dominates(first: Sequence[float], second: Sequence[float]) -> bool:
    """Return whether the losses `first` are nowhere greater than `second` and somewhere smaller."""
    return all(a <= b for a, b in zip(first, second, strict=True)) and list(first) != list(second)


def measure_excess(spec: StudySpec, costs: Mapping[str, float]) -> dict[str, float]:
    """Return by how much of each limit a trial exceeds it, as Optuna takes constraints: at most 0 is feasible."""
    return {name: costs[name] / most - 1 for name, most in spec.settings.constraints.items()}
