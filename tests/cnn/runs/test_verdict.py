"""Over- and underfitting are read from the curves, and the reason is named."""

from __future__ import annotations

import pytest

from cnn.runs.folder import EpochRow, Score
from cnn.runs.verdict import judge


def score(macro_f1: float) -> Score:
    return Score(n=100, loss=0.1, accuracy=macro_f1, macro_f1=macro_f1, confusion=[])


def rows(val: list[float], val_loss: list[float] | None = None, rate: float = 1e-5) -> list[EpochRow]:
    losses = val_loss or [1 - f1 for f1 in val]
    return [
        EpochRow(
            epoch=n + 1,
            train_loss=1 / (n + 1),
            train_accuracy=0.9,
            train_macro_f1=0.9,
            val_loss=loss,
            val_accuracy=f1,
            val_macro_f1=f1,
            learning_rate=1e-3 if n == 0 else rate,
            seconds=1,
        )
        for n, (f1, loss) in enumerate(zip(val, losses, strict=True))
    ]


@pytest.mark.parametrize(
    ("curve", "train_f1", "val_f1", "state", "words"),
    [
        (rows([0.5, 0.6, 0.7, 0.8]), 0.85, 0.8, "underfit", "still rising: train longer"),
        (rows([0.5, 0.6, 0.6, 0.6]), 0.65, 0.6, "underfit", "no longer rising: try a larger net"),
        (rows([0.5, 0.7, 0.8, 0.8]), 0.99, 0.8, "overfit", "a gap of 0.190"),
        (
            rows([0.9, 0.95, 0.95, 0.95], [0.3, 0.2, 0.25, 0.4]),
            0.99,
            0.95,
            "overfit",
            "turned up from 0.200 (epoch 2) to 0.400",
        ),
        (rows([0.7, 0.8, 0.85, 0.93], rate=1e-3), 0.97, 0.93, "unsettled", "rose by 0.080"),
        (rows([0.7, 0.9, 0.95, 0.95]), 0.99, 0.95, "good", "both curves have settled"),
        (rows([0.95]), 0.99, 0.95, "unsettled", "1 epoch is too few to say more; train longer"),
        (rows([0.5, 0.6, 0.6]), 0.65, 0.6, "unsettled", "3 epochs are too few to say more; train longer"),
        (rows([0.7, 0.7]), 0.99, 0.7, "overfit", "a gap of 0.290"),
    ],
)
def test_the_verdict_names_its_reason(curve: list[EpochRow], train_f1: float, val_f1: float, state: str, words: str) -> None:
    verdict = judge(curve, score(train_f1), score(val_f1), "speakers never heard in training", "more speakers")
    assert verdict.state == state
    assert words in verdict.reason
    assert f"{train_f1:.3f} on the training clips" in verdict.reason or "turned up" in verdict.reason
