"""Paired resamples against a plain loop, and what is resampled when."""

from __future__ import annotations

import numpy as np
import pytest

from arena.base.scores import clip_interval, speaker_interval
from cnn.nets import PAIR
from reports.analysis.effects import compute_effects
from reports.analysis.paired_bootstrap import compute_interval, resample_runs
from reports.analysis.scores import ClipAnswers
from reports.wording.page_texts import english
from support import sklearn_reference as reference


def clips(n_speakers: int, skill: float, seed: int, n: int = 200) -> ClipAnswers:
    draw = np.random.default_rng(3)
    truth = np.arange(n) % 10
    hard, wrong = draw.random(n), (truth + draw.integers(1, 10, n)) % 10
    predicted = np.where(hard + 0.2 * np.random.default_rng(seed).random(n) < skill, truth, wrong)
    names = tuple(f"s{k % n_speakers}" for k in range(n))
    return ClipAnswers(
        ids=tuple(f"{k:03d}" for k in range(n)),
        speakers=names,
        truth=truth,
        predicted=predicted,
        probabilities=np.eye(10)[predicted],
        n_classes=10,
    )


def test_the_interval_is_the_contests_own() -> None:
    few, many = clips(2, 0.9, 1), clips(6, 0.9, 1)
    assert compute_interval(few) == clip_interval(few.confusion)
    assert compute_interval(many) == speaker_interval(many.confusions_by_speaker())


def test_a_run_does_not_differ_from_itself() -> None:
    resampled = resample_runs({"a": clips(2, 0.9, 1), "b": clips(2, 0.9, 1)})
    difference = resampled.pair("a", "b")
    assert (difference.value, difference.interval.low, difference.interval.high) == (0, 0, 0)
    assert not difference.is_clear


@pytest.mark.parametrize(("n_speakers", "unit", "n_units"), [(2, "clips", 200), (4, "clips", 200), (5, "speakers", 5)])
def test_speakers_are_drawn_from_five_on(n_speakers: int, unit: str, n_units: int) -> None:
    interval = resample_runs({"a": clips(n_speakers, 0.9, 1), "b": clips(n_speakers, 0.7, 2)}).pair("a", "b").interval
    assert (interval.unit, interval.n_units) == (unit, n_units)


def test_a_paired_difference_agrees_with_drawing_clips_one_by_one() -> None:
    one, other = clips(2, 0.95, 1), clips(2, 0.85, 2)
    difference = resample_runs({"a": one, "b": other}).pair("a", "b")
    draw = np.random.default_rng(9)
    scores = []
    for _ in range(400):
        rows = draw.integers(0, 200, 200)
        first, second = (
            reference.f1_score(c.truth[rows], c.predicted[rows], labels=range(10), average="macro", zero_division=0)
            for c in (one, other)
        )
        scores.append(first - second)
    low, high = np.quantile(scores, [0.025, 0.975])
    assert (difference.interval.low, difference.interval.high) == pytest.approx((low, high), abs=0.012)
    exact = reference.f1_score(one.truth, one.predicted, average="macro") - reference.f1_score(
        other.truth, other.predicted, average="macro"
    )
    assert difference.value == pytest.approx(exact)
    assert difference.is_clear


def test_an_effect_is_the_mean_over_all_pairs_that_differ_in_it_alone() -> None:
    skills = {("lenet5", "raw"): 0.7, ("lenet5", "raw+aug"): 0.8, ("columns", "raw"): 0.8, ("columns", "raw+aug"): 0.95}
    runs = {f"{n}": clips(2, skill, n) for n, skill in enumerate(skills.values())}
    effects = {
        effect.factors: effect
        for effect in compute_effects(resample_runs(runs), dict(zip(skills, runs, strict=True)), PAIR, english())
    }
    f1 = [reference.f1_score(c.truth, c.predicted, labels=range(10), average="macro", zero_division=0) for c in runs.values()]
    assert set(effects) == {("augmentation",), ("model",), ("augmentation", "model")}  # no pair differs in the filter
    assert effects["augmentation",].difference.parts == (
        ("lenet5, raw", pytest.approx(f1[1] - f1[0])),
        ("columns, raw", pytest.approx(f1[3] - f1[2])),
    )
    assert effects["model",].difference.value == pytest.approx((f1[2] - f1[0] + f1[3] - f1[1]) / 2)
    interaction = effects["augmentation", "model"].difference
    assert interaction.value == pytest.approx((f1[3] - f1[2]) - (f1[1] - f1[0]))
    assert [name for name, _ in interaction.parts] == ["raw"]


def test_all_eight_give_every_effect_and_the_three_way_one_is_the_change_of_the_change() -> None:
    cells = [
        (model, f"{name}{aug}") for model in ("lenet5", "columns") for name in ("raw", "bilateral") for aug in ("", "+aug")
    ]
    runs = {f"{n}": clips(6, 0.7 + 0.03 * n, n) for n in range(8)}
    resampled = resample_runs(runs)
    effects = {
        effect.factors: effect.difference
        for effect in compute_effects(resampled, dict(zip(cells, runs, strict=True)), PAIR, english())
    }
    assert [len(factors) for factors in effects] == [1, 1, 1, 2, 2, 2, 3]
    value = {cell: resampled.values[digest] for cell, digest in zip(cells, runs, strict=True)}
    of_model = {
        model: (value[model, "bilateral+aug"] - value[model, "raw+aug"]) - (value[model, "bilateral"] - value[model, "raw"])
        for model in ("lenet5", "columns")
    }
    three = effects["filter", "augmentation", "model"]
    assert three.value == pytest.approx(of_model["columns"] - of_model["lenet5"])
    assert effects["filter", "augmentation"].parts == (
        ("lenet5", pytest.approx(of_model["lenet5"])),
        ("columns", pytest.approx(of_model["columns"])),
    )
    assert len(effects["model",].parts) == 4
    assert [name for name, _ in three.speakers] == [f"s{k}" for k in range(6)]
    expected = {name: compute_reference(runs["1"], name) - compute_reference(runs["0"], name) for name in ("s0", "s5")}
    pair = dict(resampled.pair("1", "0").speakers)
    assert {name: pair[name] for name in expected} == pytest.approx(expected)


def compute_reference(rows: ClipAnswers, speaker: str) -> float:
    is_theirs = np.array(rows.speakers) == speaker
    present = sorted(set(rows.truth[is_theirs].tolist()))
    score = reference.f1_score(
        rows.truth[is_theirs], rows.predicted[is_theirs], labels=present, average="macro", zero_division=0
    )
    return float(score)
