"""Optuna's side of a sweep: distributions, sampler and pruner."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.pruners import BasePruner, MedianPruner, NopPruner, WilcoxonPruner
from optuna.samplers import BaseSampler, GPSampler, QMCSampler, RandomSampler, TPESampler
from optuna.study import StudyDirection

from sweeps.engines.bands import BandPruner
from sweeps.study.folder import StudySpec
from sweeps.sweepfile.space import Distribution, Parameter, all_points
from sweeps.sweepfile.stopping import EarlyTerminate, Stopping
from sweeps.sweepfile.sweep import Method, Sweep

optuna.logging.set_verbosity(optuna.logging.ERROR)  # agents report results themselves

_FEWEST_RANDOM, _MOST_RANDOM = 4, 10  # trials before TPE learns; Optuna's own 10 would be most of a small budget


def make_distributions(parameters: Sequence[Parameter]) -> dict[str, BaseDistribution]:
    """Return Optuna's distributions: none for constants; of a quantized parameter the unrounded number.

    Optuna's `step` counts from the lower bound and gives both ends a whole share; W&B rounds to multiples of q.
    """
    return {p.name: _distribution(p) for p in parameters if p.distribution is not Distribution.CONSTANT}


def suggest(trial: optuna.trial.Trial, parameters: Sequence[Parameter]) -> dict[str, object]:
    """Return Optuna's draws for `trial`; draws that it has already stay."""
    draws: dict[str, object] = {}
    for name, distribution in make_distributions(parameters).items():
        if isinstance(distribution, CategoricalDistribution):
            draws[name] = trial.suggest_categorical(name, distribution.choices)
        elif isinstance(distribution, IntDistribution):
            draws[name] = trial.suggest_int(name, distribution.low, distribution.high)
        else:
            assert isinstance(distribution, FloatDistribution)
            draws[name] = trial.suggest_float(name, distribution.low, distribution.high, log=distribution.log)
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


def decode_point(parameters: Sequence[Parameter], draws: Mapping[str, object]) -> dict[str, object]:
    """Return the point that Optuna's draws stand for."""
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


def encode_point(parameters: Sequence[Parameter], values: Mapping[str, object]) -> dict[str, object]:
    """Return the draws that stand for the point `values`."""
    varied = (p for p in parameters if p.distribution is not Distribution.CONSTANT)
    return {p.name: p.to_draw(values[p.name]) for p in varied}


def make_sampler(sweep: Sweep, budget: int, seed: int, n_trials: int) -> BaseSampler:
    """Return the sampler of the next trial. Its seed depends on `n_trials`, so that no agent repeats a draw."""
    trial_seed = mix_seed(seed, n_trials)
    n_random = min(max(budget // 3, _FEWEST_RANDOM), _MOST_RANDOM)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if sweep.method is Method.QMC:  # one sequence for all agents, stored with the study: the seed must not change
            return QMCSampler(seed=seed, scramble=True, warn_independent_sampling=False, warn_asynchronous_seeding=False)
        if sweep.method is Method.GP:
            return GPSampler(seed=trial_seed, n_startup_trials=n_random, deterministic_objective=False)
        if not sweep.method.learns:
            return RandomSampler(seed=trial_seed)
        return TPESampler(multivariate=True, constant_liar=True, n_startup_trials=n_random, seed=trial_seed)


def choose_first_point(spec: StudySpec) -> dict[str, object]:
    """Return the point that the first trial of a study gets; nothing is written."""
    sweep = spec.sweep
    if spec.points:
        return sweep.constants | spec.points[0].values
    if sweep.method is Method.GRID:
        return next(all_points(sweep.parameters))
    study = optuna.create_study(
        directions=read_directions(spec), sampler=make_sampler(sweep, spec.budget, choose_seed(spec), 0)
    )
    return decode_point(sweep.parameters, suggest(study.ask(), sweep.parameters))


def read_directions(spec: StudySpec) -> list[StudyDirection]:
    """Return the directions of a study's objectives as Optuna's."""
    return [StudyDirection[word.upper()] for word in spec.directions]


def choose_seed(spec: StudySpec) -> int:
    """Return the seed of a study's draws: its own by its name, unless the studies of a sweep are paired."""
    return spec.seed if spec.settings.paired else mix_seed(spec.seed, spec.name)


def make_random_sampler(seed: int, n_trials: int) -> BaseSampler:
    """Return a sampler that learns nothing, for when the learning one repeats itself."""
    return RandomSampler(seed=mix_seed(seed, n_trials))


def mix_seed(seed: int, word: int | str) -> int:
    """Return 32 bits of a hash of the pair."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{word}".encode()).digest()[:4], "big")


def make_pruner(early: EarlyTerminate | None) -> BasePruner:
    """Return the rule that ends trials early; steps are epochs, or trainings, from 1.

    Optuna's HyperbandPruner would run several brackets side by side and hide each one's trials from the sampler of the others.
    """
    if early is None:
        return NopPruner()
    if early.type is Stopping.MEDIAN:
        return MedianPruner(n_startup_trials=early.startup_trials, n_warmup_steps=early.min_iter)
    if early.type is Stopping.WILCOXON:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return WilcoxonPruner(p_threshold=early.p)
    return BandPruner(early)
