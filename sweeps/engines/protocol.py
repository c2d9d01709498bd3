"""Interface between agents and search engines; Optuna's and W&B's both implement it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from cnn.runs.folder import EpochRow
from sweeps.study.folder import StudySpec
from sweeps.training.trial import Step, TrialResult, TrialState


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A trial that this agent holds."""

    number: int
    params: dict[str, object]
    run: str  # digest of its run folder


class Idle(Enum):
    """Reason that there is nothing to claim."""

    WAIT = "wait"  # the rest of the budget is in work; an agent may still die and leave a trial
    DONE = "done"  # the budget is reached
    ENDED = "ended"  # a limit of hours or of the value is reached; `Engine.end` says which
    EXHAUSTED = "exhausted"  # every point of the space has been tried


class Engine(Protocol):
    """One study as an agent uses it; any number of agents may open engines on the same study."""

    @property
    def spec(self) -> StudySpec: ...

    @property
    def end(self) -> str:
        """Reason that no trial begins any more before the budget is reached; empty as of the last claim."""

    def claim(self) -> Claim | Idle:
        """Return a trial to train: one that a dead or stopped agent left, or a new one within the budget."""

    def report(self, claim: Claim, step: int, value: float) -> Step:
        """Record an epoch, or a whole training, and renew the lease; return PAUSE if another agent holds the trial now."""

    def renew(self, claim: Claim) -> Step:
        """Renew the lease of a trial with nothing to record; return PAUSE if another agent holds it now."""

    def finish(self, claim: Claim, result: TrialResult) -> bool:
        """Record the end of a trial; return False, and record nothing, if another agent holds it now."""

    def release(self, claim: Claim) -> None:
        """Release an unfinished trial, so that any agent can go on with it."""

    def count_work(self) -> None:
        """Add the time of this agent to the study's hours of work, where these are limited."""

    def rest(self) -> None:
        """Leave the time from here to the next claim out of these hours: the study is paused."""

    def share(self) -> float:
        """Return the share of the budget that is completed or in work."""


def report_epoch(engine: Engine, claim: Claim, row: EpochRow) -> Step:
    """Report an epoch; of a trial with several trainings, which are reported whole, renew the lease alone."""
    if engine.spec.settings.n_trainings > 1:
        return engine.renew(claim)
    return engine.report(claim, row.epoch, float(getattr(row, engine.spec.sweep.metric)))


def record_result(engine: Engine, claim: Claim, result: TrialResult, say: Callable[[str], None]) -> None:
    """Record the result of a trial, or release the trial if it is unfinished."""
    if result.state is TrialState.PAUSED:
        engine.release(claim)
    elif not engine.finish(claim, result):
        say(f"study {engine.spec.name}: trial {claim.number} was taken over by another agent; this result is dropped")
