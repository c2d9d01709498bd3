"""Choice of the trials of a large study to plot: the best fifth and an even sample of the rest, 300 at most."""

from __future__ import annotations

from sweeps.results import StudyFacts, TrialFacts

MOST_DOTS = 300


def sample_trials(sweep: StudyFacts, most: int = MOST_DOTS) -> tuple[TrialFacts, ...]:
    """Return all trials of a small study, or `most` of a large one: a fifth the best, the others every n-th, in order."""
    if len(sweep.trials) <= most:
        return sweep.trials
    n_best = most // 5
    best = {trial.number for trial in best_trials(sweep, n_best)}
    rest = [trial for trial in sweep.trials if trial.number not in best]
    step = len(rest) / (most - n_best)
    sample = best | {rest[int(k * step)].number for k in range(most - n_best)}
    return tuple(trial for trial in sweep.trials if trial.number in sample)


def best_trials(sweep: StudyFacts, n: int) -> list[TrialFacts]:
    """Return the best `n` finished trials, best first."""
    finished = [trial for trial in sweep.trials if trial.state == "finished" and trial.value is not None]
    sign = -1 if sweep.is_maximized else 1
    return sorted(finished, key=lambda trial: (sign * (trial.value or 0.0), trial.number))[:n]
