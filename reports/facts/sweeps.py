"""Agents of a study as plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentFacts:
    """Trials of one agent in a study."""

    name: str
    device: str  # that of its newest finished trial; empty where the run folder is missing
    counts: dict[str, int]  # trials by state
    seconds: float  # time spent in trials

    @property
    def n_trials(self) -> int:
        return sum(self.counts.values())
