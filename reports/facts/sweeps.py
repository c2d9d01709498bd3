"""Agents of a study as plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentFacts:
    """What one agent did in a study."""

    name: str
    device: str  # of its newest finished trial; empty where its run folder is gone
    counts: dict[str, int]  # trials by state
    seconds: float  # in trials

    @property
    def n_trials(self) -> int:
        return sum(self.counts.values())
