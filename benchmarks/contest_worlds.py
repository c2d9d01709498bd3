"""Simulated contests: teams whose nets differ, speakers who are easy or hard for all, clips that are right or wrong.

On the logit scale a net's chance of a clip is its own level, plus a term of the speaker that all nets share, plus a term of
this net and this speaker. Their spreads are those of FSDD's six speakers (docs/explanation/experiments.md, "What came of it"):
macro-F1 of 0.89 to 0.96 by speaker is 0.5 in logits, and differences between two nets whose standard deviation over speakers
is 0.016 to 0.022, less what their clips explain, are about 0.3 a net.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from arena.base.resamples import Resamples, Truth, resample_rows
from arena.base.scores import N_REPLICATES, Counts, Indices, Values, confusion_matrix, macro_f1

N_CLASSES = 10
SPEAKER_SPREAD, NET_SPREAD, ATTEMPT_SPREAD = 0.5, 0.3, 0.2  # in logits
LEVELS = {  # of 25 teams, in logits: 0.85 is a macro-F1 of about 0.69, 3.5 of 0.97
    "all alike": np.full(25, 2.5),
    "five groups of five": np.repeat([3.5, 3.0, 2.5, 2.0, 1.5], 5),
    "evenly spread": np.linspace(3.5, 0.85, 25),
    "one ahead of 24 alike": np.array([3.5, *np.full(24, 2.5)]),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """One contest. T teams, A attempts each, N clips."""

    truth: Indices  # (N,)
    speaker: Indices  # (N,)
    predicted: Indices  # (T, A, N)
    chance: Values  # (T, A) of a clip of any speaker, the score on endless speakers


def simulate_contest(
    rng: np.random.Generator, levels: Values, n_speakers: int, n_clips: int, *, n_attempts: int = 1, attempt_spread: float = 0.0
) -> World:
    """Draw a contest of `n_clips` a speaker, all classes alike; attempts of a team differ by `attempt_spread` logits."""
    own = levels[:, None] + rng.normal(0, 1, (len(levels), n_attempts)) * attempt_spread
    shared = rng.normal(0, SPEAKER_SPREAD, n_speakers)
    beside = rng.normal(0, NET_SPREAD, (len(levels), 1, n_speakers))
    chance = 1 / (1 + np.exp(-(own[:, :, None] + shared + beside)))  # (T, A, G)
    truth = np.tile(np.arange(n_clips) % N_CLASSES, n_speakers)
    speaker = np.repeat(np.arange(n_speakers), n_clips)
    is_right = rng.random((*own.shape, len(truth))) < chance[:, :, speaker]
    others = (truth + rng.integers(1, N_CLASSES, is_right.shape)) % N_CLASSES
    endless = rng.normal(0, np.hypot(SPEAKER_SPREAD, NET_SPREAD), 20_000)
    return World(
        truth=truth,
        speaker=speaker,
        predicted=np.where(is_right, truth, others),
        chance=np.stack([1 / (1 + np.exp(-(level + endless))) for level in own.ravel()]).mean(axis=1).reshape(own.shape),
    )


def draw(world: World, *, n_replicates: int = N_REPLICATES, seed: int = 0) -> Resamples:
    """Return the resamples of a world's speakers."""
    truth = Truth(classes=world.truth, groups=world.speaker, n_classes=N_CLASSES)
    return resample_rows(truth, n_replicates=n_replicates, seed=seed)


def score_all(truth: Indices, predicted: Indices) -> Values:
    """Return the macro-F1 of (T, N) answers."""
    matrices: list[Counts] = [confusion_matrix(truth, row, N_CLASSES) for row in predicted]
    return np.array([macro_f1(matrix) for matrix in matrices])
