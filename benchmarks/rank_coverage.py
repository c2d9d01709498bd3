"""Coverage of the ranks on the board: how often all of them, and the set of teams that may be first, hold the truth.

    python -m benchmarks.rank_coverage --contests 1000

Beside it, the groups that stood on the board until November 2026: neighbours not told apart by Holm's tests, joined in chains.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from arena.base.scores import Values
from benchmarks.contest_worlds import LEVELS, draw, score_all, simulate_contest
from leaderboard.scoring.significance import compare_teams, standard_error
from leaderboard.scoring.student_t import compute_t_tail
from leaderboard.standings import FEWEST_UNITS, Evidence

SPEAKERS = (5, 8, 10, 20, 40)
N_CLIPS = 50  # a speaker


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What the board of one simulated contest said."""

    all_ranks_hold: bool  # the true ranks of each team, ties included, lie within its interval
    best_is_possible: bool  # each truly best team could be first
    n_possible: int  # teams that could be first
    width: float  # ranks in an interval, on average
    largest_chain: int  # teams of the largest chain of neighbours


def simulate_board(levels: Values, n_speakers: int, seed: int, *, n_replicates: int = 2000) -> Outcome:
    """Draw a contest and compare its board with the truth."""
    world = simulate_contest(np.random.default_rng(seed), levels, n_speakers, N_CLIPS)
    predicted = world.predicted[:, 0]
    scores = score_all(world.truth, predicted)
    order = np.argsort(-scores, kind="stable")
    replicates = draw(world, n_replicates=n_replicates, seed=seed).macro_f1(predicted[order])
    evidence = Evidence(unit="speakers", n_units=n_speakers, n_speakers=n_speakers)
    result = compare_teams(scores[order], replicates, evidence)
    low, high, true = np.array(result.low), np.array(result.high), levels[order]
    best = 1 + (true[None] > true[:, None]).sum(axis=1)  # ranks that ties in truth allow
    worst = len(true) - (true[None] < true[:, None]).sum(axis=1)
    return Outcome(
        all_ranks_hold=bool(np.all((low <= best) & (high >= worst))),
        best_is_possible=bool(np.all(low[best == 1] == 1)),
        n_possible=int((low == 1).sum()),
        width=float((high - low + 1).mean()),
        largest_chain=_find_largest_chain(scores[order], replicates, n_speakers),
    )


def _find_largest_chain(scores: Values, replicates: Values, n_units: int) -> int:
    """Return the teams of the largest bracket: neighbours by t, Holm's steps at 5 %, joined wherever chance is left."""
    tails = []
    for index in range(len(scores) - 1):
        error = standard_error(replicates[:, index : index + 2], n_units)
        tails.append(compute_t_tail(float(scores[index] - scores[index + 1]) / error, n_units - 1) if error else 1.0)
    differs = [False] * len(tails)
    for n_before, index in enumerate(sorted(range(len(tails)), key=tails.__getitem__)):
        if tails[index] * (len(tails) - n_before) > 0.05:
            break
        differs[index] = True
    sizes, size = [], 1
    for is_end in [*differs, True]:
        sizes, size = ([*sizes, size], 1) if is_end else (sizes, size + 1)
    return max(sizes)


def measure(n_contests: int, speakers: tuple[int, ...] = SPEAKERS) -> Iterator[str]:
    """Yield the lines of a table, one for each design and number of speakers; contests have the seeds from 0."""
    yield "| 25 teams | speakers | all ranks hold | the best could be first | could be first | width | largest chain |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for name, levels in LEVELS.items():
        for n_speakers in speakers:
            outcomes = [simulate_board(levels, n_speakers, seed) for seed in range(n_contests)]
            cells = [
                f"{np.mean([o.all_ranks_hold for o in outcomes]):.3f}",
                f"{np.mean([o.best_is_possible for o in outcomes]):.3f}",
                *(f"{np.mean([getattr(o, key) for o in outcomes]):.1f}" for key in ("n_possible", "width", "largest_chain")),
            ]
            yield f"| {name} | {n_speakers} | {' | '.join(cells)} |"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contests", type=int, default=1000, help="simulated contests a line")
    n_contests = parser.parse_args(arguments).contests
    error = 1.96 * np.sqrt(0.95 * 0.05 / n_contests)
    print(f"{n_contests} contests a line, {N_CLIPS} clips a speaker; a coverage of 0.950 is known to within {error:.3f}.")
    print(f"Below {FEWEST_UNITS} speakers at least two teams could be first by rule.\n")
    for line in measure(n_contests):
        print(line)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
