"""Our translation into Optuna draws what W&B's definitions say, for every distribution."""

from __future__ import annotations

from collections import Counter

import numpy as np
import optuna
import pytest

from sweeps.engines import optuna_space
from sweeps.sweepfile.space import Parameter, all_points, n_points
from sweeps.sweepfile.sweep import parse

N = 10_000


def parameters(lines: str) -> tuple[Parameter, ...]:
    return parse(f"method: random\nparameters:\n  {lines}\n", "s.yaml").parameters


def drawn(parameter: Parameter) -> list[object]:
    """N values by the Optuna translation, as the engine makes them."""
    study = optuna.create_study()
    sampler = optuna.samplers.RandomSampler(seed=7)
    study.ask()
    (frozen,) = study.get_trials()
    values = []
    for _ in range(N):
        point = {
            n: sampler.sample_independent(study, frozen, n, d) for n, d in optuna_space.make_distributions([parameter]).items()
        }
        values.append(optuna_space.decode_point([parameter], point)[parameter.name])
    return values


def by_wandb(spec: dict[str, object]) -> np.ndarray:
    """N values by W&B's documentation: uniform X, log-uniform X, normal, log-normal or beta X, and round(X / q) * q."""
    rng = np.random.default_rng(11)
    if "min" not in spec:
        return by_shape(rng, spec)
    low, high = float(spec["min"]), float(spec["max"])  # type: ignore[arg-type]
    kind = str(spec["distribution"])
    if kind == "int_uniform":
        return rng.integers(int(low), int(high) + 1, N).astype(float)
    if kind == "inv_log_uniform_values":
        return 1 / np.exp(rng.uniform(np.log(1 / high), np.log(1 / low), N))
    x = np.exp(rng.uniform(np.log(low), np.log(high), N)) if "log" in kind else rng.uniform(low, high, N)
    q = float(spec.get("q", 1))  # type: ignore[arg-type]
    return np.round(x / q) * q if kind.startswith("q_") else x


def by_shape(rng: np.random.Generator, spec: dict[str, object]) -> np.ndarray:
    kind = str(spec["distribution"])
    mu, sigma, a, b = (float(spec.get(key, default)) for key, default in (("mu", 0), ("sigma", 1), ("a", 1), ("b", 1)))  # type: ignore[arg-type]
    draws = {
        "normal": lambda: rng.normal(mu, sigma, N),
        "log_normal": lambda: np.exp(rng.normal(mu, sigma, N)),
        "beta": lambda: rng.beta(a, b, N),
    }
    x = draws[kind.removeprefix("q_")]()
    q = float(spec.get("q", 1))  # type: ignore[arg-type]
    return np.round(x / q) * q if kind.startswith("q_") else x


def largest_gap(first: np.ndarray, second: np.ndarray) -> float:
    """Kolmogorov and Smirnov's statistic of two samples."""
    grid = np.unique(np.concatenate([first, second]).round(9))
    at = [np.searchsorted(np.sort(sample.round(9)), grid, side="right") / len(sample) for sample in (first, second)]
    return float(np.abs(at[0] - at[1]).max())


@pytest.mark.parametrize(
    "spec",
    [
        {"distribution": "uniform", "min": 0.1, "max": 0.7},
        {"distribution": "uniform", "min": 0, "max": 1},
        {"distribution": "int_uniform", "min": 2, "max": 5},
        {"distribution": "int_uniform", "min": -3, "max": 40},
        {"distribution": "log_uniform_values", "min": 0.0001, "max": 0.1},
        {"distribution": "log_uniform_values", "min": 1, "max": 1000},
        {"distribution": "q_uniform", "min": 16, "max": 100, "q": 16},
        {"distribution": "q_uniform", "min": 0.05, "max": 0.55, "q": 0.1},
        {"distribution": "q_uniform", "min": 1, "max": 4},
        {"distribution": "q_log_uniform_values", "min": 8, "max": 512, "q": 8},
        {"distribution": "q_log_uniform_values", "min": 0.01, "max": 1, "q": 0.01},
        {"distribution": "inv_log_uniform_values", "min": 0.0001, "max": 0.1},
        {"distribution": "normal"},
        {"distribution": "normal", "mu": 0.3, "sigma": 0.05},
        {"distribution": "q_normal", "mu": 64, "sigma": 20, "q": 8},
        {"distribution": "q_normal", "mu": 0.3, "sigma": 0.1, "q": 0.05},
        {"distribution": "log_normal", "mu": -6, "sigma": 1.5},
        {"distribution": "q_log_normal", "mu": 4, "sigma": 0.5, "q": 16},
        {"distribution": "beta", "a": 2, "b": 5},
        {"distribution": "beta"},
        {"distribution": "q_beta", "a": 0.5, "b": 0.5, "q": 0.1},
    ],
    ids=lambda spec: " ".join(map(str, spec.values())),
)
def test_ten_thousand_draws_follow_wandbs_definition(spec: dict[str, object]) -> None:
    body = ", ".join(f"{key}: {value}" for key, value in spec.items())
    (parameter,) = parameters(f"x: {{{body}}}")
    ours = drawn(parameter)
    # For samples of one distribution the gap exceeds 1.95 * sqrt(2 / N) once in a thousand.
    assert largest_gap(np.array(ours, dtype=float), by_wandb(spec)) < 1.95 * np.sqrt(2 / N)
    are_ints = spec["distribution"] == "int_uniform" or isinstance(spec.get("q"), int)
    assert {type(value) for value in ours} == ({int} if are_ints else {float})
    if parameter.n_values is not None:
        assert set(ours) == set(parameter.all_values())
        assert len(set(ours)) == parameter.n_values


def test_values_are_drawn_evenly_and_keep_their_types() -> None:
    (parameter,) = parameters("x: {values: [1, 2.5, adamw, true]}")
    counts = Counter(drawn(parameter))
    assert list(map(type, parameter.values)) == [int, float, str, bool]
    assert set(counts) == {1, 2.5, "adamw"} | {True}
    assert all(abs(counts[value] - N / 4) < 4 * np.sqrt(N * 3 / 16) for value in (2.5, "adamw"))


def test_values_with_probabilities_are_drawn_by_them() -> None:
    (parameter,) = parameters("x: {values: [adam, sgd, 3], probabilities: [0.6, 0.3, 0.1]}")
    counts = Counter(drawn(parameter))
    assert parameter.n_values == 3
    expected = {"adam": 0.6 * N, "sgd": 0.3 * N, 3: 0.1 * N}
    chi_square = sum((counts[value] - n) ** 2 / n for value, n in expected.items())
    assert chi_square < 13.8  # two degrees of freedom: once in a thousand


@pytest.mark.parametrize(
    "body", ["distribution: log_normal, mu: -6", "distribution: normal, mu: 3, sigma: 9", "distribution: beta, a: 2, b: 5"]
)
def test_a_shaped_value_turned_into_its_draw_comes_back_as_it_was(body: str) -> None:
    (parameter,) = parameters(f"x: {{{body}}}")
    for value in drawn(parameter)[:2000]:
        draw = parameter.to_draw(value)
        assert isinstance(draw, float)
        assert parameter.to_value(draw) == value


def test_constants_are_not_drawn_but_belong_to_the_point() -> None:
    both = parameters("x: {value: 3}\n  y: {min: 1, max: 2}")
    assert list(optuna_space.make_distributions(both)) == ["y"]
    assert optuna_space.decode_point(both, {"y": 2}) == {"x": 3, "y": 2}


def test_quantized_values_carry_no_rounding_dust() -> None:
    (parameter,) = parameters("x: {distribution: q_uniform, min: 0.0, max: 1.0, q: 0.1}")
    assert list(parameter.all_values()) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]


def test_points_of_a_finite_space_are_counted_and_listed_in_wandbs_order() -> None:
    finite = parameters("x: {values: [b, a]}\n  y: {min: 1, max: 2}\n  z: {value: 9}")
    assert n_points(finite) == 4
    points = [tuple(point.values()) for point in all_points(finite)]
    assert points == [("b", 1, 9), ("b", 2, 9), ("a", 1, 9), ("a", 2, 9)]
    assert n_points(parameters("x: {min: 1, max: 2}\n  y: {min: 0.1, max: 1}")) is None


def test_a_draw_can_be_named_for_every_value() -> None:
    (parameter,) = parameters("x: {distribution: q_uniform, min: 3, max: 10, q: 4}")
    for value in parameter.all_values():
        draws = optuna_space.encode_point([parameter], {"x": value})
        assert optuna_space.decode_point([parameter], draws) == {"x": value}


def test_the_sampler_differs_with_every_trial_and_repeats_for_the_same() -> None:
    seeds = {optuna_space.mix_seed(seed, n) for seed in range(20) for n in range(200)}
    assert len(seeds) == 4000
    assert optuna_space.mix_seed(1, 2) == optuna_space.mix_seed(1, 2)
