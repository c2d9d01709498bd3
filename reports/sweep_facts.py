"""Every number of the section on sweeps as plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialPoint:
    """One trial of a study; `value` is of its best epoch, also where it was pruned."""

    number: int
    state: str  # finished, pruned, failed, running, interrupted or duplicate
    value: float | None
    params: dict[str, object]
    cause: str
    run: str = ""  # digest of its run folder
    seconds: float | None = None
    agent: str = ""
    n_epochs: int = 0  # that it trained


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterSpan:
    """One swept parameter, with its importance where the study could tell one."""

    name: str
    is_log: bool
    is_categorical: bool
    importance: float | None


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


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepFacts:
    """One study."""

    name: str
    model: str
    variant: str
    metric: str
    maximize: bool
    method: str
    budget: int
    counts: dict[str, int]  # trials by state
    trials: tuple[TrialPoint, ...]  # by number
    parameters: tuple[ParameterSpan, ...]  # most important first
    best: TrialPoint | None
    best_run: str
    total_s: float
    n_agents: int
    command: str  # trains the best configuration
    agents: tuple[AgentFacts, ...] = ()

    @property
    def n_finished(self) -> int:
        return self.counts.get("finished", 0)

    @property
    def n_settled(self) -> int:
        """Finished and pruned trials: what the budget counts."""
        return self.n_finished + self.counts.get("pruned", 0)

    @property
    def is_running(self) -> bool:
        return self.counts.get("running", 0) > 0
