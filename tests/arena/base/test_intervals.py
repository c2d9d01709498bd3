"""Intervals equal those of a slow bootstrap that draws row after row."""

from __future__ import annotations

import time

import numpy as np
import numpy.typing as npt
import pytest

from arena.base.resamples import Truth, resample_rows
from arena.base.scores import (
    N_REPLICATES,
    Interval,
    clip_interval,
    confusion_matrix,
    macro_f1,
    macro_f1_each,
    macro_f1_interval,
    speaker_interval,
)
from support import sklearn_reference as reference

N_CLASSES = 10

Rows = npt.NDArray[np.intp]


def rows(n_rows: int, n_groups: int, n_classes: int = 4) -> tuple[Rows, Rows, Rows]:
    """Truth, prediction and group; every group errs at its own rate."""
    rng = np.random.default_rng(5)
    truth, group = rng.integers(0, n_classes, n_rows), np.arange(n_rows) % n_groups
    is_right = rng.random(n_rows) < np.linspace(0.5, 1, n_groups)[group]
    return truth, np.where(is_right, truth, rng.integers(0, n_classes, n_rows)), group


def by_group(truth: Rows, predicted: Rows, group: Rows, n_classes: int = 4) -> npt.NDArray[np.int64]:
    return np.stack([confusion_matrix(truth[group == g], predicted[group == g], n_classes) for g in range(group.max() + 1)])


def test_drawing_speakers_equals_drawing_their_rows_one_by_one() -> None:
    truth, predicted, group = rows(240, 8)
    rng = np.random.default_rng(1)
    scores = []
    for _ in range(4000):
        sample = np.concatenate([np.flatnonzero(group == g) for g in rng.integers(0, 8, 8)])
        scores.append(macro_f1(confusion_matrix(truth[sample], predicted[sample], 4)))
    interval = speaker_interval(by_group(truth, predicted, group), n_replicates=4000)
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(scores, [0.025, 0.975])), abs=0.01)
    assert (interval.unit, interval.n_units, interval.n_replicates) == ("speakers", 8, 4000)


def test_drawing_a_matrix_equals_drawing_rows_one_by_one() -> None:
    truth, predicted, _ = rows(200, 8)
    rng = np.random.default_rng(1)
    sample = rng.integers(0, 200, (4000, 200))
    scores = [macro_f1(confusion_matrix(truth[d], predicted[d], 4)) for d in sample]
    interval = clip_interval(confusion_matrix(truth, predicted, 4), n_replicates=4000)
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(scores, [0.025, 0.975])), abs=0.01)
    assert (interval.unit, interval.n_units) == ("clips", 200)


def test_speakers_are_drawn_when_five_have_clips() -> None:
    confusions = by_group(*rows(200, 5))
    assert macro_f1_interval(confusions) == speaker_interval(confusions)
    four_and_an_empty_one = np.concatenate([confusions[:4], np.zeros((1, 4, 4), dtype=np.int64)])
    assert macro_f1_interval(four_and_an_empty_one) == clip_interval(confusions[:4].sum(axis=0))


def test_groups_without_clips_do_not_count() -> None:
    confusions = by_group(*rows(200, 6))
    assert speaker_interval(np.insert(confusions, 2, 0, axis=0)) == speaker_interval(confusions)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    confusions = by_group(*rows(200, 8))
    assert speaker_interval(confusions, seed=3) == speaker_interval(confusions, seed=3)
    assert speaker_interval(confusions, seed=3) != speaker_interval(confusions, seed=4)
    assert clip_interval(confusions[0], seed=3) != clip_interval(confusions[0], seed=4)


def test_all_right_leaves_no_doubt() -> None:
    confusion = np.diag([50, 50]).astype(np.int64)
    assert clip_interval(confusion) == Interval(low=1.0, high=1.0, level=0.95, n_replicates=2000, unit="clips", n_units=100)


def test_many_classes_are_drawn_in_bounded_portions() -> None:
    truth, predicted, _ = rows(3000, 8, n_classes=300)
    interval = clip_interval(confusion_matrix(truth, predicted, 300), n_replicates=1501)
    assert interval.low < macro_f1(confusion_matrix(truth, predicted, 300)) + 0.05
    assert interval.n_replicates == 1501


def test_two_thousand_replicates_of_thirty_thousand_rows_take_tens_of_milliseconds() -> None:
    confusions = by_group(*rows(30_000, 60, n_classes=10), n_classes=10)
    total = confusions.sum(axis=0)
    started = time.perf_counter()
    speaker_interval(confusions)
    clip_interval(total)
    assert time.perf_counter() - started < 0.5  # 0.04 s on two cores; the rest is room for a busy machine


def answers(seed: int, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, N_CLASSES, n)
    return truth, np.where(rng.random(n) < 0.7, truth, rng.integers(0, N_CLASSES, n))


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
    counts = np.array([[confusion_matrix(*pair, N_CLASSES) for pair in speakers] for speakers in said])
    interval = speaker_interval(counts, n_replicates=200)
    np.testing.assert_allclose((interval.low, interval.high), np.quantile(scores, [0.025, 0.975]), atol=1e-12)
    assert speaker_interval(counts) == speaker_interval(counts)
    assert interval.low < macro_f1_each(counts.sum(1)).mean() < interval.high


def test_equal_speakers_leave_no_doubt() -> None:
    counts = np.broadcast_to(confusion_matrix(*answers(3), N_CLASSES), (1, 4, N_CLASSES, N_CLASSES))
    interval = speaker_interval(counts)
    assert interval.low == pytest.approx(interval.high)
    assert interval.low == pytest.approx(macro_f1(counts[0, 0]))


def test_a_class_that_drops_out_of_a_resample_counts_zero_there_and_one_that_nobody_says_never() -> None:
    confusion = np.diag([40, 40, 1, 0])
    interval = clip_interval(confusion)
    assert (interval.low, interval.high) == (2 / 3, 1.0), "the third class is drawn in two resamples of three"
    assert clip_interval(np.diag([40, 40, 0, 0])).low == 1
    truth = Truth(classes=np.repeat([0, 1, 2], [40, 40, 1]), groups=np.zeros(81, dtype=np.intp), n_classes=4)
    draws = resample_rows(truth)
    replicates = draws.macro_f1(truth.classes[None])[:, 0]
    assert sorted(set(replicates.round(12))) == [round(2 / 3, 12), 1]
    by_speaker = np.stack([np.diag([8, 8, 0, 0])] * 4 + [np.diag([8, 8, 1, 0])])
    assert (speaker_interval(by_speaker).low, speaker_interval(by_speaker).high) == (2 / 3, 1.0)
