"""Learning curves of trainings that differ in optimiser, batch size or normalisation alone, each value at its best rate."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """A mean over seeds, with the lowest and the highest."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LearningPoint:
    """A validation, as a mean over seeds."""

    epochs: float
    updates: int
    seconds: float
    f1: Spread


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """The mean way to a score, over the seeds, all of which came to it."""

    epochs: float
    updates: float
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class LearningCurve:
    """The trainings of one value at one learning rate, which differ in their seeds."""

    value: str  # the setting's: sgd, 64, none
    rate: float
    points: tuple[LearningPoint, ...]  # empty where every loss was no number any more
    n_failed: int  # trainings whose loss was no number any more
    n_updates: int  # an epoch
    epoch_s: float
    reach: Reach | None
    least_loss: Spread | None  # the epoch with the least validation loss

    @property
    def last(self) -> Spread | None:
        return self.points[-1].f1 if self.points else None

    @property
    def rank(self) -> tuple[int, float]:
        """Return what the best learning rate has most of: trainings that hold, and then the score."""
        return -self.n_failed, self.last.mean if self.last else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class LearningFacts:
    """All trainings that differ in one setting, beside learning rate and seed."""

    axis: str  # optimizer, batch_size or normalise
    model: str
    variant: str
    n_epochs: int
    n_trainings: int
    score: float  # the macro-F1 of `reach`
    curves: tuple[LearningCurve, ...]  # every value and learning rate

    @property
    def best(self) -> tuple[LearningCurve, ...]:
        """Return each value's curve at its best learning rate, in the order of the values."""
        values = dict.fromkeys(curve.value for curve in self.curves)
        return tuple(max((c for c in self.curves if c.value == value), key=lambda c: c.rank) for value in values)

    def at(self, value: str, rate: float) -> LearningCurve | None:
        """Return the curve of a value at a learning rate."""
        return next((curve for curve in self.curves if (curve.value, curve.rate) == (value, rate)), None)
