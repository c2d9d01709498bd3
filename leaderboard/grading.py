"""A checked submission against the solution: confusion matrices of the public and the private rows, and their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from leaderboard.scoring import Counts, Indices, confusion_matrix
from leaderboard.solution import Solution
from leaderboard.statistics import Interval, macro_f1_interval


class Part(StrEnum):
    """Rows of the solution. Without a Usage column all are public."""

    PUBLIC = "public"  # scored while the contest runs
    PRIVATE = "private"  # scored for the host, and for all when it is over


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Grade:
    """What one submission reached, as integers, (K, K) each."""

    public: Counts
    private: Counts | None  # None without a Usage column


def grade(solution: Solution, predicted: Indices) -> Grade:
    """The matrices of (N,) predicted class indices in the solution's order."""
    private = _confusions_by_group(solution, predicted, Part.PRIVATE).sum(axis=0) if solution.has_private else None
    return Grade(public=_confusions_by_group(solution, predicted, Part.PUBLIC).sum(axis=0), private=private)


def score_interval(solution: Solution, predicted: Indices, part: Part) -> Interval:
    """The interval of macro-F1 over the rows of one part."""
    return macro_f1_interval(_confusions_by_group(solution, predicted, part))


def _confusions_by_group(solution: Solution, predicted: Indices, part: Part) -> Counts:
    is_in = solution.is_public if part is Part.PUBLIC else ~solution.is_public
    groups = [is_in & (solution.group == group) for group in range(max(1, len(solution.groups)))]
    n_classes = len(solution.labels)
    return np.stack([confusion_matrix(solution.truth[rows], predicted[rows], n_classes) for rows in groups])
