"""A neural network from scratch: NumPy and the chain rule, nothing else.

A net is a chain of layers. Forward, each layer turns what it gets into what the next one gets, and the last one compares the
answer with the truth: the loss. Backward, the slope of the loss travels the chain from its end to its start, and every layer
finds out on the way which of its own numbers push the loss up. Update moves all of them a little the other way.
That is how a net learns; `gradients.py` beside this file proves that the slopes are right:

    model = Model([784, 512, 32, 10], np.random.default_rng(0))
    for x, y in batches:  # x (32, 784): pictures in 0..1, y (32,): the class of each
        model.forward(x)
        model.backward(y)
        model.update(learning_rate=0.0035)

Letters in the shapes: B examples in a batch, I numbers into a layer and O out of it, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = Any  # NumPy's arrays: the shapes in the comments say more than a type could


# 1. Activations. Without one between two layers, both together would be no more than one: a straight line of a straight line.
#    Each slope is computed from the output y, which is at hand when it is needed.


def sigmoid(x: Array) -> Array:
    """Squash any number into 0..1: 1 / (1 + exp(-x)), written with tanh, which cannot overflow."""
    return (1 + np.tanh(x / 2)) / 2


def sigmoid_grad(y: Array) -> Array:
    """Return the slope of the sigmoid where it is y: at most 1/4, so that deep chains of it learn slowly."""
    return y * (1 - y)


def relu(x: Array) -> Array:
    """Let positive numbers through, and make 0 of the others."""
    return np.maximum(x, 0)


def relu_grad(y: Array) -> Array:
    """Return the slope of ReLU where it is y: 1 where a number came through, 0 where none did."""
    return (y > 0).astype(y.dtype)


def same(x: Array) -> Array:
    """Leave scores as they are: softmax follows."""
    return x


def same_grad(y: Array) -> Array:
    """Return the slope of what changes nothing."""
    return np.ones_like(y)


ACTIVATIONS = {"relu": (relu, relu_grad), "sigmoid": (sigmoid, sigmoid_grad), "none": (same, same_grad)}


# 2. The end of the chain: scores become probabilities, and one number says how wrong they are.


def softmax(x: Array) -> Array:
    """Turn scores (B, K) into probabilities (B, K): positive, and of sum 1 in each row.

    The same number taken from all scores of a row changes nothing; with the largest taken out, exp cannot overflow.
    """
    e = np.exp(x - x.max(axis=1, keepdims=True))  # (B, K)
    return e / e.sum(axis=1, keepdims=True)


def logloss(p: Array, y: Array) -> float:
    """Return the mean of -log p of the true class: 0 for a sure and right answer, log K for a guess, more for sure errors."""
    p_true = p[np.arange(len(y)), y]  # (B,)
    return float(-np.log(np.maximum(p_true, np.finfo(p.dtype).tiny)).mean())


# 3. Layers. Each can do three things, and knows nothing of the others.


class Layer:
    """One link of the chain."""

    def forward(self, x: Array) -> Array:
        """Return the outputs for inputs x, and remember what `backward` needs."""
        raise NotImplementedError

    def backward(self, dy: Array) -> Array:
        """Take the slope of the loss for each output, return that for each input: the chain rule."""
        raise NotImplementedError

    def update(self, learning_rate: float) -> None:
        """Move the weights against their slopes; a layer without weights has nothing to move."""


class Dense(Layer):
    """y = activation(x W + b): every output looks at every input."""

    def __init__(self, n_in: int, n_out: int, activation: str, rng: np.random.Generator, dtype: type = np.float32) -> None:
        # Xavier (Glorot and Bengio 2010): so spread, signals neither die out nor explode on their way through the layers.
        spread = np.sqrt(2 / (n_in + n_out))
        self.W: Array = rng.normal(0, spread, (n_in, n_out)).astype(dtype)  # (I, O)
        self.b: Array = np.zeros(n_out, dtype)  # (O,)
        self.name = activation
        self.activation, self.activation_grad = ACTIVATIONS[activation]

    def forward(self, x: Array) -> Array:
        self.x = x  # (B, I)
        self.y = self.activation(x @ self.W + self.b)  # (B, O)
        return self.y

    def backward(self, dy: Array) -> Array:
        dz = dy * self.activation_grad(self.y)  # (B, O): through the activation
        self.dW = self.x.T @ dz  # (I, O): each weight is blamed by its input times its output's slope
        self.db = dz.sum(axis=0)  # (O,)
        return dz @ self.W.T  # (B, I): each input by the weights that carried it

    def update(self, learning_rate: float) -> None:
        self.W -= learning_rate * self.dW
        self.b -= learning_rate * self.db


class LossLayer(Layer):
    """Softmax and log loss in one, because their slopes together are as simple as p - y."""

    def forward(self, x: Array) -> Array:
        self.p = softmax(x)  # (B, K)
        return self.p

    def loss(self, y: Array) -> float:
        return logloss(self.p, y)

    def backward(self, y: Array) -> Array:
        """Take the true classes (B,), return the slope of the loss for each score (B, K)."""
        truth = np.eye(self.p.shape[1], dtype=self.p.dtype)[y]  # (B, K): 1 at the true class, else 0
        return (self.p - truth) / len(y)


# 4. The model: the layers in a row.


class Model:
    """Dense layers of these sizes, and the loss at their end; no sizes between the first and the last: logistic regression."""

    def __init__(
        self, sizes: Sequence[int], rng: np.random.Generator, activation: str = "relu", dtype: type = np.float32
    ) -> None:
        activations = [activation] * (len(sizes) - 2) + ["none"]  # scores are left as they are
        parts = zip(sizes, sizes[1:], activations, strict=False)
        self.layers = [Dense(n_in, n_out, name, rng, dtype) for n_in, n_out, name in parts]
        self.last = LossLayer()

    def forward(self, x: Array) -> Array:
        """Return the probabilities (B, K) for inputs (B, I)."""
        for layer in self.layers:
            x = layer.forward(x)
        return self.last.forward(x)

    def loss(self, y: Array) -> float:
        """Return the loss of the answers that `forward` gave, for the true classes (B,)."""
        return self.last.loss(y)

    def backward(self, y: Array) -> None:
        """Find the slope of the loss for every weight, from the end to the start."""
        dy = self.last.backward(y)
        for layer in reversed(self.layers):
            dy = layer.backward(dy)

    def update(self, learning_rate: float) -> None:
        """Take one step downhill."""
        for layer in self.layers:
            layer.update(learning_rate)
