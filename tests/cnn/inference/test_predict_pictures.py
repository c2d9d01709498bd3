"""Answers to picture files are those to the same pictures as tiles, in grey and in colour, raw and filtered."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

import arena.cli
from cnn.config import default_config
from cnn.overrides import override
from cnn.runs.folder import RunFolder
from cnn.tiles.tile_set import TileSet
from cnn.train.training_run import train
from support.pictures import draw_shapes, load_digit_pictures


def train_net(tiles: TileSet, runs: Path, variant: str) -> RunFolder:
    config = override(default_config(tiles.info, "lenet5", variant), ["train.epochs=1", "train.batch_size=16"])
    return train(config, tiles, runs)


@pytest.fixture(scope="module")
def grey_run(digit_tiles: TileSet, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return train_net(digit_tiles, tmp_path_factory.mktemp("grey"), "raw")


@pytest.fixture(scope="module")
def colour_run(colour_tiles: TileSet, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return train_net(colour_tiles, tmp_path_factory.mktemp("colour"), "bilateral")


def predict(*words: object) -> tuple[int, str, str]:
    ended = CliRunner().invoke(arena.cli.app, ["predict", *map(str, words), "--device", "cpu"])
    return ended.exit_code, ended.stdout, str(ended.exception or "") + ended.stderr


@pytest.mark.parametrize("name", ["grey", "colour"])
def test_files_are_answered_as_the_tiles_of_the_same_pictures(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    run: RunFolder = request.getfixturevalue(f"{name}_run")
    tiles: TileSet = request.getfixturevalue("digit_tiles" if name == "grey" else "colour_tiles")
    pictures, _ = load_digit_pictures(300) if name == "grey" else draw_shapes(120)
    test = [n for n, clip in enumerate(tiles.clips) if clip.part == "test"][:6]
    for n in test:
        Image.fromarray(pictures[n]).save(tmp_path / f"{n:03}.png")
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("")
    stored = {row.id: row for row in run.predictions()}
    code, output, said = predict(run.path, tmp_path, "--json")
    content = json.loads(output)
    assert code == 1
    assert f"no answer: {tmp_path}/broken.jpg is damaged, or no picture that is known" in said
    assert "1 file is not read: 1 .txt" in said
    assert [answer["file"] for answer in content["answers"]] == [f"{n:03}.png" for n in test]
    for answer, n in zip(content["answers"], test, strict=True):
        row = stored[tiles.clips[n].id]
        assert answer["class"] == row.label
        assert list(answer["probabilities"]) == list(tiles.data.labels)
        assert list(answer["probabilities"].values()) == pytest.approx(row.probabilities, abs=1e-5)
    (tmp_path / "broken.jpg").unlink()
    code, _, _ = predict(run.path, "--pictures", tmp_path, "--out", tmp_path / "answers.csv")
    assert code == 0
    with (tmp_path / "answers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["id"], row["label"]) for row in rows] == [(f"{n:03}", stored[tiles.clips[n].id].label) for n in test]


def test_one_picture_is_answered_in_a_table_and_sound_is_not_read(grey_run: RunFolder, tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), dtype=np.uint8)).save(tmp_path / "a.png")
    code, output, _ = predict(grey_run.path, tmp_path / "a.png")
    assert code == 0
    assert output.split("\n")[0].split() == ["file", "class", "probability", "second", "best", "probability"]
    (tmp_path / "sounds").mkdir()
    (tmp_path / "sounds" / "7.wav").write_bytes(b"RIFF")
    code, _, said = predict(grey_run.path, tmp_path / "sounds")
    assert code == 1
    assert "holds no picture that can be read, only 1 .wav; give the folder that holds the pictures" in said
