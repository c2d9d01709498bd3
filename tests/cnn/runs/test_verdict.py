"""Over- and underfitting are read from the curves, the learning rate and the scores; the reason and an advice are named."""

from __future__ import annotations

import pytest

from cnn.runs.folder import EpochRow
from cnn.runs.verdict import FitScores, diagnose, explain_diagnosis, judge


def scores(
    train: float,
    val: float,
    *,
    accuracy: float = 0.0,
    is_augmented: bool = True,
    hears_val: bool = False,
    balanced: bool = False,
) -> FitScores:
    return FitScores(
        train=train,
        train_accuracy=accuracy or train,
        val=val,
        is_balanced=balanced,
        is_augmented=is_augmented,
        hears_val=hears_val,
    )


def rows(
    val: list[float], val_loss: list[float] | None = None, rates: list[float] | None = None, train: float = 0.5
) -> list[EpochRow]:
    losses = val_loss or [1 - f1 for f1 in val]
    return [
        EpochRow(
            epoch=n + 1,
            train_loss=1 / (n + 1),
            train_accuracy=0.9,
            train_macro_f1=train,
            val_loss=loss,
            val_accuracy=f1,
            val_macro_f1=f1,
            learning_rate=rate,
            seconds=1,
        )
        for n, (f1, loss, rate) in enumerate(zip(val, losses, rates or [1e-3] * (len(val) - 1) + [1e-5], strict=True))
    ]


FALLING = [1e-3, 9e-4, 7e-4, 5e-4, 3e-4, 2e-4, 9e-5, 0.0]


@pytest.mark.parametrize(
    ("curve", "train_f1", "val_f1", "state", "words"),
    [
        (rows([0.5, 0.6, 0.7, 0.8]), 0.85, 0.8, "underfit", "still rising: train longer"),
        (rows([0.5, 0.6, 0.6, 0.6]), 0.65, 0.6, "underfit", "its learning rate has run out: train longer"),
        (rows([0.4, 0.5, 0.55, 0.58, 0.6, 0.61, 0.61, 0.61], rates=FALLING), 0.65, 0.6, "underfit", "run out: train longer"),
        (
            rows([0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6], rates=FALLING),
            0.65,
            0.6,
            "underfit",
            "no longer rising: try a larger",
        ),
        (rows([0.5, 0.6, 0.6, 0.6], rates=[1e-3] * 4), 0.65, 0.6, "underfit", "no longer rising: try a larger net"),
        (
            rows([0.1, 0.12, 0.15, 0.2], rates=[1e-5] * 4),
            0.2,
            0.2,
            "underfit",
            "rate of 1e-05 at most: raise the learning rate",
        ),
        (rows([0.1], rates=[1e-5]), 0.2, 0.2, "underfit", "raise the learning rate"),
        (rows([0.5, 0.7, 0.8, 0.8]), 0.99, 0.8, "overfit", "a gap of 0.190"),
        (
            rows([0.9, 0.95, 0.95, 0.95], [0.3, 0.2, 0.25, 0.4]),
            0.99,
            0.95,
            "overfit",
            "turned up from 0.200 (epoch 2) to 0.400 while training loss went on falling: stop earlier.",
        ),
        (rows([0.7, 0.8, 0.85, 0.93], rates=[1e-3] * 4), 0.97, 0.93, "unsettled", "rose by 0.080 in the last quarter: train"),
        (rows([0.7, 0.9, 0.95, 0.95]), 0.99, 0.95, "good", "both curves have settled."),
        (rows([0.95]), 0.99, 0.95, "unsettled", "1 epoch is too few to say more: train longer"),
        (rows([0.5, 0.6, 0.6]), 0.65, 0.6, "unsettled", "3 epochs are too few to say more: train longer"),
        (rows([0.7, 0.7]), 0.99, 0.7, "overfit", "a gap of 0.290"),
        (rows([0.02] * 4, train=0.9), 0.02, 0.02, "unsettled", "though it reached 0.900 on its last training batches"),
    ],
)
def test_the_verdict_names_its_reason(curve: list[EpochRow], train_f1: float, val_f1: float, state: str, words: str) -> None:
    verdict = judge(curve, scores(train_f1, val_f1))
    assert verdict.state == state
    assert words in verdict.reason
    assert f"{train_f1:.3f} on the training clips" in verdict.reason


def test_the_advice_depends_on_what_was_tried_and_stands_in_every_language() -> None:
    wide, turned = rows([0.5, 0.7, 0.8, 0.8]), rows([0.9, 0.95, 0.95, 0.95], [0.3, 0.2, 0.25, 0.4])
    advice = [
        explain_diagnosis(diagnose(curve, scores(0.99, val, is_augmented=is_augmented)), "es").rpartition(": ")[2]
        for curve, val in ((wide, 0.8), (turned, 0.95))
        for is_augmented in (False, True)
    ]
    assert advice == [
        "más hablantes, aumento de datos o una red más pequeña.",
        "más hablantes o una red más pequeña.",
        "para antes o aumenta los datos.",
        "para antes.",
    ]
    assert "0.800 on other clips of the same speakers; a gap" in explain_diagnosis(
        diagnose(wide, scores(0.99, 0.8, hears_val=True))
    )


def test_rare_digits_that_were_not_learnt_are_no_reason_for_a_larger_net() -> None:
    settled = rows([0.5, 0.6, 0.6, 0.6], rates=[1e-3] * 4)
    assert judge(settled, scores(0.65, 0.6, accuracy=0.96)).reason == (
        "macro-F1 0.650 on the training clips, 0.600 on speakers never heard in training; it is right about 0.960 of the "
        "training clips, but has not learnt the digits that it was shown few of: train with train.balance=draws, or record "
        "more of them."
    )
    assert "try a larger net" in judge(settled, scores(0.65, 0.6, accuracy=0.96, balanced=True)).reason
