"""Importances: shares that name what decides, beside those of Optuna's own functional ANOVA."""

from __future__ import annotations

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from sweeps.importance import FEWEST_TRIALS, ParameterColumn, compute_importances, explain_absence

RATES, DEPTHS, NAMES = "train.learning_rate", "model.depth", "train.optimizer"


def drawn(n: int, seed: int = 0) -> dict[str, list[object]]:
    draw = np.random.default_rng(seed)
    return {
        RATES: [float(10 ** draw.uniform(-4, -1)) for _ in range(n)],
        DEPTHS: [int(draw.integers(2, 5)) for _ in range(n)],
        NAMES: [str(draw.choice(["adam", "sgd"])) for _ in range(n)],
    }


def make_columns(values: dict[str, list[object]]) -> list[ParameterColumn]:
    return [
        ParameterColumn(name=name, values=tuple(column), is_log=name == RATES, is_categorical=name == NAMES)
        for name, column in values.items()
    ]


def compute_losses(values: dict[str, list[object]]) -> list[float]:
    """The learning rate decides, the depth a little, the optimizer nothing."""
    rates, depths = np.array(values[RATES], float), np.array(values[DEPTHS], float)
    noise = np.random.default_rng(9).normal(0, 0.002, len(rates))
    return [float(loss) for loss in (np.log10(rates) + 2.6) ** 2 + 0.05 * np.abs(depths - 3) + noise]


@pytest.mark.parametrize("n", [24, 64, 400])
def test_what_decides_comes_first_and_shares_add_up_to_one(n: int) -> None:
    values = drawn(n)
    shares = compute_importances(make_columns(values), compute_losses(values))
    assert sum(i.share for i in shares.values()) == pytest.approx(1)
    assert next(iter(shares)) == RATES
    assert shares[RATES].share > 0.7
    assert all(i.low <= i.share <= i.high for i in shares.values())
    assert list(shares) == sorted(shares, key=lambda name: -shares[name].share)


@pytest.mark.parametrize("seed", range(2))
def test_they_agree_with_optunas_own(seed: int) -> None:
    values = drawn(100, seed)
    losses = compute_losses(values)
    study = optuna.create_study()
    space = {
        RATES: FloatDistribution(1e-4, 1e-1, log=True),
        DEPTHS: IntDistribution(2, 4),
        NAMES: CategoricalDistribution(["adam", "sgd"]),
    }
    for n, loss in enumerate(losses):
        params = {name: values[name][n] for name in space}
        study.add_trial(optuna.trial.create_trial(value=loss, params=params, distributions=space))
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    theirs = optuna.importance.get_param_importances(study, evaluator=evaluator)
    ours = compute_importances(make_columns(values), losses)
    assert next(iter(ours)) == next(iter(theirs)) == RATES
    assert ours[RATES].share == pytest.approx(theirs[RATES], abs=0.1)


def test_one_value_has_no_share_and_equal_losses_tell_nothing() -> None:
    values = {**drawn(40), "train.batch_size": [64] * 40}
    assert compute_importances(make_columns(values), compute_losses(values))["train.batch_size"].share == 0
    assert compute_importances(make_columns(values), [0.5] * 40) == {}
    assert compute_importances([], [0.1 * n for n in range(20)]) == {}


def test_below_the_fewest_trials_there_are_none_and_the_reason_is_given() -> None:
    values = drawn(FEWEST_TRIALS - 1)
    assert compute_importances(make_columns(values), compute_losses(values)) == {}
    assert explain_absence(FEWEST_TRIALS - 1) == "importances need 12 trials, finished or pruned; this study has 11"


@pytest.mark.parametrize("n", [12, 48])
def test_pure_noise_names_no_parameter(n: int) -> None:
    studies = [
        compute_importances(make_columns(drawn(n, s)), np.random.default_rng([s, 1]).random(n).tolist()) for s in range(40)
    ]
    assert sum(map(bool, studies)) <= 5  # one in twenty by construction
    assert explain_absence(n) == f"no parameter stands out from chance in {n} trials"


@pytest.mark.parametrize("name", [RATES, DEPTHS, NAMES])
def test_a_single_strong_parameter_has_nearly_all_of_the_importance(name: str) -> None:
    values = drawn(48)
    key = {RATES: lambda x: abs(np.log10(x) + 2.5), DEPTHS: lambda x: x != 3, NAMES: lambda x: x != "adam"}[name]
    noise = np.random.default_rng(1).normal(0, 0.05, 48)
    losses = [float(key(x) + z) for x, z in zip(values[name], noise, strict=True)]
    assert compute_importances(make_columns(values), losses)[name].share > 0.8
