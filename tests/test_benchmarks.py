"""The benchmarks at a tiny size: arms run and equal their counterparts, those that train in tests/soak. No ratio is tested."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest
import torch

from benchmarks.arms import Comparison, UnequalError, compare, equal_within
from benchmarks.bench import TINY, all_comparisons, machine, page, slug
from benchmarks.make_corpus import Plan, write_speaker
from benchmarks.scale import Cost, measure_cost
from benchmarks.scale import page as page_of_scale

N_QUICK = 5  # scoring and serving


@pytest.fixture(autouse=True)
def threads() -> None:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_arms_that_train_nothing_run_and_equal_their_counterparts(tmp_path: Path) -> None:
    findings = [compare(comparison, 1) for comparison in itertools.islice(all_comparisons(TINY, tmp_path, []), N_QUICK)]
    assert len({finding.comparison.name for finding in findings}) == N_QUICK
    assert all(finding.equality and finding.ratio > 0 for finding in findings)


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


def test_the_cost_of_a_command_has_its_childrens_processor_time_and_memory(tmp_path: Path) -> None:
    work = "import time; block = b'x' * 2**26; end = time.process_time() + 0.5\nwhile time.process_time() < end: pass"
    cost = measure_cost([sys.executable, "-c", work], tmp_path)
    assert cost.seconds >= 0.5
    assert cost.processor_s >= 0.5
    assert 64 < cost.peak_mib < 512


def test_more_memory_than_the_limit_is_said_in_the_record() -> None:
    lines = list(page_of_scale({"scan": Cost(seconds=12.4, processor_s=20.6, peak_mib=2049.0)}, ["2 cores"]))
    assert lines[2:] == [
        "- 2 cores",
        "",
        "| command | time | processor time | most memory (PSS) |",
        "|---|---|---|---|",
        "| scan | 12 s | 21 s | 2,049 MiB, **too much** |",
    ]
