"""Of thousands of trials those that a picture shows: enough to see the study, few enough to draw and to mail."""

from __future__ import annotations

from sweeps.results import StudyFacts, TrialFacts

MOST_DOTS = 300


def shown_trials(sweep: StudyFacts, most: int = MOST_DOTS) -> tuple[TrialFacts, ...]:
    """All trials of a small study; of a large one the best fifth of `most`, and of the others every n-th, in their order."""
    if len(sweep.trials) <= most:
        return sweep.trials
    n_best = most // 5
    best = {trial.number for trial in best_trials(sweep, n_best)}
    rest = [trial for trial in sweep.trials if trial.number not in best]
    step = len(rest) / (most - n_best)
    kept = best | {rest[int(k * step)].number for k in range(most - n_best)}
    return tuple(trial for trial in sweep.trials if trial.number in kept)


def best_trials(sweep: StudyFacts, n: int) -> list[TrialFacts]:
    """The best `n` finished trials, best first."""
    finished = [trial for trial in sweep.trials if trial.state == "finished" and trial.value is not None]
    sign = -1 if sweep.is_maximized else 1
    return sorted(finished, key=lambda trial: (sign * (trial.value or 0.0), trial.number))[:n]
