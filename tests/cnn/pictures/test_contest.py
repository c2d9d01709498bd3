"""A contest whose labels are names of classes: solution, submission and score from a run on pictures, end to end."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import arena.cli
from cnn.config import default_config
from cnn.overrides import override
from cnn.pictures.arrays import write_picture_tiles
from cnn.train.training_run import train
from support.pictures import deal_parts, load_digit_pictures

NAMES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


def run(*words: object) -> str:
    ended = CliRunner().invoke(arena.cli.app, [*map(str, words)])
    assert ended.exit_code == 0, ended.output + str(ended.exception)
    return ended.stdout


def test_a_run_on_clothes_is_scored_by_a_contest_as_it_scored_itself(tmp_path: Path) -> None:
    pictures, labels = load_digit_pictures(300)
    names = [NAMES[int(label)] for label in labels]
    tiles = write_picture_tiles(pictures, names, deal_parts(300), tmp_path / "tiles", "clothes")
    config = override(default_config(tiles.info, "lenet5", "raw"), ["train.epochs=2", "train.batch_size=16"])
    trained = train(config, tiles, tmp_path / "runs")
    run("data", "solution", "--tiles", tmp_path / "tiles", "--out", tmp_path / "solution.csv")
    with (tmp_path / "solution.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["label"] for row in rows} == set(NAMES)
    assert list(rows[0]) == ["id", "label"]  # no speakers, so no groups
    run("predict", trained.path, "--out", tmp_path / "answers.csv", "--tiles", tmp_path / "tiles")
    contest = ("--contest", tmp_path / "contest.db")
    run("contest", "init", tmp_path / "solution.csv", "--name", "Clothes", *contest)
    run("contest", "team", "add", "Alpha", *contest)
    run("contest", "submit", tmp_path / "answers.csv", "--team", "Alpha", *contest)
    (line,) = json.loads(run("contest", "standings", "--json", *contest))
    result = trained.result()
    assert result is not None
    assert line["macro_f1"] == pytest.approx(result.scores["test"].macro_f1, abs=0.0051)  # public scores are rounded
