"""The benchmarks at a tiny size: every arm runs and equals its counterpart, so that none of it rots. No ratio is tested."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
import torch

from benchmarks.arms import Comparison, UnequalError, compare, equal_within
from benchmarks.bench import TINY, machine, measure, page, slug
from benchmarks.make_corpus import Plan, write_speaker


@pytest.fixture(autouse=True)
def threads() -> None:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.mark.filterwarnings("default::DeprecationWarning")
def test_every_arm_runs_and_equals_its_counterpart(tmp_path: Path) -> None:
    findings, missing = measure(TINY, tmp_path)
    assert len(findings) + len(missing) == 14
    assert all(found.equality and found.ratio > 0 for found in findings)
    text = page(findings, ["conditions", *missing])
    assert text.count("\n| ") == len(findings) + 1
    assert multiprocessing.active_children() == []


def comparison(ours: list[float], theirs: list[float], log: list[str]) -> Comparison:
    def take(name: str, rates: list[float]) -> float:
        log.append(name)
        return rates.pop(0)

    return Comparison(
        name="this",
        against="that",
        unit="things",
        floor=2.0,
        ours=lambda: take("ours", ours),
        theirs=lambda: take("theirs", theirs),
        check=lambda: log.append("check") or "equal",
    )


def test_rounds_take_turns_and_give_medians_after_the_check() -> None:
    log: list[str] = []
    found = compare(comparison([30.0, 10.0, 20.0], [10.0, 10.0, 5.0], log), 3)
    assert log == ["check", "ours", "theirs", "theirs", "ours", "ours", "theirs"]
    assert (found.ours, found.theirs, found.ratio, found.least, found.greatest) == (20.0, 10.0, 3.0, 1.0, 4.0)
    assert found.holds


def test_a_floor_that_is_not_met_is_said() -> None:
    found = compare(comparison([10.0], [9.0], []), 1)
    assert not found.holds
    assert "| **1.1** (1.1 to 1.1) | 2, **not met** |" in page([found], [])


@pytest.mark.parametrize("values", [(1.0, 1.2), (1.0, float("nan")), (1.0, 1.0, 1.2)])
def test_unequal_results_are_refused(values: tuple[float, ...]) -> None:
    with pytest.raises(UnequalError, match=r"they differ by more than 0\.1"):
        equal_within("losses", values, 0.1)


def test_the_file_is_named_by_processor_and_cores() -> None:
    assert slug("AMD EPYC 7B13 (2.4 GHz), 2 cores") == "amd-epyc-7b13-2-4-ghz-2-cores"
    assert machine().endswith(" cores")


def test_a_made_corpus_has_every_digit_and_equal_bytes(tmp_path: Path) -> None:
    for name in "ab":
        write_speaker(Plan(out=tmp_path / name, sources={}, n_speakers=1, n_takes=2, rate_hz=48_000), 3)
    made = {path.name: path.read_bytes() for path in (tmp_path / "a" / "03").iterdir()}
    assert sorted(made) == sorted(f"{digit}_03_{take}.wav" for digit in range(10) for take in range(2))
    assert made == {path.name: path.read_bytes() for path in (tmp_path / "b" / "03").iterdir()}
    assert len(set(made.values())) == 20
