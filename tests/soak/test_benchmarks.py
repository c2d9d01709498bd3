"""All benchmarks at a tiny size: every arm runs and equals its counterpart, so that none of it rots. No ratio is tested."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from benchmarks.bench import TINY, measure, page


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.filterwarnings("default::DeprecationWarning")
def test_every_arm_runs_and_equals_its_counterpart(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    findings, missing = measure(TINY, tmp_path)
    assert len(findings) + len(missing) == 14
    assert all(found.equality and found.ratio > 0 for found in findings)
    record_property("arms", len(findings))
    text = page(findings, ["conditions", *missing])
    assert text.count("\n| ") == len(findings) + 1
    assert multiprocessing.active_children() == []
