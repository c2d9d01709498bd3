"""Search engine at W&B: its server chooses points and ends weak trials; the study's journal stores the results.

The journal is the one of the Optuna engine, so that reports, `arena sweep status` and leases know no difference.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from enum import Enum

import optuna
from optuna.trial import TrialState as OptunaState

from sweeps.engines import optuna_space
from sweeps.engines.optuna_engine import Identify, OptunaEngine
from sweeps.engines.optuna_trials import COMPLETED, RUN, WANDB_RUN, is_abandoned, is_duplicate, list_by_run
from sweeps.engines.protocol import Claim, Idle
from sweeps.errors import StudyError
from sweeps.study.folder import StudyFolder
from sweeps.study.retry import with_retries
from sweeps.sweepfile.space import Distribution, Parameter

_TOLERANCE = 1e-9  # relative error of a number that went through JSON


class Room(Enum):
    """Room that the budget leaves for an agent."""

    NONE = "none"  # the budget or the target is reached
    LATER = "later"  # the rest of the budget is in work; an agent may still die and leave a trial
    OLD = "old"  # a trial that another agent left
    NEW = "new"  # a point that W&B has yet to choose


class WandbEngine(OptunaEngine):
    """One study whose points come from W&B. `claim` returns only trials that dead or stopped agents left.

    Args:
        follows: another folder counts the sweep's budget, and this one takes what W&B hands out.
    """

    def __init__(
        self, folder: StudyFolder, agent: str, identify: Identify, say: Callable[[str], None], *, follows: bool = False
    ) -> None:
        super().__init__(folder, agent, identify, say)
        self._follows = follows
        self._study.pruner = optuna.pruners.NopPruner()
        self._study.sampler = optuna_space.make_random_sampler(0, 0)  # never asked

    def find_room(self) -> Room:
        return with_retries(self._find_room, self._say)

    def _find_room(self) -> Room:
        with self._folder.lock() as now:
            return self._measure_room(now)

    def _measure_room(self, now: datetime) -> Room:
        self.spec = self._folder.read_spec()
        trials = [trial for trial in self._trials() if not is_duplicate(trial)]
        n_completed = sum(trial.state in COMPLETED for trial in trials)
        running = [is_abandoned(trial, now) for trial in trials if trial.state is OptunaState.RUNNING]
        self.end = self._find_end(now)  # `metric.target`, after which W&B hands out no more either
        if n_completed >= self.spec.budget or self.end:
            return Room.NONE
        if n_completed + running.count(False) >= self.spec.budget:
            return Room.LATER
        return Room.OLD if any(running) else Room.NEW

    def adopt(self, params: Mapping[str, object], wandb_run: str) -> Claim | str | Idle:
        """Claim a point that W&B chose for its run; if another trial has it, return the digest of that trial's run instead.

        Where the budget has no room, return DONE, or WAIT while trials are in work.

        Raises:
            StudyError: the point lies outside of the sweep file's space, or cannot be trained.
        """
        return with_retries(functools.partial(self._adopt, params, wandb_run), self._say)

    def find_wandb_run(self, claim: Claim) -> str:
        """Return the id of the run at W&B that a trial was last claimed for; empty for a trial of old."""
        return with_retries(functools.partial(self._find_wandb_run, claim), self._say)

    def _find_wandb_run(self, claim: Claim) -> str:
        return str(self._storage.get_trial(self._id(claim.number)).user_attrs.get(WANDB_RUN, ""))

    def _adopt(self, params: Mapping[str, object], wandb_run: str) -> Claim | str | Idle:
        parameters = self.spec.sweep.parameters
        draws = optuna_space.encode_point(parameters, {p.name: _value(p, params) for p in parameters})
        run = self._identify(optuna_space.decode_point(parameters, draws)).run
        with self._folder.lock() as now:
            for trial in self._trials():
                if trial.user_attrs.get(RUN) == run and is_abandoned(trial, now):  # W&B hands a preempted run out again
                    return self._mark(self._claim_abandoned(trial, now), wandb_run) or run
            trials_by_run, room = list_by_run(self._trials()), self._measure_room(now)
            if run not in trials_by_run and room in (Room.NONE, Room.LATER):
                if not self._follows:
                    return Idle.DONE if room is Room.NONE else Idle.WAIT
                self._folder.write(replace(self.spec, budget=self.spec.budget + 1))
            self._study.enqueue_trial(draws)
            return self._mark(self._claim_or_answer(self._study.ask(), trials_by_run, now), wandb_run) or run

    def _mark(self, claim: Claim | None, wandb_run: str) -> Claim | None:
        if claim:
            self._storage.set_trial_user_attr(self._id(claim.number), WANDB_RUN, wandb_run)
        return claim

    def _new_point(self, _now: datetime) -> Claim | None:
        return None


def _value(parameter: Parameter, params: Mapping[str, object]) -> object:
    """Return W&B's value of a parameter in the sweep file's type; JSON and command lines lose it."""
    if parameter.distribution is Distribution.CONSTANT:
        return parameter.values[0]
    if parameter.name not in params:
        raise StudyError(f"W&B gave no {parameter.name}; is the sweep made by `arena sweep run --engine wandb`?")
    raw = params[parameter.name]
    if parameter.values:
        for value in parameter.values:
            if value == raw or str(value) == str(raw):
                return value
    elif (number := _number(raw)) is not None and (parameter.distribution.is_shaped or _is_within(parameter, number)):
        if parameter.distribution.is_shaped:  # W&B's draws have no bounds; Arena's bounds are far out
            return number
        return min(max(number, parameter.low), parameter.high)
    raise StudyError(f"W&B chose {parameter.name} {raw!r}, which lies outside of the sweep file's space; edit neither alone")


def _number(raw: object) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    try:
        return float(raw)
    except ValueError:
        return None


def _is_within(parameter: Parameter, number: float) -> bool:
    q = parameter.q if parameter.distribution.is_quantized else 0.0  # rounding may pass a bound by half of it
    slack = q + _TOLERANCE * max(abs(parameter.low), abs(parameter.high))
    return parameter.low - slack <= number <= parameter.high + slack
