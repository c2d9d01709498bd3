"""Scores equal scikit-learn's, on matrices with absent and never predicted classes too."""

from __future__ import annotations

import numpy as np
import pytest

from arena.base.scores import accuracy, confusion_matrix, f1, find_absent, macro_f1, macro_f1_each, mean_of_present, recall
from support import sklearn_reference as reference

N_CLASSES = 10


def answers(seed: int, n: int = 200, n_present: int = N_CLASSES) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_present, n)
    return truth, np.where(rng.random(n) < 0.7, truth, rng.integers(0, N_CLASSES, n))


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
    np.testing.assert_allclose(f1(confusion), expected, rtol=1e-15)
    assert macro_f1(confusion) == pytest.approx(
        reference.f1_score(truth, predicted, labels=np.unique(truth), average="macro"), abs=1e-15
    )
    assert accuracy(confusion) == reference.accuracy_score(truth, predicted)


def test_rows_are_the_truth() -> None:
    assert confusion_matrix(np.array([0, 0, 1]), np.array([1, 1, 0]), 2).tolist() == [[0, 2], [1, 0]]


def test_the_mean_is_over_the_classes_that_are_present_in_the_truth() -> None:
    assert macro_f1(np.array([[3, 0, 0], [0, 0, 0], [0, 0, 0]])) == 1
    assert macro_f1(np.array([[3, 1, 0], [0, 0, 0], [0, 0, 2]])) == (6 / 7 + 1) / 2, (
        "a clip taken for an absent class is missed"
    )
    assert find_absent(np.array([[3, 1, 0], [0, 0, 0], [0, 0, 2]])) == [1]
    assert accuracy(np.zeros((2, 2), dtype=np.int64)) == 0


@pytest.mark.parametrize("n_present", [10, 7])
def test_scores_of_few_classes_equal_those_of_scikit_learn(n_present: int) -> None:
    truth, predicted = answers(1, n_present=n_present)
    counts, every = confusion_matrix(truth, predicted, N_CLASSES), list(range(N_CLASSES))
    expected = {"labels": every, "average": None, "zero_division": 0}
    np.testing.assert_allclose(recall(counts), reference.recall_score(truth, predicted, **expected), atol=1e-12)
    np.testing.assert_allclose(f1(counts), reference.f1_score(truth, predicted, **expected), atol=1e-12)
    macro = reference.f1_score(truth, predicted, labels=list(range(n_present)), average="macro")
    assert macro_f1(counts) == pytest.approx(macro, abs=1e-12)


def test_counts_may_be_stacked_in_any_way() -> None:
    counts = np.stack([confusion_matrix(*answers(seed), N_CLASSES) for seed in range(6)])
    assert macro_f1_each(counts.reshape(2, 3, N_CLASSES, N_CLASSES)).ravel().tolist() == [macro_f1(matrix) for matrix in counts]


def test_no_clips_score_nothing() -> None:
    nothing = np.zeros((N_CLASSES, N_CLASSES), dtype=np.int64)
    assert (macro_f1(nothing), mean_of_present(recall(nothing), nothing.sum(-1) > 0)) == (0, 0)
