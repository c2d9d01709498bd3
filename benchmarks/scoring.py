"""Benchmarks of scoring against scikit-learn: macro-F1, its interval by speaker, a contest's standings."""

from __future__ import annotations

import time

import numpy as np
from sklearn.metrics import f1_score

from arena.base.resamples import Resamples
from arena.base.scores import LEVEL, N_REPLICATES, confusion_matrix, macro_f1, speaker_interval
from benchmarks.arms import Comparison, UnequalError, equal_within
from leaderboard.files.solution import Solution, parse_solution
from leaderboard.scoring.grading import draw_resamples
from leaderboard.scoring.significance import compare_teams
from leaderboard.standings import Evidence, Part

N_CLASSES, N_SPEAKERS = 10, 60
CONTEST_ROWS, CONTEST_TEAMS = 6000, 100


def answers(n_rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (N,) truth, prediction (nine of ten right) and speaker."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, N_CLASSES, n_rows)
    predicted = np.where(rng.random(n_rows) < 0.9, truth, rng.integers(0, N_CLASSES, n_rows))
    return truth, predicted, np.arange(n_rows) % N_SPEAKERS


def count_confusions(truth: np.ndarray, predicted: np.ndarray, speaker: np.ndarray) -> np.ndarray:
    """Return (G, K, K), a matrix per speaker."""
    return np.stack([confusion_matrix(truth[speaker == s], predicted[speaker == s], N_CLASSES) for s in range(N_SPEAKERS)])


def looped_interval(rows: tuple[np.ndarray, np.ndarray, np.ndarray], n_replicates: int) -> tuple[float, float]:
    """Return the interval by a loop over scikit-learn, from the same draws as Arena's."""
    truth, predicted, speaker = rows
    speaker_rows = [np.flatnonzero(speaker == s) for s in range(N_SPEAKERS)]
    shares = np.full(N_SPEAKERS, 1 / N_SPEAKERS)
    draws = np.random.default_rng(0).multinomial(N_SPEAKERS, shares, size=n_replicates)  # (R, G)
    scores = []
    for counts in draws:
        indices = np.concatenate([speaker_rows[s] for s in np.repeat(np.arange(N_SPEAKERS), counts)])
        scores.append(f1_score(truth[indices], predicted[indices], average="macro"))
    low, high = np.quantile(scores, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def macro_f1_comparison(n_rows: int) -> Comparison:
    truth, predicted, _ = answers(n_rows)

    def ours() -> float:
        return macro_f1(confusion_matrix(truth, predicted, N_CLASSES))

    def theirs() -> float:
        return float(f1_score(truth, predicted, average="macro"))

    return Comparison(
        name=f"macro-F1 of {n_rows:,} rows",
        against="sklearn.metrics.f1_score on the same integers",
        unit="scores",
        floor=30.0,
        ours=lambda: _rate(ours, 200),
        theirs=lambda: _rate(theirs, 20),
        check=lambda: equal_within("macro-F1", (ours(), theirs()), 1e-12),
    )


def bootstrap_comparison(n_rows: int, n_replicates: int, n_looped: int) -> Comparison:
    rows = answers(n_rows)
    confusions = count_confusions(*rows)

    def check() -> str:
        interval = speaker_interval(confusions, n_replicates=n_looped)
        low, high = looped_interval(rows, n_looped)
        if abs(interval.low - low) + abs(interval.high - high) > 1e-9:
            raise UnequalError(f"intervals differ: {interval.low}..{interval.high} and {low}..{high}")
        return f"both intervals of the first {n_looped} replicates are {low:.6f} to {high:.6f}"

    def ours() -> None:
        speaker_interval(count_confusions(*rows), n_replicates=n_replicates)

    return Comparison(
        name=f"interval of macro-F1 by speaker, {n_replicates:,} replicates of {n_rows:,} rows",
        against=f"a loop over sklearn.metrics.f1_score ({n_looped} replicates measured for {n_replicates:,})",
        unit="intervals",
        floor=400.0,
        ours=lambda: _rate(ours, 10),
        theirs=lambda: _rate(lambda: looped_interval(rows, n_looped), 1) * n_looped / n_replicates,
        check=check,
    )


def write_csv(labels: np.ndarray) -> bytes:
    """Return a file as `arena predict` writes it."""
    return ("id,label\n" + "".join(f"clip_{n:05d},{label}\n" for n, label in enumerate(labels))).encode()


def looped_replicates(solution: Solution, draws: Resamples, predicted: np.ndarray, n_looped: int) -> np.ndarray:
    """Return (n_looped, T) macro-F1 of the first resamples, from the same draws as Arena's."""
    scores = np.empty((n_looped, len(predicted)))
    for index in range(n_looped):
        rows = np.repeat(draws.rows, draws.weights[index].astype(np.int64))
        scores[index] = [f1_score(solution.truth[rows], team[rows], average="macro") for team in predicted]
    return scores


def board_comparison(n_rows: int, n_teams: int, n_looped: int) -> Comparison:
    """Compare paired resamples of rows, the harder case: without speakers every row is a unit."""
    truth = answers(n_rows)[0]
    rng = np.random.default_rng(1)
    predicted = np.stack(
        [np.where(rng.random(n_rows) < 0.9, truth, rng.integers(0, N_CLASSES, n_rows)) for _ in range(n_teams)]
    )
    solution = parse_solution(write_csv(truth), "solution.csv")
    scores = np.array([macro_f1(confusion_matrix(truth, team, N_CLASSES)) for team in predicted])

    def ours() -> None:
        draws = draw_resamples(solution, Part.PUBLIC, seed=rng.integers(1 << 30))  # fresh draws, so that nothing is cached
        replicates = draws.macro_f1(predicted)
        np.quantile(replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        order = np.argsort(-scores)
        evidence = Evidence(unit=draws.unit_name, n_units=draws.n_units, n_speakers=0)
        compare_teams(scores[order], replicates[:, order], evidence)

    def check() -> str:
        draws = draw_resamples(solution, Part.PUBLIC, n_replicates=n_looped)
        gap = np.abs(draws.macro_f1(predicted) - looped_replicates(solution, draws, predicted, n_looped)).max()
        if gap > 1e-12:
            raise UnequalError(f"replicates differ by {gap}")
        return f"all replicates of the first {n_looped} resamples of {n_teams} teams within 1e-12"

    def looped() -> None:
        looped_replicates(solution, draw_resamples(solution, Part.PUBLIC, n_replicates=1), predicted, 1)

    return Comparison(
        name=f"intervals and ties of {n_teams} teams, {N_REPLICATES:,} paired resamples of {n_rows:,} rows",
        against=f"a loop over sklearn.metrics.f1_score (1 resample measured for {N_REPLICATES:,})",
        unit="boards",
        floor=400.0,
        ours=lambda: _rate(ours, 2),
        theirs=lambda: _rate(looped, 1) / N_REPLICATES,
        check=check,
    )


def _rate(work, n_times: int) -> float:  # type: ignore[no-untyped-def]
    started = time.perf_counter()
    for _ in range(n_times):
        work()
    return n_times / (time.perf_counter() - started)


def comparisons(n_rows: int, n_looped: int) -> list[Comparison]:
    n_sent = min(n_rows, CONTEST_ROWS)
    n_teams = max(2, CONTEST_TEAMS * n_sent // CONTEST_ROWS)
    return [
        macro_f1_comparison(n_rows),
        bootstrap_comparison(n_rows, 2000, n_looped),
        board_comparison(n_sent, n_teams, min(3, n_looped)),
    ]
