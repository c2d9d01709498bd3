"""Search engine at W&B: its server chooses points and ends weak trials; the study's journal stores the results.

The journal is the one of the Optuna engine, so that reports, `arena sweep status` and leases know no difference.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from datetime import datetime

import optuna

from sweeps.engines import optuna_space
from sweeps.engines.optuna_engine import Identify, OptunaEngine
from sweeps.engines.optuna_trials import RUN, is_abandoned, list_by_run
from sweeps.engines.protocol import Claim
from sweeps.errors import StudyError
from sweeps.study.folder import StudyFolder
from sweeps.study.retry import with_retries
from sweeps.sweepfile.space import Distribution, Parameter

_TOLERANCE = 1e-9  # relative error of a number that went through JSON


class WandbEngine(OptunaEngine):
    """One study whose points come from W&B. `claim` returns only trials that dead or stopped agents left."""

    def __init__(self, folder: StudyFolder, agent: str, identify: Identify, say: Callable[[str], None]) -> None:
        super().__init__(folder, agent, identify, say)
        self._study.pruner = optuna.pruners.NopPruner()
        self._study.sampler = optuna_space.make_random_sampler(0, 0)  # never asked

    def adopt(self, params: Mapping[str, object]) -> Claim | str:
        """Claim a point that W&B chose; if another trial has it, return the digest of that run instead.

        Raises:
            StudyError: the point lies outside of the sweep file's space, or cannot be trained.
        """
        return with_retries(functools.partial(self._adopt, params), self._say)

    def _adopt(self, params: Mapping[str, object]) -> Claim | str:
        parameters = self.spec.sweep.parameters
        draws = optuna_space.encode_point(parameters, {p.name: _value(p, params) for p in parameters})
        run = self._identify(optuna_space.decode_point(parameters, draws)).run
        with self._folder.lock() as now:
            for trial in self._trials():
                if trial.user_attrs.get(RUN) == run and is_abandoned(trial, now):  # W&B hands a preempted run out again
                    return self._claim_abandoned(trial, now) or run
            self._study.enqueue_trial(draws)
            return self._claim_or_answer(self._study.ask(), list_by_run(self._trials()), now) or run

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
