"""Studies as plain values: what reports, status tables and scripts read. Optuna is loaded when a study is read, not before."""

from __future__ import annotations

import dataclasses
import os
import shlex
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.study import folder as study
from sweeps.study.folder import StudyFolder, StudySpec
from sweeps.study.lease import read_lease
from sweeps.sweepfile.space import Distribution, Parameter
from sweeps.sweepfile.sweep import Goal

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


_FEWEST_FOR_IMPORTANCE = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterFacts:
    """One parameter of a study's search space."""

    name: str
    kind: str  # float, int, categorical or constant
    low: float | None
    high: float | None
    log: bool
    choices: tuple[object, ...]  # of a constant the one value


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialFacts:
    """One trial."""

    number: int
    state: str  # finished, pruned, failed, running, interrupted (its agent is gone; another goes on) or duplicate
    params: dict[str, object]
    value: float | None  # of the best epoch; None of trials without a result; of a duplicate that of the trial it repeats
    epochs: dict[int, float]  # the metric after each epoch, from 1
    run: str  # digest of its run folder, or empty
    seconds: float | None
    agent: str
    cause: str  # of a failure, one line


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyFacts:
    """One study: what was asked, what was tried, what came out best."""

    name: str
    model: str
    variant: str
    metric: str
    goal: str  # maximize or minimize
    method: str
    budget: int
    parameters: tuple[ParameterFacts, ...]
    trials: tuple[TrialFacts, ...]  # by number
    best: TrialFacts | None  # of the finished ones
    importances: dict[str, float]  # by parameter, sum 1, largest first; empty where too few trials finished to say
    command: str  # `arena train ...` of the best trial; empty without one

    def n(self, state: str) -> int:
        """How many trials are in `state`."""
        return sum(trial.state == state for trial in self.trials)

    @property
    def n_settled(self) -> int:
        """Finished and pruned trials: what the budget counts."""
        return self.n("finished") + self.n("pruned")

    @property
    def total_s(self) -> float:
        """Return the time spent in all trials together."""
        return sum(trial.seconds or 0.0 for trial in self.trials)

    @property
    def is_maximized(self) -> bool:
        return self.goal == Goal.MAXIMIZE.value

    @property
    def varied(self) -> tuple[ParameterFacts, ...]:
        """Return the parameters that are not constant, the most important first."""
        varied = [parameter for parameter in self.parameters if parameter.kind != "constant"]
        return tuple(sorted(varied, key=lambda one: (-self.importances.get(one.name, 0.0), one.name)))


def list_studies(studies_dir: Path) -> list[str]:
    """The names of all studies below `studies_dir`, sorted."""
    return study.list_names(studies_dir)


def read_study(studies_dir: Path, name: str) -> StudyFacts:
    """All facts of one study. Reads alone: takes no lock and disturbs no agent.

    Raises:
        StudyError: there is none of this name, or its files are damaged.
    """
    facts = _read(StudyFolder(studies_dir / name))
    return dataclasses.replace(facts, importances=_importances(facts))


def read_outline(studies_dir: Path, name: str) -> StudyFacts:
    """The same without importances."""
    return _read(StudyFolder(studies_dir / name))


def _read(folder: StudyFolder) -> StudyFacts:
    from sweeps.engines.optuna_trials import TrialReader

    spec = folder.spec()
    reader = TrialReader(folder)
    frozen, now = reader.trials(), reader.now()
    goal = spec.sweep.goal
    trials = tuple(_trial(one, goal, now) for one in frozen if one.state.name != "WAITING")
    finished = [trial for trial in trials if trial.state == "finished" and trial.value is not None]
    best = min(finished, key=lambda trial: _rank(trial, goal), default=None)
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
    )


def _rank(trial: TrialFacts, goal: Goal) -> tuple[float, int]:
    assert trial.value is not None
    return (-trial.value if goal is Goal.MAXIMIZE else trial.value, trial.number)


def _parameter(parameter: Parameter) -> ParameterFacts:
    low: float | None = None
    high: float | None = None
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


def _trial(trial: FrozenTrial, goal: Goal, now: datetime) -> TrialFacts:
    from sweeps.engines import optuna_trials as store

    running = "interrupted" if store.is_abandoned(trial, now) else "running"
    states = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed", "RUNNING": running}
    state = states[trial.state.name]
    epochs = dict(sorted(trial.intermediate_values.items()))
    lease = read_lease(trial.user_attrs)
    return TrialFacts(
        number=trial.number,
        state="duplicate" if store.is_duplicate(trial) else state,
        params=dict(store.attribute(trial, store.PARAMS, {})),
        value=store.find_best_value(goal, epochs) if state in ("finished", "pruned") else None,
        epochs=epochs,
        run=store.attribute(trial, store.RUN, ""),
        seconds=store.attribute(trial, store.SECONDS, None),
        agent=lease.agent if lease else "",
        cause=store.attribute(trial, store.CAUSE, ""),
    )


def _importances(facts: StudyFacts) -> dict[str, float]:
    """How much each parameter decides whether a trial lands in the best quarter (PED-ANOVA, Watanabe et al. 2023)."""
    from sweeps.importance import Column, importances

    varied = [parameter for parameter in facts.parameters if parameter.kind != "constant"]
    names = {parameter.name for parameter in varied}
    finished = [trial for trial in facts.trials if trial.state == "finished" and names <= set(trial.params)]
    sign = -1 if facts.goal == Goal.MAXIMIZE.value else 1
    losses = [sign * trial.value for trial in finished if trial.value is not None]
    if len(finished) < _FEWEST_FOR_IMPORTANCE or len(losses) < len(finished):
        return {}
    columns = [
        Column(
            name=parameter.name,
            values=tuple(trial.params[parameter.name] for trial in finished),
            is_log=parameter.log,
            is_categorical=parameter.kind == "categorical",
        )
        for parameter in varied
    ]
    return importances(columns, losses)


def _command(spec: StudySpec, best: TrialFacts) -> str:
    """What trains the best trial again, or is answered from its run folder."""
    words = ["arena", "train", "--model", spec.model, "--variant", spec.variant]
    words += ["--tiles", relative(spec.tiles), "--runs", relative(spec.runs), *spec.overrides]
    words += [f"{name}={_text(value)}" for name, value in best.params.items() if name != "model.name"]
    return shlex.join(words)


def relative(path: Path) -> str:
    """Write a path relative to the working folder where it lies below it: another machine has another home."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
