"""Updates and gradients in epochs.csv, and validations between updates in looks.csv: alone, in a group, after a kill."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from cnn.config import RunConfig, default_config
from cnn.overrides import override
from cnn.runs.folder import EpochRow, RunFolder
from cnn.runs.looks import LookRow, read_looks
from cnn.tiles.tile_set import TileSet
from cnn.train.fused.group import TrainingGroup
from cnn.train.trainer import Trainer
from cnn.train.training_run import Decision, SplitData, train

CPU = torch.device("cpu")
EVERY = 3  # of 5 updates an epoch: 3, 6, 9, 12, 15


def config(tiles: TileSet, *assignments: str) -> RunConfig:
    settings = ["train.epochs=3", "train.batch_size=25", f"train.looks_every={EVERY}", "train.side_views=0", *assignments]
    return override(default_config(tiles.info, "mlp", "raw"), settings)


@pytest.fixture(scope="module")
def whole(tiles: TileSet, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return train(config(tiles), tiles, tmp_path_factory.mktemp("whole"), device="cpu")


def pause_at(epoch: int) -> object:
    return lambda row: Decision.PAUSE if row.epoch == epoch else Decision.CONTINUE


def without_seconds(rows: list[LookRow]) -> list[LookRow]:
    return [replace(row, seconds=0.0) for row in rows]


def test_an_epoch_says_its_updates_and_the_mean_norm_of_its_gradients(tiles: TileSet, whole: RunFolder) -> None:
    assert [row.updates for row in whole.epochs()] == [5, 10, 15]
    single = config(tiles, "train.batch_size=0", "train.label_smoothing=0", "model.dropout=0")
    fit, clips = Trainer(single, CPU), SplitData(tiles, single, CPU).clips["train"]
    (batch, truth), *_ = clips.iterate_batches(0, [1], fit.inputs)
    F.cross_entropy(fit.net(batch), truth).backward()
    gradient = torch.cat([weight.grad.flatten() for weight in fit.net.parameters() if weight.grad is not None])
    assert fit.train_epoch(clips).gradient_norms == [pytest.approx(float(gradient.norm()), rel=1e-4)]


def test_looks_are_every_so_many_updates_whatever_the_epochs(whole: RunFolder) -> None:
    rows, epochs = read_looks(whole), whole.epochs()
    assert [row.updates for row in rows] == [3, 6, 9, 12, 15]
    assert [row.seconds for row in rows] == sorted(row.seconds for row in rows)
    assert rows[-1].seconds <= sum(row.seconds for row in epochs)
    assert (rows[-1].val_loss, rows[-1].val_macro_f1) == (epochs[-1].val_loss, epochs[-1].val_macro_f1)
    assert sum(row.train_loss for row in rows) / 5 == pytest.approx(sum(row.train_loss for row in epochs) / 3, rel=1e-5)


def test_looks_change_no_training_and_are_in_no_folder_that_has_none(tiles: TileSet, whole: RunFolder, tmp_path: Path) -> None:
    blind = train(config(tiles, "train.looks_every=0"), tiles, tmp_path, device="cpu")
    assert [replace(row, seconds=0) for row in blind.epochs()] == [replace(row, seconds=0) for row in whole.epochs()]
    assert (blind.path / "model.pt").read_bytes()[-64:] == (whole.path / "model.pt").read_bytes()[-64:]
    assert not (blind.path / "looks.csv").exists()
    assert read_looks(blind) == []


def test_looks_go_on_after_a_stop(tiles: TileSet, whole: RunFolder, tmp_path: Path) -> None:
    halted = train(config(tiles), tiles, tmp_path, device="cpu", on_epoch=pause_at(1))  # type: ignore[arg-type]
    assert [row.updates for row in read_looks(halted)] == [3]
    (halted.path / "looks.csv").unlink()  # a kill between checkpoint and table
    train(config(tiles), tiles, tmp_path, device="cpu")
    assert without_seconds(read_looks(halted)) == without_seconds(read_looks(whole))


def test_a_group_gives_each_member_its_own_looks_and_gradients(tiles: TileSet, whole: RunFolder, tmp_path: Path) -> None:
    other = config(tiles, "train.seed=4", "train.looks_every=5", "train.epochs=2")
    group = TrainingGroup(SplitData(tiles, other, CPU), tmp_path)
    for member in (config(tiles), other):
        assert group.join(member, lambda _row: Decision.CONTINUE) is None
    while len(group):
        group.run_epoch()
    folder, expected = RunFolder(tmp_path / whole.digest), whole.epochs()
    assert [row.updates for row in folder.epochs()] == [5, 10, 15]
    assert [row.gradient_norm for row in folder.epochs()] == pytest.approx([row.gradient_norm for row in expected], rel=0.01)
    for row, alone in zip(read_looks(folder), read_looks(whole), strict=True):
        assert row.updates == alone.updates
        assert (row.train_loss, row.val_loss) == pytest.approx((alone.train_loss, alone.val_loss), abs=0.01)
    assert [row.updates for row in read_looks(RunFolder(tmp_path / other.digest))] == [5, 10]


def test_a_table_of_old_has_no_updates_and_no_gradients(whole: RunFolder, tmp_path: Path) -> None:
    with (whole.path / "epochs.csv").open(newline="") as file:
        rows = [row[:-2] for row in csv.reader(file)]
    with (tmp_path / "epochs.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    expected: list[EpochRow] = [replace(row, updates=None, gradient_norm=None) for row in whole.epochs()]
    assert RunFolder(tmp_path).epochs() == expected
