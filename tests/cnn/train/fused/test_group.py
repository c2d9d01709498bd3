"""Groups of trainings as one net: the runs that each would have been alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cnn.config import RunConfig, default_config
from cnn.errors import RunError
from cnn.overrides import override
from cnn.runs.folder import EpochRow, RunFolder, RunState
from cnn.tiles.tile_set import TileSet
from cnn.train.fused.group import MemberResult, Outcome, TrainingGroup
from cnn.train.fused.stack import compute_stack_key
from cnn.train.training_run import Decision, SplitData, train

CPU = torch.device("cpu")
DIFFERENT = (
    ["train.learning_rate=0.004", "train.weight_decay=0.3", "train.seed=1", "model.dropout=0.4"],
    ["train.label_smoothing=0.3", "train.schedule=linear", "train.warmup=0.4", "model.dropout=0"],
    ["augment.tract=0.3", "augment.noise_db=120", "augment.freq_width=12", "augment.shift=0", "train.seed=5"],
)


def config(tiles: TileSet, *overrides: str, model: str = "lenet5", variant: str = "raw+aug") -> RunConfig:
    settings = ["train.epochs=3", "model.width=1", "train.batch_size=16", "train.side_views=1", *overrides]
    return override(default_config(tiles.info, model, variant), settings)


def go_on(_row: EpochRow) -> Decision:
    return Decision.CONTINUE


def group_of(configs: list[RunConfig], tiles: TileSet, runs: Path) -> TrainingGroup:
    group = TrainingGroup(SplitData(tiles, configs[0], CPU), runs)
    for one in configs:
        assert group.join(one, go_on) is None
    return group


def all_epochs(group: TrainingGroup) -> list[MemberResult]:
    ended = []
    while len(group):
        ended += group.run_epoch()
    return ended


def assert_like(folder: RunFolder, alone: RunFolder, tolerance: float = 0.01) -> None:
    """The same run, but for rounding, which Adam magnifies: with two threads for one, a training alone moves as far, losses of
    LeNet-5 by 0.003 and of the residual net by 0.027 within 3 epochs (6 trainings, 2026-11)."""
    for row, other in zip(folder.epochs(), alone.epochs(), strict=True):
        assert (row.epoch, row.learning_rate) == (other.epoch, pytest.approx(other.learning_rate))
        assert row.train_loss == pytest.approx(other.train_loss, abs=tolerance)
        assert row.val_loss == pytest.approx(other.val_loss, abs=tolerance)
    result, other_result = folder.result(), alone.result()
    assert result is not None
    assert other_result is not None
    assert (result.state, result.n_epochs) == (other_result.state, other_result.n_epochs)
    if result.best_epoch == other_result.best_epoch:  # few clips validate, so that rounding may choose another epoch
        assert result.scores["test"].loss == pytest.approx(other_result.scores["test"].loss, abs=2 * tolerance)
    assert folder.config() == alone.config()


@pytest.mark.parametrize(("model", "variant", "tolerance"), [("lenet5", "raw+aug", 0.01), ("resnet", "bilateral", 0.08)])
def test_each_member_ends_as_if_it_had_trained_alone(
    tiles: TileSet, tmp_path: Path, model: str, variant: str, tolerance: float
) -> None:
    configs = [config(tiles, *own, model=model, variant=variant) for own in DIFFERENT]
    ended = all_epochs(group_of(configs, tiles, tmp_path / "fused"))
    assert [end.how for end in ended] == [Outcome.FINISHED] * 3
    for one in configs:
        assert_like(RunFolder(tmp_path / "fused" / one.digest), train(one, tiles, tmp_path / "alone", device="cpu"), tolerance)


def test_a_members_numbers_do_not_depend_on_its_neighbours(tiles: TileSet, tmp_path: Path) -> None:
    first, *others = [config(tiles, *own) for own in DIFFERENT]
    all_epochs(group_of([first, others[0]], tiles, tmp_path / "two"))
    all_epochs(group_of([*others, first], tiles, tmp_path / "three"))
    assert_like(RunFolder(tmp_path / "two" / first.digest), RunFolder(tmp_path / "three" / first.digest))


def test_a_member_that_diverges_fails_alone(tiles: TileSet, tmp_path: Path) -> None:
    good = config(tiles)
    wild = config(tiles, "train.learning_rate=10", "train.schedule=constant", "train.warmup=0", "train.epochs=9")
    good, wild = (override(one, ["train.optimizer=sgd"]) for one in (good, wild))
    ended = all_epochs(group_of([wild, good], tiles, tmp_path / "fused"))
    (failed,) = [end for end in ended if end.how is Outcome.FAILED]
    assert failed.config == wild
    assert isinstance(failed.error, RunError)
    assert re.search("loss became (nan|inf)", str(failed.error))
    assert failed.folder.state() is RunState.FAILED
    assert_like(RunFolder(tmp_path / "fused" / good.digest), train(good, tiles, tmp_path / "alone", device="cpu"))


def test_a_group_that_was_left_goes_on_alone_or_in_another_group(tiles: TileSet, tmp_path: Path) -> None:
    one, two = config(tiles, *DIFFERENT[0]), config(tiles, *DIFFERENT[1])
    group = group_of([one, two], tiles, tmp_path / "fused")
    assert group.run_epoch() == []
    assert [end.how for end in group.pause()] == [Outcome.PAUSED] * 2
    assert [len(RunFolder(tmp_path / "fused" / c.digest).epochs()) for c in (one, two)] == [1, 1]
    train(one, tiles, tmp_path / "fused", device="cpu")
    late = config(tiles, *DIFFERENT[2])
    again = group_of([two], tiles, tmp_path / "fused")
    assert again.run_epoch() == []
    assert again.join(late, go_on) is None  # its first epoch beside the other's third
    assert {end.config for end in all_epochs(again)} == {two, late}
    for c in (one, two, late):
        assert_like(RunFolder(tmp_path / "fused" / c.digest), train(c, tiles, tmp_path / "alone", device="cpu"))


def deciding(decision: Decision, at: int) -> Callable[[EpochRow], Decision]:
    return lambda row: decision if row.epoch == at else Decision.CONTINUE


def test_pruned_and_paused_members_leave_and_the_rest_goes_on(tiles: TileSet, tmp_path: Path) -> None:
    pruned, paused, last = (config(tiles, f"train.seed={seed}") for seed in range(3))
    group = TrainingGroup(SplitData(tiles, last, CPU), tmp_path)
    group.join(pruned, deciding(Decision.PRUNE, 1))
    group.join(paused, deciding(Decision.PAUSE, 2))
    group.join(last, go_on)
    assert [(end.config, end.how) for end in group.run_epoch()] == [(pruned, Outcome.PRUNED)]
    assert [(end.config, end.how) for end in group.run_epoch()] == [(paused, Outcome.PAUSED)]
    assert [(end.config, end.how) for end in group.run_epoch()] == [(last, Outcome.FINISHED)]
    states = [RunFolder(tmp_path / c.digest).state() for c in (pruned, paused, last)]
    assert states == [RunState.PRUNED, RunState.UNFINISHED, RunState.FINISHED]
    (again,) = [TrainingGroup(SplitData(tiles, last, CPU), tmp_path).join(last, go_on)]
    assert again is not None
    assert again.how is Outcome.FINISHED  # answered from its folder


def test_a_mould_holds_what_makes_shapes_and_nothing_else(tiles: TileSet) -> None:
    base = config(tiles)
    assert all(compute_stack_key(config(tiles, *own)) == compute_stack_key(base) for own in DIFFERENT)
    for other in ("train.batch_size=32", "model.depth=3", "model.width=2", "train.optimizer=sgd", "augment.freq_masks=2",
                  "split.seed=1", "model.activation=tanh", "train.side_views=0"):  # fmt: skip
        assert compute_stack_key(config(tiles, other)) != compute_stack_key(base), other
    assert compute_stack_key(replace(base, variant="raw")) != compute_stack_key(base)
