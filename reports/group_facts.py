"""The shown run's test score for groups of clips, as plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass

from arena_scores import Interval


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupFacts:
    """One group of test clips."""

    name: str
    n_clips: int
    n_speakers: int
    accuracy: float
    macro_f1: float  # over the digits that the group says
    interval: Interval | None  # of macro_f1, by clips or speakers; None where a group is too small to resample


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupingFacts:
    """All test clips, divided in one way."""

    kind: str  # speaker, age, gender or accent
    groups: tuple[GroupFacts, ...]  # the lowest score first, or in the order of the ages
    n_unknown: int  # clips of speakers of whom it is not known
