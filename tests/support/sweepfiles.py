"""Sweep files of the tests, and reading them."""

from __future__ import annotations

import pytest

from sweeps.errors import SweepFileError
from sweeps.linting.lint import check_sweep
from sweeps.sweepfile.sweep import Sweep, parse

GOOD = """\
method: bayes
metric: {name: val_macro_f1, goal: maximize}
parameters:
  train.learning_rate: {distribution: log_uniform_values, min: 0.001, max: 0.1}
"""


def read(text: str) -> Sweep:
    sweep = parse(text, "s.yaml")
    check_sweep(sweep)
    return sweep


def refusal(text: str) -> str:
    with pytest.raises(SweepFileError) as caught:
        read(text)
    return str(caught.value)


def with_parameter(lines: str) -> str:
    return f"method: random\nparameters:\n  {lines}\n"
