"""A sweep in Optuna's terms: what is suggested, by which sampler, and what prunes."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.pruners import BasePruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, GPSampler, QMCSampler, RandomSampler, TPESampler

from sweeps.sweepfile.space import Distribution, Parameter, all_points
from sweeps.sweepfile.sweep import EarlyTerminate, Method, Stopping, Sweep

optuna.logging.set_verbosity(optuna.logging.ERROR)  # a trial's fate is told in our words

_FEWEST_RANDOM, _MOST_RANDOM = 4, 10  # trials before TPE learns; Optuna's own 10 would be most of a small budget


def distributions(parameters: Sequence[Parameter]) -> dict[str, BaseDistribution]:
    """What Optuna draws: nothing for constants, and for quantized parameters the number that is rounded afterwards.

    Optuna's `step` counts from the lower bound and gives both ends a whole share; W&B rounds to multiples of q.
    """
    return {p.name: _distribution(p) for p in parameters if p.distribution is not Distribution.CONSTANT}


def suggest(trial: optuna.trial.Trial, parameters: Sequence[Parameter]) -> dict[str, object]:
    """What Optuna draws for `trial`; what it drew before stays."""
    draws: dict[str, object] = {}
    for name, drawn in distributions(parameters).items():
        if isinstance(drawn, CategoricalDistribution):
            draws[name] = trial.suggest_categorical(name, drawn.choices)
        elif isinstance(drawn, IntDistribution):
            draws[name] = trial.suggest_int(name, drawn.low, drawn.high)
        else:
            assert isinstance(drawn, FloatDistribution)
            draws[name] = trial.suggest_float(name, drawn.low, drawn.high, log=drawn.log)
    return draws


def _distribution(parameter: Parameter) -> BaseDistribution:
    if parameter.distribution is Distribution.CATEGORICAL:
        return CategoricalDistribution([_plain(value) for value in parameter.values])
    if parameter.distribution is Distribution.INT_UNIFORM:
        return IntDistribution(int(parameter.low), int(parameter.high))
    return FloatDistribution(float(parameter.low), float(parameter.high), log=parameter.distribution.is_log)


def _plain(value: object) -> bool | int | float | str | None:
    assert value is None or isinstance(value, bool | int | float | str)
    return value


def values_of(parameters: Sequence[Parameter], draws: Mapping[str, object]) -> dict[str, object]:
    """The point that Optuna's draws mean."""
    values: dict[str, object] = {}
    for parameter in parameters:
        draw = draws.get(parameter.name)
        if parameter.distribution is Distribution.CONSTANT:
            values[parameter.name] = parameter.values[0]
        elif parameter.distribution is Distribution.CATEGORICAL:
            values[parameter.name] = draw
        else:
            assert isinstance(draw, int | float)
            values[parameter.name] = parameter.to_value(draw)
    return values


def draws_of(parameters: Sequence[Parameter], values: Mapping[str, object]) -> dict[str, object]:
    """Draws that mean the point `values`."""
    varied = (p for p in parameters if p.distribution is not Distribution.CONSTANT)
    return {p.name: p.to_draw(values[p.name]) for p in varied}


def sampler(sweep: Sweep, budget: int, seed: int, n_trials: int) -> BaseSampler:
    """The sampler of the next trial, seeded by how many trials there are: no restart and no second agent repeats a draw."""
    mixed = mix(seed, n_trials)
    n_random = min(max(budget // 3, _FEWEST_RANDOM), _MOST_RANDOM)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if sweep.method is Method.QMC:  # one sequence for all agents, kept with the study: the seed must not change
            return QMCSampler(seed=seed, scramble=True, warn_independent_sampling=False, warn_asynchronous_seeding=False)
        if sweep.method is Method.GP:
            return GPSampler(seed=mixed, n_startup_trials=n_random, deterministic_objective=False)
        if not sweep.method.learns:
            return RandomSampler(seed=mixed)
        return TPESampler(multivariate=True, constant_liar=True, n_startup_trials=n_random, seed=mixed)


def first_point(sweep: Sweep, budget: int, seed: int) -> dict[str, object]:
    """The point that the first trial of a study gets; nothing is written."""
    if sweep.method is Method.GRID:
        return next(all_points(sweep.parameters))
    study = optuna.create_study(direction=sweep.goal.value, sampler=sampler(sweep, budget, seed, 0))
    return values_of(sweep.parameters, suggest(study.ask(), sweep.parameters))


def random_sampler(seed: int, n_trials: int) -> BaseSampler:
    """A sampler that learns nothing, for when the learning one repeats itself."""
    return RandomSampler(seed=mix(seed, n_trials))


def mix(seed: int, number: int) -> int:
    """32 bits that differ for every pair."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{number}".encode()).digest()[:4], "big")


def pruner(early: EarlyTerminate | None) -> BasePruner:
    """What ends trials early; steps are epochs, from 1.

    W&B's `hyperband` is one bracket of asynchronous successive halving (Li et al. 2020): at every band the best 1/eta go on.
    Optuna's HyperbandPruner would run several brackets side by side and hide each one's trials from the sampler of the others.
    """
    if early is None:
        return NopPruner()
    if early.type is Stopping.MEDIAN:
        return MedianPruner(n_startup_trials=early.startup_trials, n_warmup_steps=early.min_iter)
    return SuccessiveHalvingPruner(min_resource=early.min_iter, reduction_factor=early.eta)
