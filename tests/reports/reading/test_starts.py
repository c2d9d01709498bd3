"""Trainings with a start beside those without, against scikit-learn's macro-F1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cnn.runs.folder import list_runs
from reports.page.render import render_report
from reports.reading.gather import Sources, gather_facts
from reports.reading.starts import read_starts
from support.report_facts import make_config, write_run


def with_start(config: dict[str, Any], path: str, **train: object) -> dict[str, Any]:
    return {**config, "train": {**config["train"], "start": path, "start_digest": "ab" * 32, **train}}


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Two seeds without a start and with one, one seed with frozen layers, and a start whose like nobody trained."""
    for number, seed in enumerate((0, 1), start=0xA0):
        config = make_config("lenet5", "raw", train__seed=seed)
        write_run(tmp_path, f"{number:016x}", config, seed=number)
        write_run(tmp_path, f"{number + 16:016x}", with_start(config, "runs/mnist"), seed=number + 16)
    write_run(tmp_path, f"{0xC0:016x}", with_start(make_config("lenet5", "raw"), "far/away.pt", frozen=2), seed=7)
    write_run(tmp_path, f"{0xD0:016x}", with_start(make_config("lenet5", "bilateral"), "runs/mnist"), seed=8)
    return tmp_path


def test_trainings_with_a_start_stand_beside_their_like_without(runs: Path) -> None:
    whole, frozen = sorted(read_starts(runs), key=lambda facts: facts.n_frozen)
    assert (whole.model, whole.variant, whole.start, whole.n_frozen, whole.n_seeds) == ("lenet5", "raw", "mnist", 0, 2)
    assert (frozen.start, frozen.n_frozen, frozen.n_seeds) == ("away.pt", 2, 1)
    stated = {
        run.digest: result.scores["test"].macro_f1 for run in list_runs(runs) if (result := run.result())
    }  # scikit-learn's
    assert whole.with_start == pytest.approx((stated[f"{0xB0:016x}"] + stated[f"{0xB1:016x}"]) / 2)
    assert whole.without == pytest.approx((stated[f"{0xA0:016x}"] + stated[f"{0xA1:016x}"]) / 2)
    assert whole.difference.value == pytest.approx(whole.with_start - whole.without)
    assert whole.difference.interval.low <= whole.difference.value <= whole.difference.interval.high


def test_the_page_has_their_table_in_both_languages_and_none_without_them(runs: Path, tmp_path: Path) -> None:
    page = render_report(gather_facts(Sources(runs=runs))).decode()
    assert "With and without a start" in page
    assert "<code>mnist</code>" in page
    spanish = render_report(gather_facts(Sources(runs=runs, lang="es"))).decode()
    assert "Con y sin pesos de partida" in spanish
    others = tmp_path / "others"
    write_run(others, f"{0xA0:016x}", make_config("lenet5", "raw"))
    assert "With and without a start" not in render_report(gather_facts(Sources(runs=others))).decode()
