"""The net from scratch: the same numbers as torch, and functions that bear any input."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest
import torch
import typer
from torch import nn
from torch.nn import functional as F

from cnn.cli.models import models_command
from cnn.scratch import net
from cnn.scratch.gradients import TOLERANCE, check_example, check_gradients
from cnn.scratch.net import Model, logloss, relu, relu_grad, sigmoid, sigmoid_grad, softmax

SIZES = (784, 64, 32, 10)
TORCH = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid}


def twin_of(model: Model, activation: str) -> nn.Sequential:
    layers: list[nn.Module] = []
    for dense in model.layers:
        linear = nn.Linear(*dense.W.shape, dtype=torch.float64)
        linear.load_state_dict({"weight": torch.tensor(dense.W.T), "bias": torch.tensor(dense.b)})
        layers += [linear, TORCH[activation]()]
    return nn.Sequential(*layers[:-1])


def pictures(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.random((n, SIZES[0])), rng.integers(0, SIZES[-1], n)


@pytest.mark.parametrize("activation", sorted(TORCH))
def test_answers_gradients_and_a_hundred_updates_are_those_of_torch(activation: str) -> None:
    """In float64; `test_scratch_trainer` compares trainings, in float32."""
    model = Model(SIZES, np.random.default_rng(0), activation, np.float64)
    twin = twin_of(model, activation)
    linears = [layer for layer in twin if isinstance(layer, nn.Linear)]
    optimizer = torch.optim.SGD(twin.parameters(), lr=0.0035)
    for step in range(100):
        x, y = pictures(32, step)
        logits = twin(torch.tensor(x))
        loss = F.cross_entropy(logits, torch.tensor(y))
        optimizer.zero_grad()
        loss.backward()
        probabilities = model.forward(x)
        model.backward(y)
        if step == 0:
            assert model.loss(y) == pytest.approx(loss.item(), abs=1e-6)
            np.testing.assert_allclose(probabilities, logits.softmax(1).detach().numpy(), rtol=0, atol=1e-6)
            for dense, linear in zip(model.layers, linears, strict=True):
                assert linear.weight.grad is not None
                np.testing.assert_allclose(dense.dW.T, linear.weight.grad.numpy(), rtol=0, atol=1e-6)
                np.testing.assert_allclose(dense.db, linear.bias.grad.numpy(), rtol=0, atol=1e-6)
        optimizer.step()
        model.update(0.0035)
    for dense, linear in zip(model.layers, linears, strict=True):
        np.testing.assert_allclose(dense.W.T, linear.weight.detach().numpy(), rtol=0, atol=1e-6)
        np.testing.assert_allclose(dense.b, linear.bias.detach().numpy(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_functions_bear_numbers_of_any_size_and_keep_their_type(dtype: type) -> None:
    far = np.array([-1000, 0, 1000], dtype)
    np.testing.assert_array_equal(sigmoid(far), [0, 0.5, 1])
    np.testing.assert_array_equal(softmax(np.array([[1000, 0, -1000], [1000, 1000, 0]], dtype)), [[1, 0, 0], [0.5, 0.5, 0]])
    np.testing.assert_array_equal(sigmoid_grad(sigmoid(far)), [0, 0.25, 0])
    np.testing.assert_array_equal((relu(far), relu_grad(relu(far))), [[0, 0, 1000], [0, 0, 1]])
    assert {f(far).dtype.type for f in (sigmoid, relu, sigmoid_grad, relu_grad)} == {dtype}
    assert np.isfinite(logloss(np.array([[0, 1]], dtype), np.array([0])))


def test_the_spread_of_fresh_weights_is_that_of_glorot_and_bengio() -> None:
    first = Model(SIZES, np.random.default_rng(0)).layers[0]
    assert first.W.std() == pytest.approx((2 / (784 + 64)) ** 0.5, rel=0.01)
    assert (first.W.dtype, first.b.any()) == (np.float32, np.False_)


def test_no_layers_between_make_it_logistic_regression() -> None:
    model = Model((4, 3), np.random.default_rng(0))
    x = np.random.default_rng(1).random((5, 4), dtype=np.float32)
    np.testing.assert_allclose(model.forward(x), softmax(x @ model.layers[0].W + model.layers[0].b))


def test_slopes_are_those_that_are_measured_and_a_mistake_in_backward_is_seen() -> None:
    assert [error.layer for error in check_example()] == ["6 to 5", "5 to 4", "4 to 3"] * 2
    assert max(error.worst for error in check_example()) < TOLERANCE / 5

    class Wrong(Model):
        def backward(self, y: np.ndarray) -> None:
            super().backward(y)
            self.layers[1].dW *= 1.01

    rng = np.random.default_rng(0)
    model = Wrong((6, 5, 4, 3), rng, "sigmoid", np.float64)
    errors = check_gradients(model, rng.normal(size=(7, 6)), rng.integers(0, 3, 7))
    assert [error.worst > TOLERANCE for error in errors] == [False, True, False]


def test_the_command_prints_the_worst_error_of_each_layer_and_fails_on_a_mistake(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    models_command(["scratch"], check_gradients=True)
    out, err = capsys.readouterr()
    assert [line.split()[:4] for line in out.splitlines()[2:5]] == [
        ["6", "to", "5", "relu"],
        ["5", "to", "4", "relu"],
        ["4", "to", "3", "none"],
    ]
    assert "backward is right" in err
    models_command(["scratch"], check_gradients=True, json=True)
    assert [set(error) for error in json.loads(capsys.readouterr().out)] == [{"layer", "activation", "n_weights", "worst"}] * 6
    monkeypatch.setitem(net.ACTIVATIONS, "sigmoid", (sigmoid, lambda y: y * (1 - y) * 1.01))
    with pytest.raises(typer.Exit):
        models_command(["scratch"], check_gradients=True)
    assert "backward is wrong" in capsys.readouterr().err
    with pytest.raises(typer.BadParameter, match="it takes the net from scratch"):
        models_command(["mlp"], check_gradients=True)


def test_the_lesson_is_short_and_needs_numpy_alone() -> None:
    source = inspect.getsource(net)
    assert "torch" not in source
    assert len([line for line in source.splitlines() if line.strip()]) <= 150
