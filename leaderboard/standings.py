"""Attempts, and the standings computed from them; a rank is never stored."""

from __future__ import annotations

import bisect
import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from arena.base.scores import Counts, Interval, accuracy, digit_error_rate, exact_match
from leaderboard.rules import DIGIT_ERROR_RATE, EXACT_MATCH, Rules


class Part(StrEnum):
    """Rows that are scored. Without a Usage column all of the solution are public; ignored ones are in neither part."""

    PUBLIC = "public"  # scored while the contest runs
    PRIVATE = "private"  # scored for the host, and for all when it is over
    HIDDEN = "hidden"  # recordings that nobody was given, answered by the models that teams sent


FEWEST_UNITS = 10  # speakers, or clips where none are named, that name a single leader
_SAME = 1e-12  # scores this near are equal: the same fractions summed in another order differ by less


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricColumn:
    """A metric that boards, tables, JSON and command lines show beside macro-F1."""

    key: str  # in JSON, links and texts
    name: str  # in tables and on command lines
    compute: Callable[[Counts, float | None], float | None]  # from a (K, K) confusion matrix and the log loss
    is_lower_better: bool = False
    is_share: bool = False  # 0 to 1, which a report writes in percent
    digits: int = 4


METRICS = (
    MetricColumn(key="accuracy", name="accuracy", compute=lambda confusion, _: accuracy(confusion), is_share=True),
    MetricColumn(key="log_loss", name="log loss", compute=lambda _, log_loss: log_loss, is_lower_better=True),
    MetricColumn(key="digit_error_rate", name=DIGIT_ERROR_RATE, compute=lambda _, __: None, is_lower_better=True),
)


def compute_metrics(confusion: Counts, log_loss: float | None, metric_name: str) -> dict[str, float | None]:
    """Return the value of each metric; None for one that these answers do not have. Of strings it is the other score."""
    if metric_name == EXACT_MATCH:
        return {"digit_error_rate": digit_error_rate(confusion)}
    if metric_name == DIGIT_ERROR_RATE:
        return {"accuracy": exact_match(confusion)}
    return {metric.key: metric.compute(confusion, log_loss) for metric in METRICS}


def list_metrics(*lines: Mapping[str, float | None]) -> tuple[MetricColumn, ...]:
    """Return the metrics that a line has a value of: none while a contest hides all of them, log loss where one was sent."""
    return tuple(metric for metric in METRICS if any(values.get(metric.key) is not None for values in lines))


def format_metrics(values: Mapping[str, float | None], metrics: Sequence[MetricColumn]) -> list[str]:
    """Return the rounded value of each of the metrics, empty where there is none."""
    return [_format_value(values.get(metric.key), metric.digits) for metric in metrics]


def _format_value(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def name_metrics(values: Mapping[str, float | None]) -> str:
    """Return `, accuracy 0.9500`, one metric after the other; empty where none is shown."""
    metrics = list_metrics(values)
    return "".join(f", {metric.name} {text}" for metric, text in zip(metrics, format_metrics(values, metrics), strict=True))


def to_json_dict(value: Any) -> dict[str, Any]:
    """Return a dataclass, and those in it, as dicts for JSON, in which metrics stand beside the other scores."""
    return dataclasses.asdict(value, dict_factory=_merge_metrics)


def _merge_metrics(items: list[tuple[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for key, value in items:
        merged |= value if key == "metrics" else {key: value}
    return merged


class ModelState(StrEnum):
    """State of the model beside an attempt."""

    CARRIED = "carried"  # stored, and not run yet
    SAME = "same"  # its answers equal the submission, as those of a table would; it was not run on hidden recordings
    VERIFIED = "verified"  # its answers equal the submission, and a hidden score stands beside
    DIFFERS = "differs"  # its answers differ, or it cannot be run
    DOUBTED = "doubted"  # its answers equal the submission, and on hidden recordings it is far worse than a net


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptModel:
    """The last model that was sent beside an attempt."""

    file_name: str
    digest: str  # SHA-256
    state: ModelState
    remark: str  # one line on running it; reveals nothing of the truth
    rerun_score: float | None = None  # macro-F1 of its answers on all given clips; None: not run, or not shown yet
    hidden_score: float | None = None  # macro-F1 on recordings that nobody was given; None: none, or not shown yet

    @property
    def is_verified(self) -> bool:
        """Return whether its answers equal the submission; hidden answers that are far worse do not change that."""
        return self.state in (ModelState.SAME, ModelState.VERIFIED, ModelState.DOUBTED)

    @property
    def waits_for_hidden(self) -> bool:
        """Return whether it was never run on the hidden part; one that differs needs no second run."""
        return self.state in (ModelState.CARRIED, ModelState.SAME)


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """A stored score. Without a Usage column all rows are public.

    In Ladder mode an attempt that did not beat the one shown before has the public scores of that one.
    """

    number: int  # from 1
    score: float  # by the contest's metric, on the public rows, or on the private ones in private standings
    macro_f1: float  # on the same rows, as the metrics below
    metrics: Mapping[str, float | None]  # by the keys of METRICS; empty while they are hidden; empty where they are not shown
    arrived_at: datetime  # UTC
    digest: str  # SHA-256 of the submission
    file_name: str
    note: str | None  # the team's own words on it
    voided_at: datetime | None  # UTC; the host took it out of the ranking; None: it counts
    shown_number: int  # number of the attempt whose public scores these are; an earlier one only in Ladder mode
    model: AttemptModel | None  # None: none was sent

    @property
    def is_shown(self) -> bool:
        return self.shown_number == self.number

    @property
    def is_voided(self) -> bool:
        return self.voided_at is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Luck:
    """Expected noise in the first score of a closed contest."""

    of_attempts: float  # by counting the best of the team's attempts
    of_rank: float  # by being the first of the teams
    expected: float  # the score without both: of this attempt on other speakers, or clips, of the kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """One line of the ranking. Teams without an attempt, and disqualified ones, have none."""

    rank: int | None  # from 1; equal scores share it unless the host ranks by arrival; None: a baseline, out of rank
    team: str
    shown_as: str  # the pseudonym where the team has one: what others see
    score: float  # score of the attempt that counts
    macro_f1: float
    metrics: Mapping[str, float | None]  # by the keys of METRICS; empty while they are hidden; empty where they are not shown
    interval: Interval  # interval of macro_f1
    rank_low: int | None  # best rank that chance leaves open, for all teams at once with 95 %; None: not tested
    rank_high: int | None  # worst
    letters: str  # teams that share a letter cannot be told apart; empty: not tested, or more groups than letters
    could_be_first: bool  # rank_low is 1
    luck: Luck | None  # in the first score, once the host has closed the contest; None: of another line, or not tested
    best: int  # number of the attempt that counts
    n_attempts: int
    n_allowed: int
    model: AttemptModel | None  # beside the attempt that counts
    attempts: tuple[Attempt, ...]  # by number


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """Units that the statements on ranks rest on."""

    unit: str  # speakers or clips, whichever was drawn
    n_units: int
    n_speakers: int  # that the solution names among the ranked rows; 0: none

    @property
    def names_leader(self) -> bool:
        """Return whether a single team may be named first: never by fewer than ten speakers."""
        return min(self.n_units, self.n_speakers or self.n_units) >= FEWEST_UNITS


@dataclass(frozen=True, kw_only=True, slots=True)
class Board:
    """Standings for everyone: public scores while the contest runs, final ones after its host closed it."""

    rules: Rules
    part: Part
    is_final: bool
    lines: tuple[Standing, ...]
    evidence: Evidence
    smallest_difference: float | None  # difference of scores that tells most pairs of the better half apart; None: not tested
    sentence: str  # who is really first


def find_best_attempt(attempts: Sequence[Attempt], is_lower_better: bool = False) -> Attempt | None:
    """Return the attempt with the best score, the first among equals; None where none counts."""
    valid = [attempt for attempt in attempts if not attempt.is_voided]
    top = (min if is_lower_better else max)((attempt.score for attempt in valid), default=None)
    return next((attempt for attempt in valid if top is not None and is_same(attempt.score, top)), None)


def compute_ranks(scores: Mapping[str, float]) -> dict[str, int]:
    """Rank names by score, from 1, higher first; equal scores share a rank and skip the next (1, 1, 3)."""
    result: dict[str, int] = {}
    previous, rank = math.inf, 0
    for position, (name, score) in enumerate(sorted(scores.items(), key=lambda item: -item[1]), start=1):
        rank = rank if is_same(score, previous) else position
        result[name], previous = rank, score
    return result


def split_by_arrival(by_rank: Mapping[str, int], arrived_at: Mapping[str, datetime]) -> dict[str, int]:
    """Break ties between equal ranks by arrival; equal moments still share a rank."""
    moments: dict[int, list[datetime]] = {}
    for name in sorted(by_rank, key=lambda name: arrived_at[name]):
        moments.setdefault(by_rank[name], []).append(arrived_at[name])
    return {name: rank + bisect.bisect_left(moments[rank], arrived_at[name]) for name, rank in by_rank.items()}


def is_same(first: float, second: float) -> bool:
    """Return True if two scores differ by no more than the order of summation."""
    return math.isclose(first, second, rel_tol=0, abs_tol=_SAME)


def name_unit(unit: str) -> str:
    """Return the word for what an interval is over; a solution without groups may hold pictures as well as clips."""
    return "rows" if unit == "clips" else unit
