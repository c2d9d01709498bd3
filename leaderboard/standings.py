"""Attempts as values, and the ranking made of them; a rank is never stored."""

from __future__ import annotations

import bisect
import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from arena.base.scores import Counts, Interval, accuracy
from leaderboard.rules import Rules


class Part(StrEnum):
    """Rows of the solution. Without a Usage column all are public; ignored ones are in neither part."""

    PUBLIC = "public"  # scored while the contest runs
    PRIVATE = "private"  # scored for the host, and for all when it is over


_SAME = 1e-12  # scores this near are equal: the same fractions summed in another order differ by less


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricColumn:
    """A metric that boards, tables, JSON and command lines show beside macro-F1."""

    key: str  # in JSON, links and texts
    name: str  # in tables and on command lines
    compute: Callable[[Counts], float]  # from a (K, K) confusion matrix
    is_lower_better: bool = False
    digits: int = 4


METRICS = (MetricColumn(key="accuracy", name="accuracy", compute=accuracy),)


def format_metrics(values: Mapping[str, float]) -> list[str]:
    """Return the rounded value of each metric, in the order of the table."""
    return [f"{values[metric.key]:.{metric.digits}f}" for metric in METRICS]


def name_metrics(values: Mapping[str, float]) -> str:
    """Return `accuracy 0.9500`, one metric after the other."""
    return ", ".join(f"{metric.name} {value}" for metric, value in zip(METRICS, format_metrics(values), strict=True))


def to_json_dict(value: Any) -> dict[str, Any]:
    """Return a dataclass, and those in it, as dicts for JSON, in which metrics stand beside the other scores."""
    return dataclasses.asdict(value, dict_factory=_merge_metrics)


def _merge_metrics(items: list[tuple[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for key, value in items:
        merged |= value if key == "metrics" else {key: value}
    return merged


class ModelState(StrEnum):
    """What is known of the model beside an attempt."""

    CARRIED = "carried"  # kept, and not run yet
    VERIFIED = "verified"  # it answers what was sent
    DIFFERS = "differs"  # it answers something else, or cannot be run


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptModel:
    """The last model that was sent beside an attempt."""

    file_name: str
    digest: str  # SHA-256
    state: ModelState
    remark: str  # what came of running it, one line; says nothing of the truth


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """A stored score. Without a Usage column all rows are public.

    In Ladder mode the public scores of an attempt that did not beat the one shown before are those of that one.
    """

    number: int  # from 1
    score: float  # by the contest's metric: of the public rows, or of the private ones in private standings
    macro_f1: float  # of the same rows, as all that follows
    metrics: Mapping[str, float]  # by the keys of METRICS
    log_loss: float | None  # None when no probabilities were sent
    arrived_at: datetime  # UTC
    digest: str  # SHA-256 of the submission
    file_name: str
    shown_number: int  # of the attempt whose public scores these are; another one where Ladder mode keeps its own back
    model: AttemptModel | None  # None: none was sent

    @property
    def is_shown(self) -> bool:
        return self.shown_number == self.number


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """One line of the ranking. Teams without an attempt, and disqualified ones, have none."""

    rank: int  # from 1; equal scores share it unless the host ranks by arrival
    team: str
    shown_as: str  # the pseudonym where the team has one: what others see
    score: float  # of the attempt that counts
    macro_f1: float
    metrics: Mapping[str, float]  # by the keys of METRICS
    interval: Interval  # of macro_f1
    is_tied_with_above: bool  # the difference from the line above could be chance; False in the first line
    could_be_first: bool  # the difference from the first line could be chance; True in the first line
    best: int  # number of the attempt that counts
    n_attempts: int
    n_allowed: int
    model: AttemptModel | None  # beside the attempt that counts
    attempts: tuple[Attempt, ...]  # by number


@dataclass(frozen=True, kw_only=True, slots=True)
class Board:
    """What everyone may see now: public scores while the contest runs, the final ones after its host closed it."""

    rules: Rules
    part: Part
    is_final: bool
    lines: tuple[Standing, ...]
    sentence: str  # who is really first


def find_best_attempt(attempts: Sequence[Attempt], is_lower_better: bool = False) -> Attempt:
    """The attempt with the best score, the first among equals."""
    top = (min if is_lower_better else max)(attempt.score for attempt in attempts)
    return next(attempt for attempt in attempts if is_same(attempt.score, top))


def compute_ranks(scores: Mapping[str, float]) -> dict[str, int]:
    """The rank of each name, from 1, higher first; equal scores share one and the next is skipped (1, 1, 3)."""
    result: dict[str, int] = {}
    previous, rank = math.inf, 0
    for at, (name, score) in enumerate(sorted(scores.items(), key=lambda item: -item[1]), start=1):
        rank = rank if is_same(score, previous) else at
        result[name], previous = rank, score
    return result


def split_by_arrival(by_rank: Mapping[str, int], arrived_at: Mapping[str, datetime]) -> dict[str, int]:
    """The same ranks where those who share one follow each other by arrival; equal moments still share."""
    moments: dict[int, list[datetime]] = {}
    for name in sorted(by_rank, key=lambda name: arrived_at[name]):
        moments.setdefault(by_rank[name], []).append(arrived_at[name])
    return {name: rank + bisect.bisect_left(moments[rank], arrived_at[name]) for name, rank in by_rank.items()}


def is_same(score: float, other: float) -> bool:
    """Whether two scores are one score, summed in another order."""
    return math.isclose(score, other, rel_tol=0, abs_tol=_SAME)
