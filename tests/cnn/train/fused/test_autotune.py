"""How many trainings are fused: as long as more of them are faster, and fit."""

from __future__ import annotations

import pytest
import torch

from cnn.config import RunConfig, default_config
from cnn.overrides import override
from cnn.tiles.tile_set import TileSet
from cnn.train.fused import autotune
from cnn.train.fused.autotune import FusionPlan, choose_fusion, measure_throughput
from cnn.train.fused.stacked_layers import Formulation
from cnn.train.trainer import Trainer
from cnn.train.training_run import SplitData


@pytest.fixture
def config(tiles: TileSet) -> RunConfig:
    settings = ["model.width=1", "train.batch_size=16"]
    return override(default_config(tiles.info, "lenet5", "raw"), settings)


@pytest.fixture
def material(tiles: TileSet, config: RunConfig) -> SplitData:
    return SplitData(tiles, config, torch.device("cpu"))


def speeds(monkeypatch: pytest.MonkeyPatch, rates: dict[int, float | Exception]) -> None:
    """What a device would do with so many members; products are a tenth faster."""

    def rate(fits: list[Trainer], _material: SplitData, formulation: Formulation = Formulation.GROUPED) -> float:
        found = rates[len(fits)]
        if isinstance(found, Exception):
            raise found
        return found * (1.1 if formulation is Formulation.PRODUCTS else 1.0)

    monkeypatch.setattr(autotune, "measure_throughput", rate)


@pytest.mark.parametrize(
    ("rates", "n_most", "n"),
    [
        ({1: 100, 2: 180, 4: 300, 8: 310}, 8, 4),  # 8 are hardly faster
        ({1: 100, 2: 180, 4: 300, 8: 310}, 3, 2),
        ({1: 100, 2: 90}, 8, 1),
        ({1: 100, 2: 180, 4: RuntimeError("CUDA out of memory")}, 8, 2),
    ],
)
def test_as_many_are_fused_as_still_pay(
    rates: dict[int, float | Exception],
    n_most: int,
    n: int,
    config: RunConfig,
    material: SplitData,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    speeds(monkeypatch, rates)
    expected = FusionPlan(n_members=n, formulation=Formulation.PRODUCTS if n > 1 else Formulation.GROUPED)
    assert choose_fusion(config, material, n_most, (2, 4, 8)) == expected


def test_another_error_is_not_taken_for_want_of_memory(
    config: RunConfig, material: SplitData, monkeypatch: pytest.MonkeyPatch
) -> None:
    speeds(monkeypatch, {1: 100, 2: RuntimeError("a fault of ours")})
    with pytest.raises(RuntimeError, match="a fault of ours"):
        choose_fusion(config, material, 8, (2,))


def test_clips_are_counted_over_all_members(config: RunConfig, material: SplitData) -> None:
    fits = [Trainer(config, material.device) for _ in range(2)]
    assert all(measure_throughput(fits, material, formulation) > 0 for formulation in Formulation)
