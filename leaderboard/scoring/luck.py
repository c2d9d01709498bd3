"""Winner's curse: how much of the first score is the luck of the best of three attempts, and of being first of T teams.

A score that was chosen for being high is too high on average, by the noise of the one that is chosen. The choice is repeated on
the paired resamples, whose noise is added to scores drawn together until those with noise, from the smallest to the greatest,
are on average the scores of the board: true scores lie closer together than scores do. The noise of the chosen attempt is
averaged. `benchmarks/luck.py` measures what is left.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from arena.base.scores import Values
from leaderboard.standings import Luck

_N_STEPS = 20
_MOST_ATTEMPTS = 300  # the best ones: the others are never the first


def estimate_luck(scores: Values, replicates: Values, teams: Sequence[int], n_units: int) -> Luck:
    """Estimate the luck in the greatest of (A,) scores from their paired (R, A) replicates.

    Args:
        teams: (A,) number of the team of each attempt.
    """
    best = np.argsort(-scores, kind="stable")[:_MOST_ATTEMPTS]
    noise = (replicates - replicates.mean(axis=0))[:, best] * math.sqrt(n_units / max(1, n_units - 1))
    values, rows = _draw_together(scores[best], noise) + noise, np.arange(len(noise))
    total = max(0.0, float(noise[rows, values.argmax(axis=1)].mean()))
    own = np.flatnonzero(np.asarray(teams)[best] == teams[best[0]])
    of_attempts = float(noise[:, own][rows, values[:, own].argmax(axis=1)].mean())
    of_attempts = min(max(0.0, of_attempts), total)
    return Luck(of_attempts=of_attempts, of_rank=total - of_attempts, expected=float(scores[best[0]]) - total)


def _draw_together(scores: Values, noise: Values) -> Values:
    """Return (A,) centres, best first, which with noise have the falling `scores` as their mean order."""
    centres = scores
    for _ in range(_N_STEPS):
        ordered = np.sort(centres + noise, axis=1)[:, ::-1].mean(axis=0)
        centres = np.sort(centres + scores - ordered)[::-1]
    return centres
