"""Every number of the section on the contest as plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from arena_scores import Interval


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptFacts:
    """One scored submission."""

    number: int
    macro_f1: float
    metrics: Mapping[str, float]  # beside macro-F1, by key
    arrived_at: datetime
    digest: str
    score: float | None = None  # by the contest's own metric, where that is not macro-F1


@dataclass(frozen=True, kw_only=True, slots=True)
class StandingFacts:
    """One team's place; ties share a rank."""

    rank: int
    team: str
    macro_f1: float
    metrics: Mapping[str, float]  # beside macro-F1, by key
    interval: Interval | None
    best: int  # number of the attempt that counts
    attempts: tuple[AttemptFacts, ...]
    is_tied_with_above: bool | None = None  # not told apart from the team above; None where the contest compares no pairs
    could_be_first: bool | None = None
    score: float | None = None  # by the contest's own metric, where that is not macro-F1


@dataclass(frozen=True, kw_only=True, slots=True)
class ContestFacts:
    """The contest as its standings are now."""

    name: str
    deadline: datetime | None
    standings: tuple[StandingFacts, ...]
    n_waiting: int  # teams without an attempt
    is_private: bool = False  # scores on the rows that teams do not see
    is_final: bool = False  # its host has closed it
