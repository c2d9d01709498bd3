"""Scores equal scikit-learn's, on matrices with absent and never predicted classes too."""

from __future__ import annotations

import numpy as np
import pytest
import reference

from leaderboard.scoring import accuracy, confusion_matrix, f1, macro_f1, margins


@pytest.mark.parametrize("seed", range(20))
def test_scores_equal_those_of_scikit_learn(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_classes = int(rng.integers(2, 12))
    n_rows = int(rng.integers(1, 300))
    truth = rng.integers(0, rng.integers(1, n_classes + 1), n_rows)
    predicted = np.where(rng.random(n_rows) < 0.6, truth, rng.integers(0, n_classes, n_rows))
    confusion = confusion_matrix(truth, predicted, n_classes)
    labels = list(range(n_classes))
    expected = reference.f1_score(truth, predicted, labels=labels, average=None, zero_division=0)
    np.testing.assert_allclose(f1(*margins(confusion)), expected, rtol=1e-15)
    assert macro_f1(confusion) == pytest.approx(
        reference.f1_score(truth, predicted, labels=labels, average="macro", zero_division=0), abs=1e-15
    )
    assert accuracy(confusion) == reference.accuracy_score(truth, predicted)


def test_rows_are_the_truth() -> None:
    assert confusion_matrix(np.array([0, 0, 1]), np.array([1, 1, 0]), 2).tolist() == [[0, 2], [1, 0]]


def test_a_class_that_is_nowhere_scores_zero() -> None:
    assert macro_f1(np.array([[3, 0], [0, 0]])) == 0.5
    assert accuracy(np.zeros((2, 2), dtype=np.int64)) == 0
