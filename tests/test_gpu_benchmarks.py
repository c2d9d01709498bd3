"""The GPU's benchmark without one: what a step costs on paper, and every arm at a tiny size. No speed is tested."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch

from benchmarks.gpu.ceiling import H200, StepCost, count_step
from benchmarks.gpu.page import write_steps, write_whole
from benchmarks.gpu.steps import EAGER, GRAPH, Arm, StepsReport
from benchmarks.gpu.whole import WholeReport
from benchmarks.gpu_sweep import main
from cnn.config import RunConfig, TilesInfo, default_config
from cnn.overrides import override
from cnn.settings.tiles import TileSettings

B = 64
WAITS = {"aten::_local_scalar_dense", "aten::bincount", "aten::nonzero", "aten::item"}  # on a GPU


def configure_lenet5() -> RunConfig:
    """The paper's size: 8 and 16 maps, 62,582 weights."""
    settings = ["model.width=1", "model.sees=picture", "model.dropout=0"]
    return override(default_config(TilesInfo(corpus="corpus", settings=TileSettings(size=32)), "lenet5", "raw+aug"), settings)


def count_bytes(cost: StepCost) -> Counter[str]:
    sums: Counter[str] = Counter()
    for operation in cost.step:
        sums[operation.name.removeprefix("aten::")] += operation.n_bytes
    return sums


def test_a_step_of_lenet5_costs_what_is_counted_by_hand() -> None:
    cost = count_step(configure_lenet5(), 1)
    sums, n = count_bytes(cost), 62_582
    first = 4 * (B * 32 * 32 + 8 * 25 + B * 8 * 28 * 28)
    second = 4 * (B * 8 * 14 * 14 + 16 * 8 * 25 + B * 16 * 10 * 10)
    assert sums["convolution"] == first + second
    pooled = B * 8 * 14 * 14 + B * 16 * 5 * 5  # each with an index of eight bytes
    assert sums["max_pool2d_with_indices"] == 4 * (B * 8 * 28 * 28 + B * 16 * 10 * 10) + 12 * pooled
    assert (sums["lerp_"], sums["sqrt"], sums["addcdiv_"]) == (12 * n, 8 * n, 16 * n)
    n_multiply_adds = 784 * 200 + 100 * 3200 + 400 * 120 + 120 * 84 + 84 * 10
    assert cost.flops == 6 * B * n_multiply_adds
    assert cost.predict_eager_s(H200) == pytest.approx((len(cost.batch) + cost.n_kernels) * H200.launch_s)


def test_no_step_waits_for_the_gpu_and_kernels_do_not_grow_with_members() -> None:
    two, many = count_step(configure_lenet5(), 2), count_step(configure_lenet5(), 64)
    assert not WAITS & {operation.name for operation in (*two.batch, *two.step)}
    assert many.n_kernels == two.n_kernels
    assert many.n_bytes == pytest.approx(32 * two.n_bytes)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA GPU is here")
@pytest.mark.parametrize("command", ["steps", "whole"])
def test_without_a_gpu_one_line_says_so(command: str) -> None:
    with pytest.raises(SystemExit, match="no CUDA GPU is here, so nothing was measured; `--tiny` tries the command on the CPU"):
        main([command])


def test_every_arm_runs_at_a_tiny_size_and_equals_its_counterpart(tmp_path: Path) -> None:
    main(["steps", "--tiny", "--models", "lenet5", "--out", str(tmp_path / "steps.md")])
    text = (tmp_path / "steps.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| lenet5 | ")]
    assert [row[1] for row in rows] == [
        *("DataLoader loop, 0 workers", EAGER, GRAPH, "2 such graphs on 2 streams", "2 fused, grouped", "2 fused, products"),
        *("3 fused, grouped", "3 fused, products", "3 fused, grouped, bf16"),
    ]
    assert all(row[2].replace(",", "").isdigit() for row in rows)
    assert text.count("- equal results: lenet5") == 2


def report_steps(*rates: float) -> StepsReport:
    names = (EAGER, GRAPH, "64 fused, grouped", "64 fused, products")
    arms = [Arm(model="lenet5", name=name, run=int, rates=[rate]) for name, rate in zip(names, rates, strict=True)]
    return StepsReport(arms=arms, equalities=[], n_rounds=1, is_complete=False)


def test_floors_and_hopes_are_judged_by_the_fastest_of_so_many_members() -> None:
    text = write_steps(report_steps(100, 400, 1000, 1600), "a GPU", 1.0)
    assert "| lenet5, 64 or more fused, against resident, eager | 15 | 30 | 16.0 | pass |" in text
    assert "| lenet5, 64 or more fused, against one whole-step graph | 3 | 6 | 4.0 | pass |" in text
    assert "| resnet, 32 or more fused, against resident, eager | 8 | 15 |  | not measured |" in text
    assert "the time was over before all rounds were done" in text
    assert "| 14.0 | **miss** |" in write_steps(report_steps(100, 200, 1400, 900), "a GPU", 1.0)


@pytest.mark.parametrize(
    ("n_epochs", "seconds", "verdict"),
    [(10_240, 250.0, "pass, as hoped"), (10_240, 500.0, "**miss**"), (5120, 200.0, "pass, by extrapolation")],
)
def test_a_whole_sweep_is_judged_by_its_time_or_by_extrapolation(n_epochs: int, seconds: float, verdict: str) -> None:
    report = WholeReport(n_epochs=n_epochs, n_planned=10_240, n_trials=9, n_clips=24_000, seconds=seconds, ceiling_s=99.0)
    text = write_whole(report, "a GPU", seconds)
    assert text.endswith(f"| at most 480 s, hoped 300 s | {verdict} |\n")
    assert ("(measured)" in text) == (n_epochs == 10_240)
