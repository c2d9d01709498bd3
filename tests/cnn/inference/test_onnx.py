"""A run as ONNX: what onnxruntime says is what the trained net says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import soundfile
import torch

from cnn.cli.export import _read_samples
from cnn.config import RunConfig, TilesInfo, config_to_json, default_config
from cnn.corpus.audio import to_mono
from cnn.corpus.recordings import find_recordings
from cnn.errors import ConfigError, CorpusError, ModelError, RunError
from cnn.inference.onnx_export import Export, export_run, synthesise_clips, synthesise_pictures
from cnn.inference.onnx_file import OPSET
from cnn.inference.onnx_front_end import Bilateral, FrontEnd
from cnn.inference.predict import predict_recordings
from cnn.models.registry import build_net
from cnn.overrides import config_from_dict
from cnn.runs.folder import RunFolder
from cnn.settings.data import DataKind, DataSettings
from cnn.settings.model import ModelSettings, model_defaults
from cnn.settings.tiles import TileSettings
from cnn.settings.train import TrainSettings
from cnn.tiles.front_end import bilateral, compute_tile
from cnn.train.weights_file import dump_checksummed
from support.tones import RATE_HZ, tone

SMALL = TileSettings(size=32)
OTHER_HZ = 11_025


def write_run(folder: Path, model: ModelSettings, variant: str = "raw", side_views: int = 1) -> RunFolder:
    """A run folder as far as `export_run` reads it; weights and running means as they are after one look at noise."""
    config = RunConfig(corpus="c", tiles=SMALL, variant=variant, model=model, train=TrainSettings(side_views=side_views))
    return save_run(folder, config)


def save_run(folder: Path, config: RunConfig) -> RunFolder:
    run = RunFolder(folder / config.digest)
    run.path.mkdir(parents=True)
    run.write_config(config_to_json(config))
    torch.manual_seed(0)
    net = build_net(config.model, SMALL.size, config.data.n_classes)
    with torch.no_grad():
        net(torch.randn(16, config.data.channels, SMALL.size, SMALL.size))
    (run.path / "model.pt").write_bytes(dump_checksummed(net.state_dict()))
    return run


def tones(n: int) -> list[np.ndarray]:
    return [tone(index % 10, index % 5, index) for index in range(n)]


def answers(path: Path, clips: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Probabilities of each clip, asked one by one, each of its own length."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return [session.run(["probabilities"], {"samples": clip[None]})[0][0] for clip in clips]


EVERY_NET = """
import torch
from dataclasses import replace
from cnn.settings.model import model_defaults
from cnn.models.registry import build_net
from cnn.nets import NETS
class Every(torch.nn.Module):
    def __init__(self, settings, size, n_classes):
        super().__init__()
        kinds = [name for name, net in NETS.items() if net.is_classifier and (not net.spelling or name == "stack")]
        small = [replace(model_defaults(name), depth=NETS[name].depths[0], width=0.25) for name in kinds]
        self.nets = torch.nn.ModuleList(build_net(one, size, n_classes) for one in small)
    def forward(self, x):
        answers = [net(x) for net in self.nets]
        return torch.stack([answer if answer.ndim == 2 else answer.mean(1) for answer in answers]).mean(0)
"""


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, Path, Export]:
    """Every kind of net in one file, for a rate that is not the tiles': most of an export's time is not the nets'."""
    folder = tmp_path_factory.mktemp("every")
    (folder / "own.py").write_text(EVERY_NET)
    run = write_run(folder, model_defaults(f"{folder / 'own.py'}:Every"), "bilateral+aug", side_views=2)
    return run, folder / "model.onnx", export_run(run, folder / "model.onnx", OTHER_HZ, tones(20))


def test_every_net_says_in_onnxruntime_what_it_says_in_torch(every: tuple[RunFolder, Path, Export]) -> None:
    _, path, result = every
    assert result.net_difference < 1e-5
    assert result.n_cells <= 20
    assert (result.n_clips, result.n_labels, result.rate_hz) == (20, 0, OTHER_HZ)
    assert result.size_bytes == path.stat().st_size


def test_the_file_answers_recordings_of_any_length_as_predict_does(
    every: tuple[RunFolder, Path, Export], tmp_path: Path
) -> None:
    run, path, _ = every
    clips = [*tones(6), np.concatenate([np.zeros(9000, np.float32), tone(3, 1, 0)]), np.tile(tone(1, 1, 1), 4)]
    for index, clip in enumerate(clips):
        soundfile.write(tmp_path / f"clip{index}.wav", clip, OTHER_HZ, subtype="FLOAT")
    expected = predict_recordings(run, find_recordings(tmp_path), "cpu", lambda n: None).answers
    np.testing.assert_allclose(answers(path, clips), [answer.probabilities for answer in expected], atol=1e-3)


def test_silence_around_a_clip_changes_no_answer(every: tuple[RunFolder, Path, Export]) -> None:
    clip = tone(4, 2, 0)
    padded = np.pad(clip, (0, 5000))
    first, second = answers(every[1], [clip, padded])
    np.testing.assert_allclose(first, second, atol=1e-3)  # but for the echo of the last sample in the resampling filter


def test_the_file_says_what_it_is_and_nothing_of_the_machine_that_made_it(every: tuple[RunFolder, Path, Export]) -> None:
    run, path, _ = every
    model = onnx.load(path)
    onnx.checker.check_model(model)
    metadata = {item.key: item.value for item in model.metadata_props}
    assert json.loads(metadata["labels"]) == [str(digit) for digit in range(10)]
    assert (metadata["rate_hz"], metadata["run"], metadata["model"], metadata["variant"]) == (
        str(OTHER_HZ),
        run.digest,
        "Every",
        "bilateral+aug",
    )
    assert [json.loads(metadata["tiles"])[key] for key in ("size", "format")] == [32, 4]
    assert set(json.loads(metadata["versions"])) >= {"torch", "onnx", "onnxruntime"}
    assert [(entry.domain, entry.version) for entry in model.opset_import if entry.domain == ""] == [("", OPSET)]
    content = path.read_bytes()
    for trace in (str(Path.cwd()), "/site-packages/", "stack_trace", "forward(", ".py"):
        assert trace.encode() not in content


@pytest.mark.parametrize("diameter", [3, 5, 7])
def test_pictures_are_those_of_the_tiles_but_for_single_grey_levels(diameter: int) -> None:
    settings = TileSettings(bilateral_diameter=diameter)
    clips = [*tones(20), *synthesise_clips(8000)]
    clips += [np.clip(clip + offset, -1, 1) for clip, offset in zip(clips[:4], (0.05, -0.3, 0.6, 1e-3), strict=True)]
    batch = np.zeros((len(clips), max(map(len, clips))), dtype=np.float32)
    for row, clip in zip(batch, clips, strict=True):
        row[: len(clip)] = clip
    with torch.no_grad():
        raw = FrontEnd(settings, 8000, "raw")(torch.from_numpy(batch)).numpy()
        filtered = Bilateral(settings)(torch.from_numpy(raw).unsqueeze(1))[:, 0].numpy()
    tiles = np.stack([compute_tile(to_mono(clip[:, None]), 8000, settings) for clip in clips])
    smooth = np.stack([bilateral(tile, settings) for tile in raw.astype(np.uint8)])
    for result, expected in ((raw, tiles), (filtered, smooth)):
        apart = np.abs(result - expected)
        assert apart.max() <= 1
        assert (apart > 0).mean() < 1e-3


NUMPY_NET = """
import torch
class Branches(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.last = torch.nn.Linear(1, 10)
    def forward(self, x):
        mean = x.mean((1, 2, 3)).reshape(-1, 1)
        return self.last(mean if float(mean.sum()) > 0 else -mean)
"""


def test_a_net_that_onnx_cannot_hold_is_refused_in_one_line_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(NUMPY_NET)
    run = write_run(tmp_path, model_defaults(f"{tmp_path / 'own.py'}:Branches"))
    with pytest.raises(ModelError, match="Branches cannot be written as ONNX") as caught:
        export_run(run, tmp_path / "model.onnx", 0)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "model.onnx").exists()


RANDOM_NET = """
import torch
class Dice(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.last = torch.nn.Linear(32 * 32, 10)
    def forward(self, x):
        return self.last(torch.flatten(x, 1)) + torch.rand(x.shape[0], 10)
"""


def test_a_file_that_says_something_else_than_the_net_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(RANDOM_NET)
    run = write_run(tmp_path, model_defaults(f"{tmp_path / 'own.py'}:Dice"))
    with pytest.raises(RunError, match="says what the trained one says, and this one does not"):
        export_run(run, tmp_path / "model.onnx", 0)
    assert not (tmp_path / "model.onnx").exists()


def test_a_rate_that_no_microphone_has_is_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path, replace(model_defaults("lenet5"), width=0.25))
    assert config_from_dict(run.config()).tiles == SMALL
    with pytest.raises(ConfigError, match="--rate-hz lies between 4000 and 384000, not 100"):
        export_run(run, tmp_path / "model.onnx", 100)


def test_recordings_to_check_on_have_the_rate_that_the_file_takes(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(1, 1, 1), RATE_HZ)
    assert len(_read_samples(tmp_path, RATE_HZ)) == 1
    with pytest.raises(CorpusError, match="give --rate-hz 8000"):
        _read_samples(tmp_path, 16_000)


PICTURES = {1: ("disc", "frame", "ring"), 3: ("disc", "frame", "ring", "stripes")}


def write_picture_run(folder: Path, channels: int, normalise: str) -> RunFolder:
    levels = (0.3,) * channels
    data = DataSettings(
        kind=DataKind.PICTURES, labels=PICTURES[channels], channels=channels, side=28, mean=levels, spread=levels
    )
    model = replace(model_defaults("lenet5", data=data), width=0.25)
    tiles = TilesInfo(corpus="c", settings=SMALL, data=data)
    config = replace(default_config(tiles, "lenet5", "bilateral+aug"), model=model)
    return save_run(folder, replace(config, train=TrainSettings(side_views=1, normalise=normalise)))


@pytest.mark.parametrize(("channels", "normalise"), [(1, "none"), (3, "corpus")])
def test_a_net_of_pictures_takes_tiles_and_answers_as_it_does_in_torch(tmp_path: Path, channels: int, normalise: str) -> None:
    run = write_picture_run(tmp_path, channels, normalise)
    result = export_run(run, tmp_path / "model.onnx")
    assert result.net_difference < 1e-5
    assert (result.n_clips, result.n_labels, result.n_cells, result.rate_hz) == (12, 0, 0, 0)
    model = onnx.load(tmp_path / "model.onnx")
    (given,) = model.graph.input
    assert given.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    assert [size.dim_value for size in given.type.tensor_type.shape.dim][1:] == [channels, SMALL.size, SMALL.size]
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert (metadata["kind"], metadata["channels"], json.loads(metadata["labels"])) == (
        "pictures",
        str(channels),
        list(PICTURES[channels]),
    )
    assert "rate_hz" not in metadata
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
    tiles = synthesise_pictures(config_from_dict(run.config()))
    alone = session.run(["probabilities"], {"pictures": tiles[3:4]})[0]
    together = session.run(["probabilities"], {"pictures": tiles})[0]
    np.testing.assert_allclose(alone[0], together[3], atol=1e-6)


def test_a_rate_is_refused_for_a_net_of_pictures(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--rate-hz and --recordings are for nets of sound"):
        export_run(write_picture_run(tmp_path, 1, "bands"), tmp_path / "model.onnx", 8000)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("diameter", [3, 5, 9])
def test_pictures_are_filtered_as_their_tiles_were_up_to_the_corners(channels: int, diameter: int) -> None:
    settings = TileSettings(size=32, bilateral_diameter=diameter)
    noise = np.random.default_rng(0).integers(60, 180, (20, channels, 32, 32)).astype(np.uint8)
    with torch.no_grad():
        filtered = Bilateral(settings)(torch.from_numpy(noise).float()).numpy()
    planes = [bilateral(np.ascontiguousarray(tile.transpose(1, 2, 0)), settings).reshape(32, 32, -1) for tile in noise]
    apart = filtered != np.stack(planes).transpose(0, 3, 1, 2)
    assert apart.mean() < 1e-4
