"""Winner's curse in simulated contests: the luck in the first score, and what its estimate leaves.

python -m benchmarks.luck --contests 400
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

import numpy as np

from arena.base.scores import Values
from benchmarks.contest_worlds import ATTEMPT_SPREAD, LEVELS, draw, score_all, simulate_contest
from leaderboard.scoring.luck import estimate_luck
from leaderboard.standings import Luck

SPEAKERS = (5, 10, 20, 40)
N_CLIPS = 50  # a speaker


def simulate_winner(levels: Values, n_speakers: int, seed: int, n_attempts: int = 3) -> tuple[float, Luck]:
    """Return the luck in the first score, above the noise that all scores share, and its estimate."""
    rng = np.random.default_rng(seed)
    spread = ATTEMPT_SPREAD if n_attempts > 1 else 0.0
    world = simulate_contest(rng, levels, n_speakers, N_CLIPS, n_attempts=n_attempts, attempt_spread=spread)
    predicted = world.predicted.reshape(-1, len(world.truth))
    scores, true = score_all(world.truth, predicted), world.chance.ravel()
    noise = scores - true
    replicates = draw(world, n_replicates=500, seed=seed).macro_f1(predicted)
    luck = estimate_luck(scores, replicates, np.repeat(np.arange(len(levels)), n_attempts).tolist(), n_speakers)
    return float(noise[scores.argmax()] - noise.mean()), luck


def measure(n_contests: int, speakers: tuple[int, ...] = SPEAKERS) -> Iterator[str]:
    """Yield the lines of a table; contests have the seeds from 0."""
    yield "| 25 teams | attempts | speakers | luck in the first score | estimated | left | standard error |"
    yield "|---|---:|---:|---:|---:|---:|---:|"
    for name, levels in LEVELS.items():
        for n_attempts in (3, 1):
            for n_speakers in speakers:
                pairs = [simulate_winner(levels, n_speakers, seed, n_attempts) for seed in range(n_contests)]
                luck, estimated = np.array([(luck, estimate.of_attempts + estimate.of_rank) for luck, estimate in pairs]).T
                left = luck - estimated
                cells = f"{luck.mean():.4f} | {estimated.mean():.4f} | {left.mean():+.4f} | {left.std() / n_contests**0.5:.4f}"
                yield f"| {name} | {n_attempts} | {n_speakers} | {cells} |"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contests", type=int, default=400, help="simulated contests a line")
    n_contests = parser.parse_args(arguments).contests
    print(f"{n_contests} contests a line, {N_CLIPS} clips a speaker.\n")
    for line in measure(n_contests):
        print(line)
        sys.stdout.flush()


if __name__ == "__main__":
    main()
