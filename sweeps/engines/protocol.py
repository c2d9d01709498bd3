"""What an agent asks of a search engine, whichever it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from sweeps.study.folder import StudySpec
from sweeps.training.trial import Step, TrialResult, TrialState


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A trial that this agent works on now."""

    number: int
    params: dict[str, object]
    run: str  # digest of its run folder


class Idle(Enum):
    """Why there is nothing to claim."""

    WAIT = "wait"  # the budget is in work; one of the workers may still die
    DONE = "done"  # the budget is reached
    EXHAUSTED = "exhausted"  # every point of the space has been tried


class Engine(Protocol):
    """One study as an agent sees it. Any number of agents may hold engines of the same study."""

    @property
    def spec(self) -> StudySpec: ...

    def claim(self) -> Claim | Idle:
        """A trial to train now: one that a dead or stopped agent left, or a new one within the budget."""

    def report(self, claim: Claim, epoch: int, value: float) -> Step:
        """Record an epoch and renew the lease; PAUSE when the trial is somebody else's now."""

    def renew(self, claim: Claim) -> None:
        """Keep the lease of a trial that waits for its turn."""

    def finish(self, claim: Claim, result: TrialResult) -> bool:
        """Record the end of a trial; False, and nothing recorded, when the trial is somebody else's now."""

    def release(self, claim: Claim) -> None:
        """Give an unfinished trial up, so that any agent goes on with it."""

    def share(self) -> float:
        """The share of its budget that is settled or in work."""


def settle(engine: Engine, claim: Claim, result: TrialResult, say: Callable[[str], None]) -> None:
    """Record how a trial ended, or give it up where it is unfinished."""
    if result.state is TrialState.PAUSED:
        engine.release(claim)
    elif not engine.finish(claim, result):
        say(f"study {engine.spec.name}: trial {claim.number} was taken over by another agent; this result is dropped")
