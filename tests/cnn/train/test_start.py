"""Fine tuning: weights to begin with, layers that stay, and starts that are refused."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cnn.config import RunConfig, config_to_json, default_config
from cnn.errors import CnnError, ConfigError, RunError
from cnn.models.registry import build_net
from cnn.overrides import config_from_dict, override
from cnn.runs.folder import RunFolder
from cnn.runs.reference import resolve_start
from cnn.settings.model import model_defaults
from cnn.tiles.tile_set import TileSet
from cnn.train.fused.group import TrainingGroup
from cnn.train.start import group_layers, load_start
from cnn.train.trainers import make_trainer
from cnn.train.training_run import Decision, SplitData, train
from cnn.train.weights_file import load_checksummed
from support.nets import WRITTEN

CPU = torch.device("cpu")
SMALL = ("split.kind=official", "train.epochs=2", "train.side_views=0", "train.batch_size=60", "model.width=0.25")


def config(tiles: TileSet, *assignments: str, model: str = "resnet") -> RunConfig:
    return override(default_config(tiles.info, model, "raw"), [*SMALL, *assignments])


@pytest.fixture(scope="module")
def begun(digit_tiles: TileSet, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A finished small ResNet on digits."""
    return train(config(digit_tiles), digit_tiles, tmp_path_factory.mktemp("begun"))


def weights(run: RunFolder) -> dict[str, torch.Tensor]:
    return load_checksummed(run.path / "model.pt", CPU)


def refusal(tiles: TileSet, tmp_path: Path, *assignments: str, **options: str) -> str:
    with pytest.raises(CnnError) as caught:
        train(resolve_start(config(tiles, *assignments, **options), tmp_path), tiles, tmp_path)
    assert not list(tmp_path.glob("*/config.json")), "a refused start leaves no run"
    return str(caught.value)


def test_a_training_begins_with_the_weights_of_its_start(digit_tiles: TileSet, begun: RunFolder) -> None:
    chosen = config(digit_tiles, f"train.start={begun.path}", "train.seed=5")
    trainer = make_trainer(chosen, CPU)
    assert load_start(trainer.net, chosen) == ""
    assert all(torch.equal(value, weights(begun)[name]) for name, value in trainer.net.state_dict().items())
    fresh = make_trainer(config(digit_tiles, "train.seed=5"), CPU).score(SplitData(digit_tiles, chosen, CPU).clips["val"])[0]
    result = begun.result()
    assert result is not None
    assert trainer.score(SplitData(digit_tiles, chosen, CPU).clips["val"])[0] == result.scores["val"] != fresh


def test_the_digest_counts_what_the_start_is_and_not_where_it_lies(
    digit_tiles: TileSet, begun: RunFolder, tmp_path: Path
) -> None:
    there = tmp_path / "copied"
    shutil.copytree(begun.path, there)
    run, copy, file = (config(digit_tiles, f"train.start={path}") for path in (begun.path, there, there / "model.pt"))
    sha256 = hashlib.sha256((begun.path / "model.pt").read_bytes()).hexdigest()
    assert (run.train.start_digest, run.train.start_labels) == (sha256, digit_tiles.data.labels)
    assert run.digest == copy.digest == file.digest != config(digit_tiles).digest
    assert config_from_dict(config_to_json(run)) == run
    (there / "config.json").unlink()  # whose labels nobody says any more
    assert config(digit_tiles, f"train.start={there / 'model.pt'}").digest != run.digest
    (there / "model.pt").write_bytes((there / "model.pt").read_bytes() + b" ")
    assert config(digit_tiles, f"train.start={there / 'model.pt'}").train.start_digest != sha256
    frozen = override(run, ["train.frozen=2", "train.epochs=3"])
    assert frozen.train.start_digest == sha256, "other settings do not read the start again"


def test_a_run_is_a_start_by_any_name_that_it_has(digit_tiles: TileSet, begun: RunFolder) -> None:
    runs = begun.path.parent
    expected = config(digit_tiles, f"train.start={begun.path}")
    for name in (begun.digest, begun.digest[:6], "best", "latest", "resnet.raw"):
        assert resolve_start(config(digit_tiles, f"train.start={name}"), runs) == expected
    unresolved = config(digit_tiles, "train.start=nothing")
    with pytest.raises(ConfigError, match=r"train.start=nothing is no file of weights and no run of .*; `arena runs` lists"):
        resolve_start(unresolved, runs)
    with pytest.raises(
        ConfigError, match=r"train.start=nothing is no file of weights and no run's folder; the path is read from"
    ):
        _ = unresolved.digest


def test_frozen_layers_keep_their_weights_and_their_statistics(digit_tiles: TileSet, begun: RunFolder, tmp_path: Path) -> None:
    net = build_net(config(digit_tiles).model, 32, 10)
    groups = group_layers(net, torch.zeros(1, 1, 32, 32))
    frozen = {path for path, module in net.named_modules() for group in groups[:3] if module in group.modules}
    run = train(config(digit_tiles, f"train.start={begun.path}", "train.frozen=3"), digit_tiles, tmp_path)
    before, after = weights(begun), weights(run)
    same = {name for name, value in before.items() if torch.equal(value, after[name])}
    assert same == {name for name in before if name.rpartition(".")[0] in frozen}
    assert any(name.endswith("running_mean") for name in same)
    result, whole = run.result(), begun.result()
    assert result is not None
    assert whole is not None
    assert result.n_parameters == whole.n_parameters, "frozen layers are part of the net"


def test_as_many_frozen_layers_as_the_net_has_leave_nothing_to_train(
    digit_tiles: TileSet, begun: RunFolder, tmp_path: Path
) -> None:
    n = len(group_layers(build_net(config(digit_tiles).model, 32, 10), torch.zeros(1, 1, 32, 32)))
    message = refusal(digit_tiles, tmp_path, f"train.start={begun.path}", f"train.frozen={n}")
    assert message == (
        f"train.frozen={n} leaves nothing to train: resnet has {n} layers with weights; freeze {n - 1} at most "
        "(`arena models resnet --layers` lists them)"
    )
    with pytest.raises(ConfigError, match=r"train.frozen=1 needs train.start"):
        config(digit_tiles, "train.frozen=1")


def test_of_columns_the_first_layers_of_each_are_frozen_and_the_last_of_each_drawn_anew(
    digit_tiles: TileSet, tmp_path: Path
) -> None:
    begun = train(config(digit_tiles, model="columns"), digit_tiles, tmp_path)
    chosen = config(digit_tiles, f"train.start={begun.path}", "train.frozen=4", model="columns")
    frozen = {name for name, value in make_trainer(chosen, CPU).net.named_parameters() if not value.requires_grad}
    assert {name.rpartition(".")[0] for name in frozen if "blocks" in name or "stem" in name} == {
        "columns.1.stem.1",
        "columns.1.stem.2",
        *(f"columns.1.blocks.{layer}" for layer in ("0.body.0", "0.body.1", "0.body.3", "0.body.4", "1.body.0", "1.body.1")),
    }
    others = replace(chosen, data=replace(digit_tiles.data, labels=tuple("abcdefghij")))
    last = "columns.0.classifier.6, columns.1.head.3, columns.2.classifier.6"
    assert load_start(make_trainer(others, CPU).net, others) == (
        f"train.start={begun.path} is for 10 other labels: the last layer of each column, {last}, is drawn anew"
    )
    assert refusal(digit_tiles, tmp_path / "runs", f"train.start={begun.path}", "train.frozen=5", model="columns") == (
        "train.frozen=5 leaves nothing to train: a column of columns has 5 layers with weights; freeze 4 at most "
        "(`arena models columns --layers` lists them)"
    )


@pytest.mark.parametrize("name", WRITTEN)
def test_the_last_layer_that_is_counted_answers_and_every_weight_is_of_one(name: str) -> None:
    net = build_net(model_defaults(name), 64, 7)
    groups = group_layers(net, torch.zeros(1, 1, 64, 64))
    last = net.get_submodule(groups[-1].name)
    assert len(next(last.parameters())) == 7
    counted = [id(parameter) for group in groups for module in group.modules for parameter in module.parameters(recurse=False)]
    assert sorted(counted) == sorted(map(id, net.parameters()))


def test_a_last_layer_for_other_labels_is_drawn_anew(digit_tiles: TileSet, colour_tiles: TileSet, begun: RunFolder) -> None:
    others = replace(digit_tiles.data, labels=("a", "b", "c", "d", "e", "f", "g", "h", "i", "j"))
    chosen = replace(config(digit_tiles, f"train.start={begun.path}"), data=others)
    trainer = make_trainer(chosen, CPU)
    drawn = {name: value.clone() for name, value in trainer.net.state_dict().items()}
    last = group_layers(trainer.net, torch.zeros(1, 1, 32, 32))[-1].name
    assert (
        load_start(trainer.net, chosen)
        == f"train.start={begun.path} is for 10 other labels: the last layer, {last}, is drawn anew"
    )
    for name, value in trainer.net.state_dict().items():
        assert torch.equal(value, drawn[name] if name.startswith(f"{last}.") else weights(begun)[name]), name


def test_a_file_says_no_labels_and_its_last_layer_is_taken_where_it_fits(
    digit_tiles: TileSet, begun: RunFolder, tmp_path: Path
) -> None:
    file = tmp_path / "brought.pt"
    torch.save(weights(begun), file)
    chosen = config(digit_tiles, f"train.start={file}")
    trainer = make_trainer(chosen, CPU)
    assert load_start(trainer.net, chosen).endswith("says no labels: the last layer, head.3, is taken as it is")
    few = replace(chosen, data=replace(digit_tiles.data, labels=("a", "b")))
    assert load_start(make_trainer(few, CPU).net, few).endswith("is for 10 other labels: the last layer, head.3, is drawn anew")


def test_trainings_with_a_start_are_fused_to_the_same_curves(digit_tiles: TileSet, begun: RunFolder, tmp_path: Path) -> None:
    configs = [config(digit_tiles, f"train.start={begun.path}", f"train.learning_rate={rate}") for rate in (0.001, 0.01)]
    group = TrainingGroup(SplitData(digit_tiles, configs[0], CPU), tmp_path / "fused")
    for member in configs:
        group.join(member, lambda _row: Decision.CONTINUE)
    while len(group):
        group.run_epoch()
    for member in configs:
        fused = RunFolder(tmp_path / "fused" / member.digest).epochs()
        alone = train(member, digit_tiles, tmp_path / "alone").epochs()
        assert [row.val_loss for row in fused] == pytest.approx([row.val_loss for row in alone], rel=1e-3)


class Hostile:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch pwned",)


def test_starts_that_do_not_fit_are_refused_in_a_line(digit_tiles: TileSet, begun: RunFolder, tmp_path: Path) -> None:
    start = f"train.start={begun.path}"
    assert refusal(digit_tiles, tmp_path, start, model="lenet5").startswith(
        f"{start} holds the weights of another net than lenet5 ("
    )
    wide = refusal(digit_tiles, tmp_path, start, "model.width=0.5")
    assert wide.startswith(f"{start} does not fit: blocks.1.body.0.weight is 8x8x3x3 there and 16x8x3x3 here; choose the same")
    file = tmp_path / "hostile.pt"
    torch.save({"weight": Hostile()}, file)
    message = refusal(digit_tiles, tmp_path, f"train.start={file}")
    assert message.startswith(
        f"train.start={file} is no file of weights alone, as torch.save(net.state_dict(), path) writes it"
    )
    assert not Path("pwned").exists()
    for content in ([1, 2], {1: torch.zeros(2)}):
        torch.save(content, file)
        assert "holds no weights by name" in refusal(digit_tiles, tmp_path, f"train.start={file}")
    file.write_bytes(b"no weights")
    assert "is no file of weights alone" in refusal(digit_tiles, tmp_path, f"train.start={file}")


def test_a_start_that_has_seen_the_test_of_another_split_is_refused(
    digit_tiles: TileSet, begun: RunFolder, tmp_path: Path
) -> None:
    message = refusal(digit_tiles, tmp_path, f"train.start={begun.path}", "split.kind=random")
    assert "trained on these tiles by another split than this training has, so it may have seen what is tested here" in message
    other = replace(config(digit_tiles, f"train.start={begun.path}", "split.kind=random"), corpus="another")
    assert load_start(make_trainer(other, CPU).net, other) == ""


def test_a_start_that_has_gone_or_changed_is_told_from_a_run_that_has_begun(
    digit_tiles: TileSet, begun: RunFolder, tmp_path: Path
) -> None:
    start = tmp_path / "start"
    shutil.copytree(begun.path, start)
    chosen = config(digit_tiles, f"train.start={start}", "train.frozen=2")
    whole = train(chosen, digit_tiles, tmp_path / "whole")
    other = replace(chosen, train=replace(chosen.train, seed=9))
    paused = train(chosen, digit_tiles, tmp_path / "runs", on_epoch=lambda _row: Decision.PAUSE)
    content = (start / "model.pt").read_bytes()
    (start / "model.pt").write_bytes(content + b" ")
    with pytest.raises(RunError, match=r"has changed since this run was named; put it back, or type the command again"):
        train(other, digit_tiles, tmp_path / "runs")
    shutil.rmtree(start)
    with pytest.raises(RunError, match=r"is not there any more .* and this run has not begun; put it back, or choose another"):
        train(other, digit_tiles, tmp_path / "runs")
    typed = config(digit_tiles, f"train.start={start}", "train.frozen=2")
    again = train(resolve_start(typed, tmp_path / "runs"), digit_tiles, tmp_path / "runs")
    assert again == paused
    assert all(torch.equal(value, weights(whole)[name]) for name, value in weights(again).items())
    assert [row.val_loss for row in again.epochs()] == [row.val_loss for row in whole.epochs()]
