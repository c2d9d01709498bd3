"""Scores of a model on recordings that no team was given. A net does about as well there as on the given ones, a table of
answers does not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from arena.base.resamples import Truth, resample_rows
from arena.base.scores import MIN_GROUPS, Counts, Indices, Values, confusion_matrix, macro_f1
from leaderboard.files.solution import Solution

HONEST_DROP = 0.05  # a net's loss by the disguise: 0.017 to 0.035 of three LeNet-5 on FSDD (docs/how-to/pack.md, 2026-11)
SPEAKER_SPREAD = 0.1  # standard deviation between speakers where few are named; 0.06 of those nets on FSDD's six
_N_ERRORS = 2.0  # standard errors of the drop that chance may explain


@dataclass(frozen=True, kw_only=True, slots=True)
class HiddenPart:
    """Recordings that no team was given."""

    folder: Path
    solution: Solution


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class PredictedClasses:
    """Predicted classes of all rows of a solution."""

    solution: Solution
    predicted: Indices  # (N,)

    def confusion(self) -> Counts:
        """Return the (K, K) counts of the scored rows."""
        rows = self.solution.scored
        return confusion_matrix(self.solution.truth[rows], self.predicted[rows], len(self.solution.labels))

    def replicates(self, seed: int) -> Values:
        """Return (R,) macro-F1 of resampled speakers, or clips where they are few."""
        rows = self.solution.scored
        truth = Truth(classes=self.solution.truth[rows], groups=self.solution.group[rows], n_classes=len(self.solution.labels))
        return resample_rows(truth, seed=seed).macro_f1(self.predicted[rows][None])[:, 0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Drop:
    """The hidden score below the given one."""

    value: float  # given less hidden
    error: float  # its standard error

    @property
    def is_suspicious(self) -> bool:
        """Return whether the drop is more than a net's: its disguise and chance do not explain it."""
        return self.value - _N_ERRORS * self.error > HONEST_DROP


def measure_drop(given: PredictedClasses, hidden: PredictedClasses) -> Drop:
    """Compare the answers to the given and to the hidden clips, paired by speaker where both parts have the same ones."""
    value = macro_f1(given.confusion()) - macro_f1(hidden.confusion())
    groups = given.solution.groups, hidden.solution.groups
    is_paired = groups[0] == groups[1] and bool(groups[0])
    differences = given.replicates(seed=0) - hidden.replicates(seed=0 if is_paired else 1)
    variance = float(np.var(differences))
    if not is_paired and min(map(len, groups)) < MIN_GROUPS:  # clips were drawn, which say nothing of other speakers
        variance += SPEAKER_SPREAD**2 * sum(1 / max(1, len(names)) for names in groups)
    return Drop(value=value, error=math.sqrt(variance))
