"""Scores of a model on recordings that no team was given. A net does about as well there as on the given ones, a table of
answers does not."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from sqlalchemy import update

from arena.base.resamples import Truth, resample_rows
from arena.base.scores import MIN_GROUPS, Counts, Indices, Values, confusion_matrix, macro_f1
from leaderboard.actions.host import HostDecision, log_action
from leaderboard.database import schema
from leaderboard.database.rows import read_rules, store_file
from leaderboard.errors import ContestError
from leaderboard.files.pack_files import SOLUTION_NAME, find_hidden_folder, read_hidden_solution
from leaderboard.files.solution import Solution
from leaderboard.store import Contest

HONEST_DROP = 0.05  # what the hidden part's disguise may cost a net: docs/how-to/pack.md has what it cost
SPEAKER_SPREAD = 0.12  # standard deviation between speakers of a net's macro-F1, where too few are there to tell
_N_ERRORS = 2.0  # standard errors of the drop that chance may explain


@dataclass(frozen=True, kw_only=True, slots=True)
class HiddenPart:
    """Recordings that no team was given."""

    folder: Path
    solution: Solution


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Answers:
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


def measure_drop(given: Answers, hidden: Answers) -> Drop:
    """Compare the answers to the given and to the hidden clips, paired by speaker where both parts have the same ones."""
    value = macro_f1(given.confusion()) - macro_f1(hidden.confusion())
    groups = given.solution.groups, hidden.solution.groups
    is_paired = groups[0] == groups[1] and bool(groups[0])
    differences = given.replicates(seed=0) - hidden.replicates(seed=0 if is_paired else 1)
    variance = float(np.var(differences))
    if not is_paired and min(map(len, groups)) < MIN_GROUPS:  # clips were drawn, which say nothing of other speakers
        variance += SPEAKER_SPREAD**2 * sum(1 / max(1, len(names)) for names in groups)
    return Drop(value=value, error=math.sqrt(variance))


def open_hidden_part(contest: Contest, audio: Path, folder: Path | None, now: datetime) -> HiddenPart | None:
    """Return the hidden part in `folder`, else in the pack of `audio`; a contest without one takes it, and says so in its log.

    Raises:
        ContestError: `folder` holds none, or the contest has another, or none was found for the one it has.
        SolutionError: its solution cannot be read.
    """
    found = folder or find_hidden_folder(audio)
    known = contest.rules().hidden_digest
    if found is None:
        if known is not None:
            raise ContestError(
                f"the contest has a hidden part and none lies beside {audio}; give it with --hidden pack/host/hidden"
            )
        return None
    solution = read_hidden_solution(found, contest.solution)
    if known is None:
        _store_hidden_part(contest, solution, now)
    elif known != solution.digest:
        raise ContestError(
            f"{found / SOLUTION_NAME} is not the hidden part of this contest; give the one of its own pack with --hidden"
        )
    return HiddenPart(folder=found, solution=solution)


def _store_hidden_part(contest: Contest, solution: Solution, now: datetime) -> None:
    decision = HostDecision(reason="first given to `arena contest verify`", decided_at=now)
    with contest.database.write() as connection:
        before = read_rules(connection).hidden_digest
        store_file(connection, solution.digest, solution.content)
        connection.execute(update(schema.contest).values(hidden_digest=solution.digest))
        log_action(connection, "hidden part", decision, {"before": before, "after": solution.digest})
