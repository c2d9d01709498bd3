"""Studies as plain values for reports, status tables and scripts. Optuna is loaded when a study is read, not before."""

from __future__ import annotations

import dataclasses
import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.base.project import find_project
from cnn.commands import format_net
from cnn.runs import DataKind, read_kind
from sweeps.engines.objectives import COSTS, dominates, is_feasible, list_losses
from sweeps.retraining import Retraining, RetrainingRecord, choose_record, format_best_command, read_retraining
from sweeps.study.folder import StudyFolder, StudySpec, list_names
from sweeps.study.lease import read_lease
from sweeps.sweepfile.metric import Goal
from sweeps.sweepfile.space import Distribution, Parameter

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from sweeps.importance import Importance


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterFacts:
    """One parameter of a study's search space."""

    name: str
    kind: str  # float, int, categorical or constant
    low: float | None
    high: float | None
    log: bool
    choices: tuple[object, ...]  # the only value of a constant


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialFacts:
    """One trial."""

    number: int
    state: str  # finished, pruned, failed, running, interrupted (its agent ended; another resumes it) or duplicate
    params: dict[str, object]
    value: float | None  # the best epoch's, or the mean over several trainings; a duplicate has its twin's
    epochs: dict[int, float]  # the metric after each epoch, from 1; of several trainings that of each
    run: str  # digest of its run folder, the first of several, or empty
    seconds: float | None
    agent: str
    cause: str  # one line on a failure
    runs: tuple[str, ...] = ()  # digests of its run folders, as far as it trained
    costs: dict[str, float] = field(default_factory=dict)  # multiply_adds, parameters and seconds, where the study asks for any
    is_feasible: bool = True  # keeps to the study's constraints
    origin: str = ""  # source of a point that was not drawn: the default recipe, `--try` or `--from STUDY`


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyFacts:
    """One study: its settings, its trials, and the best of them."""

    name: str
    model: str
    variant: str
    metric: str
    goal: str  # maximize or minimize
    method: str
    budget: int
    parameters: tuple[ParameterFacts, ...]
    trials: tuple[TrialFacts, ...]  # by number
    best: TrialFacts | None  # by the metric, among the finished trials that are feasible
    importances: dict[str, Importance]  # by parameter, shares of sum 1, largest first; empty where `explain_absence` says why
    command: str  # `arena train ...` of the best trial; empty without one
    kind: DataKind = DataKind.SOUND
    folds: int = 1  # groups of speakers, each trial trained and scored on all
    seeds: int = 1  # trainings of a trial on each fold
    retraining: Retraining | None = None  # the `arena sweep best --train` that answers the best trial, or else another
    retraining_command: str = ""  # that of `retraining`, or else of the best trial
    objectives: tuple[str, ...] = ()  # costs that are minimized beside the metric
    constraints: dict[str, float] = field(default_factory=dict)  # the most of a cost that a feasible trial has
    front: tuple[TrialFacts, ...] = ()  # Pareto front of several objectives: no trial is as good in all, and better in one

    def n(self, state: str) -> int:
        """Return the number of trials in `state`."""
        return sum(trial.state == state for trial in self.trials)

    @property
    def n_completed(self) -> int:
        """Return the number of finished and pruned trials, which the budget counts."""
        return self.n("finished") + self.n("pruned")

    @property
    def pruned(self) -> set[int]:
        """Return the numbers of the trials that were pruned."""
        return {trial.number for trial in self.trials if trial.state == "pruned"}

    @property
    def n_trainings(self) -> int:
        """Return the number of trainings of a trial."""
        return self.folds * self.seeds

    @property
    def steps(self) -> str:
        """Return the name of what a trial reports one by one."""
        return "epochs" if self.n_trainings == 1 else "folds" if self.seeds == 1 else "trainings"

    @property
    def total_s(self) -> float:
        """Return the time spent in all trials together."""
        return sum(trial.seconds or 0.0 for trial in self.trials)

    @property
    def costs(self) -> tuple[str, ...]:
        """Return the costs that the study asks for: its objectives, then its constraints."""
        return tuple(dict.fromkeys((*self.objectives, *self.constraints)))

    @property
    def is_maximized(self) -> bool:
        return self.goal == Goal.MAXIMIZE.value

    @property
    def varied(self) -> tuple[ParameterFacts, ...]:
        """Return the parameters that are not constant, the most important first."""
        varied = [parameter for parameter in self.parameters if parameter.kind != "constant"]
        ranks = {name: rank for rank, name in enumerate(self.importances)}
        return tuple(sorted(varied, key=lambda p: (ranks.get(p.name, len(ranks)), p.name)))


def list_studies(studies_dir: Path) -> list[str]:
    """Return the names of all studies below `studies_dir`, sorted."""
    return list_names(studies_dir)


def read_study(studies_dir: Path, name: str, best: int | None = None, record: RetrainingRecord | None = None) -> StudyFacts:
    """Read all facts of one study; it takes no lock, so that agents go on.

    Args:
        best: number of the trial to take for the best.
        record: of the retraining to tell; None chooses.

    Raises:
        StudyError: there is none of this name, or its files are damaged.
    """
    folder = StudyFolder(studies_dir / name)
    facts = _read(folder, best)
    values = {trial.number: trial.value for trial in facts.trials if trial.value is not None}
    runs, sign = folder.read_spec().runs, 1 if facts.is_maximized else -1
    record = record or choose_record(folder.path, runs, facts.best.number if facts.best else None)
    retraining = read_retraining(record, runs, facts.metric, values, sign) if record else None
    trial = record.trial if record else facts.best.number if facts.best else None
    is_best = facts.best and trial == facts.best.number and not facts.objectives  # a trial of a front is named
    command = format_best_command(studies_dir, name, None if is_best else trial, record) if facts.best else ""
    importances = _importances(facts)
    return dataclasses.replace(facts, importances=importances, retraining=retraining, retraining_command=command)


def read_outline(studies_dir: Path, name: str, best: int | None = None) -> StudyFacts:
    """Read the same without importances and retraining."""
    return _read(StudyFolder(studies_dir / name), best)


def _read(folder: StudyFolder, chosen: int | None) -> StudyFacts:
    from sweeps.engines.optuna_trials import TrialReader

    spec = folder.read_spec()
    reader = TrialReader(folder)
    frozen, time = reader.trials(), reader.now()
    goal = spec.sweep.goal
    trials = tuple(_trial(trial, spec, time) for trial in frozen if trial.state.name != "WAITING")
    results = [trial for trial in trials if trial.state in ("finished", "pruned") and trial.value is not None]
    finished = [trial for trial in results if trial.state == "finished" and trial.is_feasible]
    rivals = finished if chosen is None else [trial for trial in results if trial.number == chosen]
    best = min(rivals, key=lambda trial: _rank(trial, goal), default=None)
    return StudyFacts(
        name=spec.name,
        model=spec.model,
        variant=spec.variant,
        metric=spec.sweep.metric,
        goal=goal.value,
        method=spec.sweep.method.value,
        budget=spec.budget,
        parameters=tuple(_parameter(parameter) for parameter in spec.sweep.parameters),
        trials=trials,
        best=best,
        importances={},
        command=_command(spec, best) if best else "",
        kind=read_kind(spec.base),
        folds=spec.settings.folds,
        seeds=spec.settings.seeds,
        objectives=tuple(spec.settings.objectives),
        constraints=dict(spec.settings.constraints),
        front=_find_front(spec, finished) if spec.settings.objectives else (),
    )


def _rank(trial: TrialFacts, goal: Goal) -> tuple[float, int]:
    assert trial.value is not None
    return (-trial.value if goal is Goal.MAXIMIZE else trial.value, trial.number)


def _find_front(spec: StudySpec, trials: Sequence[TrialFacts]) -> tuple[TrialFacts, ...]:
    """Return the trials that no other dominates, the best by the metric first."""
    losses = {
        trial.number: list_losses(spec, [trial.value or 0.0, *(trial.costs[name] for name in spec.settings.objectives)])
        for trial in trials
    }
    front = [trial for trial in trials if not any(dominates(other, losses[trial.number]) for other in losses.values())]
    return tuple(sorted(front, key=lambda trial: (losses[trial.number], trial.number)))


def _parameter(parameter: Parameter) -> ParameterFacts:
    low, high = None, None
    if parameter.values:
        kind = "constant" if parameter.distribution is Distribution.CONSTANT else "categorical"
    else:
        low, high = (float(value) if isinstance(value, int | float) else None for value in parameter.bounds)
        kind = "int" if parameter.draws_ints else "float"
    return ParameterFacts(
        name=parameter.name,
        kind=kind,
        low=low,
        high=high,
        log=parameter.distribution.is_spread_in_log,
        choices=parameter.values,
    )


def _trial(trial: FrozenTrial, spec: StudySpec, time: datetime) -> TrialFacts:
    from sweeps.engines import optuna_trials

    running = "interrupted" if optuna_trials.is_abandoned(trial, time) else "running"
    state = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": running}[trial.state.name]
    epochs = dict(sorted(trial.intermediate_values.items()))
    lease = read_lease(trial.user_attrs)
    run = optuna_trials.attribute(trial, optuna_trials.RUN, "")
    runs = optuna_trials.attribute(trial, optuna_trials.RUNS, [])  # all that are planned
    n_begun = len(epochs) + (state not in ("finished", "pruned"))
    return TrialFacts(
        number=trial.number,
        state="duplicate" if optuna_trials.is_duplicate(trial) else state,
        params=dict(optuna_trials.attribute(trial, optuna_trials.PARAMS, {})),
        value=optuna_trials.compute_value(spec.sweep, epochs) if state in ("finished", "pruned") else None,
        epochs=epochs,
        run=run,
        runs=tuple(runs[:n_begun] if runs else [run] if run else []),
        seconds=optuna_trials.attribute(trial, optuna_trials.SECONDS, None),
        agent=lease.agent if lease else "",
        cause=optuna_trials.attribute(trial, optuna_trials.CAUSE, ""),
        costs=dict(optuna_trials.attribute(trial, COSTS, {})),
        is_feasible=COSTS not in trial.user_attrs or is_feasible(spec, trial.user_attrs),
        origin=optuna_trials.attribute(trial, optuna_trials.ORIGIN, ""),
    )


def _importances(facts: StudyFacts) -> dict[str, Importance]:
    """Return the importance of each parameter for the rank of a trial.

    Pruned trials count: without them all trials would be those that did well. They stand behind the finished ones, the
    earlier they ended the further.
    """
    from sweeps.importance import ParameterColumn, compute_importances

    varied = [parameter for parameter in facts.parameters if parameter.kind != "constant"]
    names = {parameter.name for parameter in varied}
    completed = [trial for trial in facts.trials if trial.state in ("finished", "pruned") and names <= set(trial.params)]
    sign = -1 if facts.is_maximized else 1
    scored = [(trial, trial.value) for trial in completed if trial.value is not None]
    keys = [(-len(trial.epochs) if trial.state == "pruned" else -math.inf, sign * value) for trial, value in scored]
    if len(keys) < len(completed):
        return {}
    ranks = {key: rank for rank, key in enumerate(sorted(set(keys)))}
    columns = [
        ParameterColumn(
            name=parameter.name,
            values=tuple(trial.params[parameter.name] for trial in completed),
            is_log=parameter.log,
            is_categorical=parameter.kind == "categorical",
        )
        for parameter in varied
    ]
    return compute_importances(columns, [ranks[key] for key in keys])


def _command(spec: StudySpec, best: TrialFacts) -> str:
    """Return the command that trains the best trial again, or shows its run if the folder is still there."""
    project = find_project()
    words = ["arena", "train", "--model", format_net(spec.model, project), "--variant", spec.variant]
    words += ["--tiles", str(project.shorten(spec.tiles)), *project.folder_option("runs", spec.runs)]
    words += {text.partition("=")[0]: text for text in spec.overrides}.values()  # the last of a key holds
    words += [f"{name}={_text(value)}" for name, value in best.params.items() if name != "model.name"]
    return shlex.join(words)


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
