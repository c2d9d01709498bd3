"""A contest and studies, as the tests of reports read them from their own stores."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState

from leaderboard.actions.submit import submit
from leaderboard.files.solution import parse_solution
from leaderboard.store import create_contest
from support.report_facts import make_config, make_study
from sweeps.engines import optuna_trials as optuna_store
from sweeps.results import StudyFacts
from sweeps.study.folder import StudyFolder, StudySpec
from sweeps.sweepfile.sweep import parse

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
IDS = [f"clip_{n:02d}" for n in range(30)]


def make_contest(path: Path) -> None:
    solution = "id,label\n" + "".join(f"{name},{n % 3}\n" for n, name in enumerate(IDS))
    with create_contest(path, solution=parse_solution(solution.encode(), "s.csv"), name="Digits", now=NOW) as contest:
        for team, wrong in (("ann", 2), ("bob", 5)):
            contest.add_team(team, NOW)
            rows = "".join(f"{name},{(n + (n < wrong)) % 3}\n" for n, name in enumerate(IDS))
            submit(contest, team, f"id,label\n{rows}".encode(), "p.csv", NOW)
        contest.add_team("cleo", NOW)


SWEEP_FILE = """
method: bayes
metric: {name: val_macro_f1, goal: maximize}
run_cap: 16
parameters:
  model.name: {value: lenet5}
  train.learning_rate: {distribution: log_uniform_values, min: 0.0001, max: 0.1}
  train.batch_size: {values: [32, 64, 128]}
"""


STATES = {"finished": TrialState.COMPLETE, "pruned": TrialState.PRUNED, "failed": TrialState.FAIL}


def write_study(studies: Path, variant: str, n_trials: int, first_run: int = 0, model: str = "lenet5") -> StudyFacts:
    """A study in the store of sweeps; what it is made from."""
    study_facts = make_study(model, variant, n_trials)
    spec = StudySpec(
        name=f"{model}-{variant}",
        sweep=parse(SWEEP_FILE.replace("lenet5", model), "sweep.yaml"),
        base=make_config(model, variant),
        overrides=(),
        tiles=Path("/tiles"),
        runs=Path("/runs"),
        budget=n_trials,
        seed=0,
    )
    folder = StudyFolder(studies / spec.name)
    folder.path.mkdir(parents=True)
    folder.write(spec)
    study, _ = optuna_store.open_to_write(folder, spec, print)
    space = {
        "train.learning_rate": FloatDistribution(1e-4, 0.1, log=True),
        "train.batch_size": CategoricalDistribution([32, 64, 128]),
    }
    for trial in study_facts.trials:
        values = {name: trial.params[name] for name in space}
        epochs = {} if trial.value is None else {1: trial.value / 2, 2: trial.value}
        study.add_trial(
            optuna.trial.create_trial(
                state=STATES[trial.state],
                value=trial.value,
                params=values,
                distributions=space,
                user_attrs={
                    "params": {"model.name": model, **values},
                    "run": f"{first_run + trial.number:016x}",
                    "seconds": 2.0,
                    "cause": trial.cause,
                },
                intermediate_values=epochs,
            )
        )
    return study_facts
