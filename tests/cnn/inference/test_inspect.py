"""Files of `arena inspect`: maps of the right layers, Grad-CAM and occlusion as their formulas say, for every net."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from cnn.cli.inspect import app
from cnn.config import RunConfig, default_config
from cnn.errors import RunError, TilesError
from cnn.inference.inspect import ARRAYS_NAME, JSON_NAME, inspect_run
from cnn.inference.inspect_clips import choose_clips
from cnn.inference.saliency import compute_features, compute_maps, first_filters, grad_cam, map_layers, occlusion
from cnn.models.blocks import Differences
from cnn.models.registry import build_net
from cnn.runs.folder import Prediction, RunFolder, RunResult, RunState
from cnn.settings.model import model_defaults
from cnn.settings.train import TrainSettings
from cnn.tiles.tile_set import TileSet
from cnn.train.training_run import train
from support.nets import KINDS

PLUGIN = """
import torch
from torch import nn
class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 6, 3, padding=1)
        self.act, self.pool, self.out = nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Linear(6 * 64, 10)
    def forward(self, x):
        x = self.pool(self.act(self.one(x)))
        return self.out(torch.flatten(self.pool(self.act(self.two(x))), 1))
"""


def row(truth: int, label: int, speaker: str, sure: float, split: str = "test") -> Prediction:
    rest = (1 - sure) / 9
    shares = tuple(sure if k == label else rest for k in range(10))
    name = f"{truth}_{speaker}_{label}_{sure}"
    return Prediction(id=name, label=str(label), probabilities=shares, truth=str(truth), speaker=speaker, split=split)


@pytest.fixture(scope="module")
def run(tiles: TileSet, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    base = default_config(tiles.info, "lenet5", "bilateral")
    return train(replace(base, train=replace(base.train, epochs=1)), tiles, tmp_path_factory.mktemp("runs"), device="cpu")


def inspected(run: RunFolder, tiles: TileSet, n_clips: int = 4) -> tuple[dict[str, object], dict[str, np.ndarray]]:
    inspect_run(run, tiles.folder.parent, n_clips, "cpu", lambda *_: None)
    with np.load(run.path / ARRAYS_NAME, allow_pickle=False) as arrays:
        return json.loads((run.path / JSON_NAME).read_text()), dict(arrays)


def test_a_finished_run_is_looked_into(run: RunFolder, tiles: TileSet) -> None:
    facts, arrays = inspected(run, tiles)
    clips = facts["clips"]
    assert {clip["label"] == clip["truth"] for clip in clips} == {True, False}
    assert arrays["filters"].shape == (16 * 3, 5, 5)  # of the picture and its two differences
    assert [(one["n_bins"], one["n_channels"]) for one in facts["layers"]] == [(28, 16), (14, 16), (10, 32), (5, 32)]
    assert [arrays[f"maps_{n}"].shape for n in range(4)] == [(2, 8, side, side) for side in (28, 14, 10, 5)]
    assert {name: arrays[name].shape for name in ("cam_label", "cam_truth", "occlusion", "pictures")} == dict.fromkeys(
        ("cam_label", "cam_truth", "occlusion", "pictures"), (4, 32, 32)
    )
    index = [clip.id for clip in tiles.clips].index(clips[0]["id"])
    assert np.array_equal(arrays["pictures"][0], tiles.pictures("bilateral")[index])
    assert arrays["places"].shape == (len(facts["embedding"]["clips"]), 2)
    assert len(np.unique(arrays["places"], axis=0)) > 30
    assert sum((run.path / name).stat().st_size for name in (JSON_NAME, ARRAYS_NAME)) < 1_000_000


def test_the_same_question_gives_the_same_bytes_and_is_answered_from_the_folder(run: RunFolder, tiles: TileSet) -> None:
    inspected(run, tiles)
    before = (run.path / ARRAYS_NAME).read_bytes()
    again = inspect_run(run, tiles.folder, 4, "cpu", lambda *_: None)
    assert not again.is_new
    (run.path / ARRAYS_NAME).write_bytes(before[:-1])  # damaged: made anew
    assert inspect_run(run, tiles.folder, 4, "cpu", lambda *_: None).is_new
    assert (run.path / ARRAYS_NAME).read_bytes() == before
    assert inspect_run(run, tiles.folder, 2, "cpu", lambda *_: None).n_clips == 2


@pytest.mark.parametrize("name", KINDS)
def test_every_net_has_its_maps_and_attention(name: str) -> None:
    torch.manual_seed(0)
    net = build_net(model_defaults(name), 32, 10).eval()
    batch = torch.randn(2, 1, 32, 32)
    layers = map_layers(net, batch)
    assert bool(layers) == (first_filters(net) is not None) == (name not in ("mlp", "scratch"))
    assert len({(layer.n_bins, layer.n_frames) for layer in layers}) == len(layers) <= 6
    assert not any(isinstance(net.get_submodule(layer.name), Differences) for layer in layers)
    for layer, maps in zip(layers, compute_maps(net, batch, layers), strict=True):
        assert tuple(maps.shape) == (2, layer.n_channels, layer.n_bins, layer.n_frames)
    if layers:
        cam = grad_cam(net, batch, torch.tensor([3, 7]), layers[-1])
        assert cam.shape == (2, 32, 32)
        assert 0 <= cam.min() <= cam.max() <= 1
    assert compute_features(net, [batch]).values.shape[0] == 2
    assert torch.isfinite(occlusion(net, batch[:1], 3)).all()


class Still(nn.Module):
    """One convolution that hands its input on, then a linear layer that reads one corner for class 1."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 1, bias=False)
        self.conv.weight.data = torch.tensor([1.0, -1.0]).reshape(2, 1, 1, 1)
        self.act = nn.ReLU(inplace=True)
        self.out = nn.Linear(2 * 256, 10, bias=False)
        self.out.weight.data.zero_()
        self.out.weight.data.reshape(10, 2, 16, 16)[1, 0, :4, :4] = 3.0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.act(self.conv(x)).flatten(1))


def test_grad_cam_is_its_formula() -> None:
    """Weights: the mean gradient of class 1, 3 x 16 / 256 for the first channel and 0 for the second."""
    net, batch = Still().eval(), torch.rand(1, 1, 16, 16)
    (layer,) = map_layers(net, batch)
    assert layer.name == "act"
    cam = grad_cam(net, batch, torch.tensor([1]), layer)
    assert torch.allclose(cam[0], batch[0, 0] / batch.max())
    assert not grad_cam(net, batch, torch.tensor([5]), layer).any()


class Changed(Still):
    """The same, but the function that changes the map in place is no module."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(self.conv(x).relu_().flatten(1))


def test_grad_cam_is_the_same_where_a_map_is_changed_in_place() -> None:
    net, batch = Changed().eval(), torch.rand(1, 1, 16, 16)
    (layer,) = map_layers(net, batch)
    assert layer.name == "conv"
    assert torch.allclose(grad_cam(net, batch, torch.tensor([1]), layer)[0], batch[0, 0] / batch.max())
    assert torch.equal(compute_maps(net, batch, [layer])[0], torch.cat([batch, -batch], 1).relu())


def test_occlusion_finds_the_one_place_that_counts() -> None:
    net, picture = Still().eval(), torch.ones(1, 1, 16, 16) * 0.1
    falls = occlusion(net, picture, 1)
    assert falls[:4, :4].min() > 0.01
    assert falls[5:, 5:].abs().max() == 0
    with torch.no_grad():
        hidden = picture.clone()
        hidden[..., :2, :2] = 0
        expected = net(picture).softmax(1)[0, 1] - net(hidden).softmax(1)[0, 1]
    assert falls[0, 0] == pytest.approx(float(expected), rel=1e-5)  # one square alone hides the corner


def test_features_are_the_input_of_the_last_linear_layer() -> None:
    net, batch = Still().eval(), torch.rand(3, 1, 16, 16)
    result = compute_features(net, [batch[:2], batch[2:]])
    assert result.source == "out"
    assert torch.equal(result.values, torch.cat([batch, -batch], 1).relu().flatten(1))
    assert compute_features(nn.Flatten(), [batch]).source == ""


def test_mistakes_stand_beside_clips_heard_right() -> None:
    rows = [row(1, 9, "ann", 0.8), row(1, 9, "bob", 0.9), row(4, 5, "bob", 0.6), row(7, 7, "bob", 0.99)]
    rows += [row(1, 1, "ann", 0.95), row(1, 1, "bob", 0.7), row(4, 4, "ann", 0.5)]
    result = [(clip.truth, clip.label, clip.speaker) for clip in choose_clips(rows, 4)]
    assert result == [("1", "9", "bob"), ("1", "1", "bob"), ("4", "5", "bob"), ("4", "4", "ann")]
    assert len(choose_clips(rows, 6)) == 6
    assert [clip.truth for clip in choose_clips([row(k, k, "ann", 0.5 + k / 100) for k in range(10)], 3)] == ["9", "8", "7"]
    assert [clip.label for clip in choose_clips([row(3, 5, "ann", 0.9)], 4)] == ["5"]
    apart = [row(k, 9, "ann", 0.9) for k in range(5)] + [row(7, 7, "ann", 0.4)]
    assert [clip.truth for clip in choose_clips(apart, 4)] == ["0", "1", "2", "7"]


def test_a_teams_own_net_with_in_place_layers_is_looked_into(tiles: TileSet, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(PLUGIN)
    model = model_defaults(f"{tmp_path / 'own.py'}:Own")
    config = RunConfig(corpus=tiles.corpus, tiles=tiles.settings, model=model, train=TrainSettings(epochs=1))
    run = train(config, tiles, tmp_path / "runs", device="cpu")
    facts, arrays = inspected(run, tiles)
    assert [(one["name"], one["call"]) for one in facts["layers"]] == [("act", 0), ("act", 1), ("pool", 1)]
    assert arrays["cam_label"].max() > 0
    assert facts["embedding"]["layer"] == "out"


@pytest.mark.parametrize("depth", [1, 2])
def test_what_single_columns_show_is_noted_where_several_vote(depth: int, tiles: TileSet, tmp_path: Path) -> None:
    base = default_config(tiles.info, "columns", "raw")
    model = replace(base.model, depth=depth, width=0.25)
    run = train(replace(base, model=model, train=replace(base.train, epochs=1)), tiles, tmp_path, device="cpu")
    facts, _ = inspected(run, tiles)
    assert facts["n_columns"] == depth
    assert len(facts["notes"]) == depth - 1


def test_a_net_without_convolutions_says_so(tiles: TileSet, tmp_path: Path) -> None:
    base = default_config(tiles.info, "mlp", "raw")
    run = train(replace(base, train=replace(base.train, epochs=1)), tiles, tmp_path, device="cpu")
    facts, arrays = inspected(run, tiles)
    assert facts["notes"] == ["a net without Conv2d has no filters, no maps and no Grad-CAM; the rest is there"]
    assert sorted(arrays) == ["occlusion", "pictures", "places"]


def test_mistakes_are_one_line(run: RunFolder, tiles: TileSet, tmp_path: Path) -> None:
    runner = CliRunner()
    folder = RunFolder(tmp_path / "runs" / "ab12")
    folder.path.mkdir(parents=True)
    folder.write_config(run.config())
    arguments = ["--runs", str(tmp_path / "runs"), "--tiles", str(tiles.folder)]
    result = runner.invoke(app, ["ab12", *arguments])
    assert isinstance(result.exception, RunError)
    assert "is unfinished; only a finished run" in str(result.exception)
    result = runner.invoke(app, arguments)
    assert str(result.exception) == f"no finished training in {tmp_path / 'runs'}; train with `arena train --all`"
    folder.write_result(RunResult(state=RunState.FAILED, cause="x"))
    assert isinstance(runner.invoke(app, ["ab12", *arguments]).exception, RunError)
    other = inspect_other_tiles(run, tmp_path)
    assert "name those with --tiles" in other or "no tiles in" in other
    assert runner.invoke(app, [str(run.path), "--n-clips", "1"]).exit_code == 2


def inspect_other_tiles(run: RunFolder, empty: Path) -> str:
    for name in (JSON_NAME, ARRAYS_NAME):
        (run.path / name).unlink(missing_ok=True)
    with pytest.raises(TilesError) as caught:
        inspect_run(run, empty, 4, "cpu", lambda *_: None)
    return str(caught.value)


def test_the_command_inspects_all_and_prints_a_line_each(run: RunFolder, tiles: TileSet) -> None:
    arguments = ["--runs", str(run.path.parent), "--tiles", str(tiles.folder), "--n-clips", "2"]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert f"{run.digest}   lenet5   bilateral" in result.stdout
    plain = json.loads(CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False).stdout)
    assert (plain[0]["n_clips"], plain[0]["is_new"]) == (2, False)
