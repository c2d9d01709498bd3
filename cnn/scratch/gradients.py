"""The gradient check: slopes that `backward` computes beside slopes that are measured.

Move one weight a little, and see how the loss changes: that is its slope, found without any calculus. It takes two passes for
each weight, which is why no net learns so, but it tells whether `backward` is right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cnn.scratch.net import Array, Model

TOLERANCE = 1e-6  # in float64, 1e-7 and less is right, and 1e-2 is a mistake (CS231n, "Gradient checks")


@dataclass(frozen=True, kw_only=True, slots=True)
class GradientError:
    """The check of one layer."""

    layer: str  # its shape, such as 6 to 5
    activation: str
    n_weights: int
    worst: float  # largest relative error of a slope


def check_example() -> list[GradientError]:
    """Check a small net of each activation on random examples."""
    rng = np.random.default_rng(0)
    errors: list[GradientError] = []
    for activation in ("relu", "sigmoid"):
        model = Model([6, 5, 4, 3], rng, activation, np.float64)
        errors += check_gradients(model, rng.normal(size=(7, 6)), rng.integers(0, 3, 7))
    return errors


def check_gradients(model: Model, x: Array, y: Array, step: float = 1e-5) -> list[GradientError]:
    """Return the error of each layer on examples x (B, I) of classes y (B,); the model should be of float64."""
    model.forward(x)
    model.backward(y)
    return [
        GradientError(
            layer="{} to {}".format(*layer.W.shape),
            activation=layer.name,
            n_weights=layer.W.size + layer.b.size,
            worst=max(
                _find_worst(slopes.copy(), _measure_slopes(model, x, y, weights, step))
                for weights, slopes in ((layer.W, layer.dW), (layer.b, layer.db))
            ),
        )
        for layer in model.layers
    ]


def _measure_slopes(model: Model, x: Array, y: Array, weights: Array, step: float) -> Array:
    """Return the slope of the loss for each of `weights`, which are moved and moved back."""
    slopes = np.empty_like(weights)
    for index in np.ndindex(weights.shape):
        losses, weight = [], weights[index]
        for moved in (weight + step, weight - step):
            weights[index] = moved
            model.forward(x)
            losses.append(model.loss(y))
        weights[index] = weight
        slopes[index] = (losses[0] - losses[1]) / (2 * step)
    return slopes


def _find_worst(computed: Array, measured: Array) -> float:
    return float((np.abs(computed - measured) / np.maximum(np.abs(computed) + np.abs(measured), 1e-8)).max())
