"""Groups, mistakes, doubtful labels and media of the main run's clips, as plain frozen values."""

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
    interval: Interval | None  # interval of macro_f1, by clips or speakers; None for a group too small to resample


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupingFacts:
    """All test clips, divided in one way."""

    kind: str  # corpus, speaker, age, gender or accent
    groups: tuple[GroupFacts, ...]  # the lowest score first, or in the order of the ages
    n_unknown: int  # clips of speakers without this metadata


@dataclass(frozen=True, kw_only=True, slots=True)
class MistakeFacts:
    """One clip that the main run takes for another digit."""

    id: str
    speaker: str
    split: str  # test or val
    truth: str
    predicted: str
    probabilities: tuple[tuple[str, float], ...]  # the largest three and that of the truth, largest first
    n_wrong: int  # trainings with a wrong answer, the main run included
    n_votes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DoubtFacts:
    """One clip whose label most trainings contradict, with high probability and the same digit."""

    id: str
    speaker: str
    split: str
    label: str  # the corpus's
    predicted: str  # the trainings'
    probability: float  # mean over all trainings, for `predicted`
    n_agree: int
    n_votes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Media:
    """Pictures and sound of a clip, each a data URI, or empty without tiles or recordings."""

    raw: str
    filtered: str
    sound: str
