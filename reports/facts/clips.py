"""The shown run's test score for groups of clips, as plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass

from arena.base.scores import Interval


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


@dataclass(frozen=True, kw_only=True, slots=True)
class MistakeFacts:
    """One clip that the shown run takes for another digit."""

    id: str
    speaker: str
    split: str  # test or val
    truth: str
    predicted: str
    probabilities: tuple[tuple[str, float], ...]  # the largest three and that of the truth, largest first
    n_wrong: int  # of the compared trainings, this one included
    n_votes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DoubtFacts:
    """One clip whose label most trainings contradict with the same other digit, and surely."""

    id: str
    speaker: str
    split: str
    label: str  # as the corpus has it
    heard: str  # as the trainings have it
    probability: float  # of `heard`, the mean over all trainings
    n_agree: int
    n_votes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Media:
    """A clip to see and hear, each a data URI or empty where tiles or recordings are not there."""

    raw: str
    filtered: str
    sound: str
