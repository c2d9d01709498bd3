"""k folds of pictures: groups drawn by class, the published test left alone, and words without speakers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import arena.cli
from arena.base.scores import clip_interval, macro_f1
from cnn.runs.evaluation import evaluate
from cnn.runs.folds import EvaluationPlan, find_evaluations, make_arms
from cnn.tiles.tile_set import TileSet
from cnn.train.training_run import train

SMALL = ("train.epochs=1", "model.depth=1")


def arena_eval(tiles: TileSet, runs: Path, *words: str) -> tuple[int, str, str]:
    command = [
        "eval",
        "--model",
        "mlp",
        "--variant",
        "raw",
        "--tiles",
        str(tiles.folder),
        "--runs",
        str(runs),
        "--wandb",
        "off",
        "--device",
        "cpu",
    ]
    ended = CliRunner().invoke(arena.cli.app, [*command, *words, *SMALL])
    return ended.exit_code, ended.stdout, str(ended.exception or "") + ended.stderr


def test_groups_of_pictures_test_once_each_and_the_published_test_sits_out(digit_tiles: TileSet, tmp_path: Path) -> None:
    plan = EvaluationPlan(folds="3", models=("mlp",), variants=("raw",), overrides=SMALL)
    (arm,) = make_arms(plan, digit_tiles.info, 0)
    for (config,) in arm.configs:
        train(config, digit_tiles, tmp_path / "runs")
    code, output, _ = arena_eval(digit_tiles, tmp_path / "runs", "--folds", "3")  # from the folders
    assert code == 0
    (folds,) = find_evaluations(tmp_path / "runs")
    scores = evaluate(folds.by_fold(), folds.on, folds.folds)
    assert folds.n_folds == 3
    assert scores.n_clips == sum(clip.part != "test" for clip in digit_tiles.clips)
    assert [score.speaker for score in sorted(scores.speakers, key=lambda s: s.fold)] == ["1", "2", "3"]
    rows = [row for runs in folds.by_fold() for run in runs for row in run.predictions() if row.split == "test"]
    labels = digit_tiles.data.labels
    confusion = np.zeros((10, 10), dtype=np.int64)
    for row in rows:
        confusion[labels.index(row.truth), labels.index(row.label)] += 1
    assert scores.pooled_macro_f1 == pytest.approx(macro_f1(confusion))
    assert scores.interval == clip_interval(confusion)
    assert output.startswith("mlp on raw: 3 folds (groups of pictures), 1 seed, 240 test pictures\n")
    assert "(240 pictures drawn with replacement, 2,000 times)" in " ".join(output.split())
    assert "speaker" not in output
    assert "digit" not in output


@pytest.mark.parametrize("folds", ["loso", "1", "101"])
def test_folds_that_need_speakers_are_refused_with_what_does_not(folds: str, digit_tiles: TileSet, tmp_path: Path) -> None:
    code, _, said = arena_eval(digit_tiles, tmp_path / "runs", "--folds", folds)
    assert code == 1
    rule = f"--folds is a number of groups of pictures, 2 to 100, not {folds!r}"
    assert f"{rule}; pictures have no speakers to hold out: --folds 5 is usual" in said
