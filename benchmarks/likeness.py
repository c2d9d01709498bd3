"""Answers alike, on nets that were really trained: `python -m benchmarks.likeness` prints false alarms and copies found.

Teams train small nets and forests on the same 400 pictures of scikit-learn's digits and answer the same 1,000. All are honest
but one, whose first attempt is another team's with a share of its rows drawn again.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.neural_network import MLPClassifier

from leaderboard.scoring.likeness import compare_attempts

N_TRAIN, N_TEST, N_CONTESTS, N_TEAMS, N_ATTEMPTS = 400, 1000, 4, 25, 2
SIZES = (2, 3, 5, 8, 25)
SHARES = (0.0, 0.02, 0.05, 0.1, 0.2)
Rng = np.random.Generator


def one_recipe(rng: Rng, seed: int, team: int) -> Any:
    return MLPClassifier((32,), max_iter=30, random_state=seed, learning_rate_init=0.01)


def several_recipes(rng: Rng, seed: int, team: int) -> Any:
    make: list[Callable[[], Any]] = [
        lambda: MLPClassifier((int(rng.integers(6, 64)),), max_iter=30, random_state=seed, learning_rate_init=0.01),
        lambda: MLPClassifier((int(rng.integers(8, 32)), 16), max_iter=30, random_state=seed, activation="tanh"),
        lambda: RandomForestClassifier(int(rng.integers(10, 40)), random_state=seed),
        lambda: ExtraTreesClassifier(int(rng.integers(10, 40)), random_state=seed),
    ]
    return make[team % 4]()


def train_teams(recipe: Callable[[Rng, int, int], Any], seed: int) -> tuple[Any, Any, Any]:
    """Return (A, N) answers, (N,) truth and the team of each attempt."""
    pictures, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    train, test = order[:N_TRAIN], order[N_TRAIN : N_TRAIN + N_TEST]
    teams = np.repeat(np.arange(N_TEAMS), N_ATTEMPTS)
    nets = [recipe(rng, int(rng.integers(1 << 30)), int(team)).fit(pictures[train] / 16, labels[train]) for team in teams]
    return np.array([net.predict(pictures[test] / 16) for net in nets]), labels[test], teams


def measure(contests: list[tuple[Any, Any, Any]], n_teams: int) -> str:
    """Return a line on all contests of `n_teams` that the teams of `contests` make."""
    n_false = n_pairs = n = 0
    n_found = dict.fromkeys(SHARES, 0)
    for seed, (answers, truth, teams) in enumerate(contests):
        rng = np.random.default_rng(seed)
        for start in range(0, N_TEAMS - n_teams + 1, n_teams):
            mine = np.flatnonzero((teams >= start) & (teams < start + n_teams))
            given, team = answers[mine], teams[mine] - start
            lines = compare_attempts(given, truth, team.tolist(), 10)
            n, n_false, n_pairs = n + 1, n_false + sum(line.is_alike for line in lines), n_pairs + len(lines)
            for share in SHARES:
                copied = given.copy()
                copied[N_ATTEMPTS] = np.where(rng.random(N_TEST) < share, rng.integers(0, 10, N_TEST), given[0])
                lines = compare_attempts(copied, truth, team.tolist(), 10)
                n_found[share] += any(line.is_alike and {team[line.first], team[line.second]} == {0, 1} for line in lines)
    found = ", ".join(f"{share:.0%} changed {count} of {n}" for share, count in n_found.items())
    return f"{n_teams} teams, {n} contests: {n_false} false of {n_pairs} pairs; copies found: {found}"


def main() -> None:
    warnings.filterwarnings("ignore")
    for recipe in (one_recipe, several_recipes):
        contests = [train_teams(recipe, seed) for seed in range(N_CONTESTS)]
        shares = np.concatenate([(answers == truth).mean(axis=1) for answers, truth, _ in contests])
        print(f"{recipe.__name__.replace('_', ' ')}: accuracy {shares.min():.2f} to {shares.max():.2f}", flush=True)
        for n_teams in SIZES:
            print(measure(contests, n_teams), flush=True)


if __name__ == "__main__":
    main()
