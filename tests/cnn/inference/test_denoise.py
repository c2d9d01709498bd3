"""Denoised tiles: made by an autoencoder of noisy tiles, for trainings on its own split alone."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from arena.cli import app
from cnn.config import VARIANTS, RunConfig, default_config
from cnn.errors import ConfigError, RunError
from cnn.inference.predict import load_net, predict_recordings
from cnn.overrides import config_from_dict, override
from cnn.runs.folder import RunFolder
from cnn.tiles.tile_set import TileSet, open_tiles
from cnn.train.training_run import train

SMALL = ("model.width=0.25", "train.epochs=1")


def config(tiles: TileSet, model: str, variant: str, *assignments: str) -> RunConfig:
    return override(default_config(tiles.info, model, variant), [*SMALL, *assignments])


@pytest.fixture(scope="module")
def folder(tiles: TileSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tiles that may be denoised, in a folder with runs."""
    path = tmp_path_factory.mktemp("denoise")
    shutil.copytree(tiles.folder, path / "tiles" / tiles.folder.name)
    return path


@pytest.fixture(scope="module")
def denoiser(tiles: TileSet, folder: Path) -> RunFolder:
    """A denoising autoencoder, whose tiles are made."""
    run = train(config(tiles, "autoencoder", "raw", "model.input=noisy"), tiles, folder / "runs")
    words = ["data", "denoise", run.digest, "--runs", str(folder / "runs"), "--tiles", str(folder / "tiles"), "--json"]
    made = json.loads(CliRunner().invoke(app, words, catch_exceptions=False).stdout)
    assert (made["n_clips"], made["run"]) == (200, str(run.path))
    return run


@pytest.fixture
def denoised(denoiser: RunFolder, folder: Path, tiles: TileSet) -> TileSet:
    return open_tiles(folder / "tiles" / tiles.folder.name)


def test_denoised_tiles_are_what_the_net_makes_of_the_raw_ones(denoiser: RunFolder, denoised: TileSet) -> None:
    _, net = load_net(denoiser, torch.device("cpu"))
    raw = torch.from_numpy(np.array(denoised.pictures("raw")[:5])).unsqueeze(1)
    with torch.no_grad():
        expected = (net(raw / 255) * 255).round().byte()[:, 0].numpy()
    made = denoised.pictures("denoised")
    assert made.shape == denoised.shape
    assert np.abs(made[:5].astype(int) - expected).max() <= 1


def test_a_training_on_them_counts_their_autoencoder_and_others_do_not(
    denoiser: RunFolder, denoised: TileSet, tiles: TileSet, folder: Path
) -> None:
    for variant in VARIANTS:
        assert config(denoised, "lenet5", variant).digest == config(tiles, "lenet5", variant).digest
    chosen = config(denoised, "lenet5", "denoised+aug")
    assert chosen.denoiser == denoiser.digest
    assert replace(chosen, denoiser="0" * 16).digest != chosen.digest
    run = train(chosen, denoised, folder / "runs")
    result = run.result()
    assert result is not None
    assert result.scores["test"].n == 40
    assert config_from_dict(run.config()) == chosen
    with pytest.raises(RunError, match="takes denoised tiles, which `arena data denoise` makes of a whole corpus"):
        predict_recordings(run, [], "cpu", lambda *_: None)


def test_without_them_or_on_another_split_a_training_is_refused(denoised: TileSet, tiles: TileSet, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="variant denoised needs tiles that are denoised: make them with `arena data denoise"):
        config(tiles, "lenet5", "denoised")
    leaking = config(denoised, "lenet5", "denoised", "split.seed=1")
    with pytest.raises(ConfigError, match="it may have seen the clips that are tested here, a leak; train on its split"):
        train(leaking, denoised, tmp_path)
    other = replace(config(denoised, "lenet5", "denoised"), denoiser="0" * 16)
    with pytest.raises(ConfigError, match="make them with `arena data denoise 0000000000000000`"):
        train(other, denoised, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_only_an_autoencoder_of_noisy_raw_tiles_denoises(tiles: TileSet, folder: Path) -> None:
    plain = train(config(tiles, "autoencoder", "raw"), tiles, folder / "runs")
    words = ["data", "denoise", plain.digest, "--runs", str(folder / "runs"), "--tiles", str(folder / "tiles")]
    error = CliRunner().invoke(app, words).exception
    assert str(error) == (
        f"tiles are denoised by an autoencoder of raw tiles with noise, and {plain.path} is an autoencoder on raw "
        "with model.input=same; train one with `arena train --model autoencoder model.input=noisy`"
    )
