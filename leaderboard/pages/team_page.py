"""What the pages of a team show of its attempts: values only, made of a confusion matrix of the public rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from arena.base.scores import Counts
from leaderboard.contest.attempt_details import Details
from leaderboard.standings import METRICS, AttemptModel, format_metrics

_N_MISTAKES = 5
_N_SHADES = 4
WIDTH = 144.0  # of a drawn interval, in its own units
_PLACES = 3  # of a drawing's numbers


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    n: int
    shade: str  # class of the style sheet: zero, right-1 to right-4, wrong-1 to wrong-4


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassLine:
    label: str
    n: int  # public clips of it
    f1: float
    width: float  # of its bar, 0..100


@dataclass(frozen=True, kw_only=True, slots=True)
class Mistake:
    truth: str
    predicted: str
    n: int
    of: int  # public clips of the truth


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptView:
    """One attempt as its team sees it."""

    number: int
    metric: str
    score: float
    low: float
    high: float
    metrics: Sequence[tuple[str, str]]  # key and rounded value of each
    arrived_at: datetime  # UTC
    file_name: str
    counts: bool  # it is the one that the standings show
    model: AttemptModel | None
    is_kept_back: bool  # in Ladder mode: these are the scores shown before
    labels: Sequence[str]
    cells: Sequence[Sequence[Cell]]  # row: truth
    classes: Sequence[ClassLine]
    mistakes: Sequence[Mistake]


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgressLine:
    number: int
    score: float
    low: float
    high: float
    x: float
    low_x: float
    high_x: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """All attempts on one axis."""

    lines: Sequence[ProgressLine]
    low: float  # ends of the axis
    high: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TeamView:
    name: str
    pseudonym: str | None  # what others see in its place
    rank: int | None
    n_ranked: int
    best: float | None
    n_left: int
    left: str
    takes_models: bool  # beside attempts that are not verified
    attempts: Sequence[AttemptView]
    progress: Progress


def cells(confusion: Counts) -> list[list[Cell]]:
    """(K, K) cells, each shaded by its share of its row."""
    rows = confusion.sum(axis=1, keepdims=True)
    shares = np.divide(confusion, rows, out=np.zeros(confusion.shape), where=rows > 0)
    steps = np.ceil(shares * _N_SHADES).astype(int)
    return [
        [Cell(n=int(n), shade=_shade(int(steps[i, j]), i == j)) for j, n in enumerate(row)] for i, row in enumerate(confusion)
    ]


def _shade(step: int, is_right: bool) -> str:
    return f"{'right' if is_right else 'wrong'}-{step}" if step else "zero"


def attempt_view(details: Details, metric: str, *, is_best: bool) -> AttemptView:
    """An attempt as its team sees it; `metric` names the score."""
    confusion = np.array(details.confusion, dtype=np.int64)
    labels = [one.label for one in details.classes]
    attempt = details.attempt
    return AttemptView(
        number=attempt.number,
        metric=metric,
        score=attempt.score,
        low=details.interval.low,
        high=details.interval.high,
        metrics=[(metric.key, value) for metric, value in zip(METRICS, format_metrics(attempt.metrics), strict=True)],
        arrived_at=attempt.arrived_at,
        file_name=attempt.file_name,
        counts=is_best,
        model=attempt.model,
        is_kept_back=not attempt.is_shown,
        labels=labels,
        cells=cells(confusion),
        classes=[ClassLine(label=one.label, n=one.n_rows, f1=one.f1, width=round(100 * one.f1, 1)) for one in details.classes],
        mistakes=mistakes(confusion, labels),
    )


def mistakes(confusion: Counts, labels: Sequence[str]) -> list[Mistake]:
    """What was most often taken for something else, most frequent first."""
    wrong = confusion - np.diag(np.diagonal(confusion))
    order = np.argsort(-wrong, axis=None, kind="stable")[:_N_MISTAKES]
    found = [divmod(int(at), len(labels)) for at in order]
    return [
        Mistake(truth=labels[i], predicted=labels[j], n=int(wrong[i, j]), of=int(confusion[i].sum()))
        for i, j in found
        if wrong[i, j]
    ]


def axis(lows: Sequence[float], highs: Sequence[float]) -> tuple[float, float]:
    """The ends of an axis that holds all intervals: hundredths, never less than a hundredth apart."""
    low, high = (np.floor(100 * min(lows)) / 100, np.ceil(100 * max(highs)) / 100) if lows else (0.0, 1.0)
    return float(low), float(max(high, low + 0.01))


def place(value: float, ends: tuple[float, float]) -> float:
    """Where a value lies on a drawn axis, 0 to `WIDTH`; what lies beyond, as a host's own metric may, is put at its end."""
    share = (value - ends[0]) / (ends[1] - ends[0])
    return round(WIDTH * min(1.0, max(0.0, share)), _PLACES)


def progress(attempts: Sequence[AttemptView]) -> Progress:
    """A line for each attempt, by number."""
    ends = axis([one.low for one in attempts], [one.high for one in attempts])
    lines = [
        ProgressLine(
            number=one.number,
            score=one.score,
            low=one.low,
            high=one.high,
            x=place(one.score, ends),
            low_x=place(one.low, ends),
            high_x=place(one.high, ends),
        )
        for one in attempts
    ]
    return Progress(lines=lines, low=ends[0], high=ends[1])
