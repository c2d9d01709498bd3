"""Scores from counts: scikit-learn's, and an interval that a loop over scikit-learn would give."""

from __future__ import annotations

import numpy as np
import pytest
import reference

from cnn.counts import N_REPLICATES, f1, macro_f1, mean_of_present, recall, speaker_interval

N_CLASSES = 10


def answers(seed: int, n: int = 200, n_present: int = N_CLASSES) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_present, n)
    return truth, np.where(rng.random(n) < 0.7, truth, rng.integers(0, N_CLASSES, n))


def counted(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    return np.bincount(truth * N_CLASSES + predicted, minlength=N_CLASSES**2).reshape(N_CLASSES, N_CLASSES)


@pytest.mark.parametrize("n_present", [10, 7])
def test_scores_are_those_of_scikit_learn(n_present: int) -> None:
    truth, predicted = answers(1, n_present=n_present)
    counts, every, present = counted(truth, predicted), list(range(N_CLASSES)), list(range(n_present))
    expected = {"labels": every, "average": None, "zero_division": 0}
    np.testing.assert_allclose(recall(counts), reference.recall_score(truth, predicted, **expected), atol=1e-12)
    np.testing.assert_allclose(f1(counts), reference.f1_score(truth, predicted, **expected), atol=1e-12)
    expected["average"] = "macro"
    assert macro_f1(counts) == pytest.approx(reference.f1_score(truth, predicted, **expected), abs=1e-12)
    of_present = reference.f1_score(truth, predicted, labels=present, average="macro")
    assert mean_of_present(f1(counts), counts) == pytest.approx(of_present, abs=1e-12)


def test_counts_may_be_stacked_in_any_way() -> None:
    counts = np.stack([counted(*answers(seed)) for seed in range(6)])
    assert macro_f1(counts.reshape(2, 3, N_CLASSES, N_CLASSES)).ravel().tolist() == [float(macro_f1(one)) for one in counts]


def test_no_clips_score_nothing() -> None:
    nothing = np.zeros((N_CLASSES, N_CLASSES), dtype=np.int64)
    assert (macro_f1(nothing), mean_of_present(recall(nothing), nothing)) == (0, 0)


def test_the_interval_is_that_of_resampled_speakers_scored_one_by_one() -> None:
    n_speakers = 7
    said = [[answers(100 * seed + speaker, 40) for speaker in range(n_speakers)] for seed in range(2)]
    draws = np.random.default_rng(0).multinomial(n_speakers, np.full(n_speakers, 1 / n_speakers), size=N_REPLICATES)
    scores = []
    for draw in draws[:200]:
        by_seed = []
        for speakers in said:
            rows = [speakers[speaker] for speaker, n in enumerate(draw) for _ in range(n)]
            truth, predicted = (np.concatenate(part) for part in zip(*rows, strict=True))
            by_seed.append(reference.f1_score(truth, predicted, labels=range(N_CLASSES), average="macro", zero_division=0))
        scores.append(np.mean(by_seed))
    counts = np.array([[counted(*one) for one in speakers] for speakers in said])
    low, high = speaker_interval(counts, n_replicates=200)
    np.testing.assert_allclose((low, high), np.quantile(scores, [0.025, 0.975]), atol=1e-12)
    assert speaker_interval(counts) == speaker_interval(counts)
    assert low < macro_f1(counts.sum(1)).mean() < high


def test_equal_speakers_leave_no_doubt() -> None:
    counts = np.broadcast_to(counted(*answers(3)), (1, 4, N_CLASSES, N_CLASSES))
    low, high = speaker_interval(counts)
    assert low == pytest.approx(high)
    assert low == pytest.approx(float(macro_f1(counts[0, 0])))
