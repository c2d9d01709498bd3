"""Sentences on absent and rare digits."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from reports.facts.report import RunFacts, SplitFacts
from reports.reading.run import read_run
from reports.wording.digits import digits_sentence
from reports.wording.page_texts import texts
from support.report_facts import make_config, write_run


def make_split(confusion: np.ndarray) -> SplitFacts:
    rows = tuple(tuple(row) for row in confusion.tolist())
    return SplitFacts(n=0, loss=0.1, accuracy=0.5, macro_f1=0.5, f1=(0.5,) * 10, confusion=rows, speakers=())


@pytest.fixture
def run(tmp_path: Path) -> RunFacts:
    return read_run(write_run(tmp_path, "a" * 16, make_config("lenet5", "raw"))).facts


def test_nothing_is_said_of_digits_that_are_all_there_and_about_as_many(run: RunFacts) -> None:
    assert digits_sentence(run, texts("en")) == ""


def test_recall_of_rare_digits_stands_beside_that_of_the_others_and_the_balance(run: RunFacts) -> None:
    train = np.diag([100] * 7 + [20, 5, 0])
    test = np.diag([20] * 10)
    test[7] = [10, 0, 0, 0, 0, 0, 0, 10, 0, 0]
    test[8] = 0
    config = {**run.config, "train.balance": "weights"}
    skewed = dataclasses.replace(run, splits={"train": make_split(train), "test": make_split(test)}, config=config)
    assert digits_sentence(skewed, texts("en")) == (
        "Digit 9 is in none of the training clips: their macro-F1 is the mean over 9 digits. "
        "Digit 8 is in none of the test clips: their macro-F1 is the mean over 9 digits. "
        "Recall of rare digits in the test clips: 50.0\u202f% of 7 (trained on 20) and \u2013 of 8 (trained on 5); of the "
        "others, trained on up to 100, 100.0\u202f% on average. The loss weighed them more (train.balance=weights)."
    )
    assert "50.0\u202f% del 7 (entrenado con 20) y \u2013 del 8 (entrenado con 5)" in digits_sentence(skewed, texts("es"))
