"""Evaluations: every number is scikit-learn's on the predictions of the run folders; asked again, nothing is trained."""

from __future__ import annotations

import csv
import json
import shutil
import statistics
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

import arena.cli
from arena.base.scores import Counts, speaker_interval
from cnn.errors import RunError, SplitError
from cnn.runs.evaluation import Evaluation, evaluate
from cnn.runs.folder import Prediction, RunFolder
from cnn.runs.folds import EvaluationPlan, check_folds, make_arms
from cnn.settings.data import DIGITS
from cnn.tiles.tile_set import TileSet
from cnn.train.training_run import train
from support import sklearn_reference as reference
from support.tones import SPEAKERS

SMALL = ("train.epochs=1", "train.batch_size=16")


def trained(tiles: TileSet, runs: Path, folds: str, on: str, n_seeds: int) -> list[list[RunFolder]]:
    plan = EvaluationPlan(folds=folds, n_seeds=n_seeds, on=on, overrides=SMALL)
    (arm,) = make_arms(plan, tiles.info, len(SPEAKERS))
    return [[train(config, tiles, runs) for config in seeds] for seeds in arm.configs]


@pytest.fixture(scope="module", params=["test", "validation"])
def evaluated(
    request: pytest.FixtureRequest, tiles: TileSet, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, list[list[RunFolder]], Evaluation]:
    runs = trained(tiles, tmp_path_factory.mktemp("runs"), "3", request.param, 2)
    return request.param, runs, evaluate(runs, request.param)


Evaluated = tuple[str, list[list[RunFolder]], Evaluation]


def read_rows(run: RunFolder, on: str) -> list[Prediction]:
    return [row for row in run.predictions() if row.split == {"test": "test", "validation": "val"}[on]]


def compute_f1(rows: list[Prediction]) -> float:
    truth, label = [row.truth for row in rows], [row.label for row in rows]
    return float(reference.f1_score(truth, label, labels=DIGITS, average="macro", zero_division=0))


def confusions(rows: list[Prediction]) -> Counts:
    truth, label = [row.truth for row in rows], [row.label for row in rows]
    counts: Counts = reference.confusion_matrix(truth, label, labels=DIGITS)
    return counts


def test_every_speaker_is_scored_once_by_nets_that_never_heard_them(evaluated: Evaluated) -> None:
    on, runs, scores = evaluated
    assert sorted(score.speaker for score in scores.speakers) == sorted(SPEAKERS)
    assert sorted(name for fold in scores.folds for name in fold.speakers) == sorted(SPEAKERS)
    assert (scores.on, scores.n_seeds, scores.n_clips) == (on, 2, 200)
    for fold, seeds in zip(scores.folds, runs, strict=True):
        for run in seeds:
            result = run.result()
            assert result is not None
            assert not set(fold.speakers) & set(result.speakers["train"])


def test_folds_and_their_mean_are_those_of_the_run_folders(evaluated: Evaluated) -> None:
    on, runs, scores = evaluated
    for fold, seeds in zip(scores.folds, runs, strict=True):
        assert fold.runs == tuple(run.digest for run in seeds)
        assert fold.by_seed == pytest.approx([compute_f1(read_rows(run, on)) for run in seeds], abs=1e-12)
        stated = [run.result().scores["test" if on == "test" else "val"].macro_f1 for run in seeds]  # type: ignore[union-attr]
        assert fold.by_seed == pytest.approx(stated, abs=1e-12)
        assert fold.macro_f1 == pytest.approx(statistics.mean(fold.by_seed))
        assert fold.n_clips == len(read_rows(seeds[0], on))
    means = [fold.macro_f1 for fold in scores.folds]
    assert scores.mean_macro_f1 == pytest.approx(statistics.mean(means))
    assert scores.fold_sd == pytest.approx(statistics.stdev(means))
    by_seed = [statistics.mean(fold.by_seed[seed] for fold in scores.folds) for seed in (0, 1)]
    assert scores.seed_sd == pytest.approx(statistics.stdev(by_seed))


def test_speakers_are_scored_on_their_own_clips_the_worst_first(evaluated: Evaluated) -> None:
    on, runs, scores = evaluated
    assert [score.macro_f1 for score in scores.speakers] == sorted(score.macro_f1 for score in scores.speakers)
    for score in scores.speakers:
        rows = [[row for row in read_rows(run, on) if row.speaker == score.speaker] for run in runs[score.fold]]
        assert score.by_seed == pytest.approx([compute_f1(part) for part in rows], abs=1e-12)
        recalls = [reference.recall_score([r.truth for r in part], [r.label for r in part], average="macro") for part in rows]
        assert score.recall == pytest.approx(statistics.mean(recalls), abs=1e-12)
        assert score.n_clips == len(rows[0])


def test_the_pooled_score_its_interval_and_the_confusions_are_of_all_clips(evaluated: Evaluated) -> None:
    on, runs, scores = evaluated
    pooled = [[row for seeds in runs for row in read_rows(seeds[seed], on)] for seed in (0, 1)]
    assert scores.pooled_macro_f1 == pytest.approx(statistics.mean(map(compute_f1, pooled)), abs=1e-12)
    counts = np.array([[confusions([r for r in rows if r.speaker == name]) for name in order(scores)] for rows in pooled])
    assert scores.interval == speaker_interval(counts)
    assert (scores.interval.n_units, scores.interval.n_replicates, scores.interval.level) == (5, 2000, 0.95)
    wrong = Counter((row.truth, row.label) for rows in pooled for row in rows if row.truth != row.label)
    assert [confused.n for confused in scores.confused] == sorted(wrong.values(), reverse=True)[:5]
    assert all(wrong[confused.truth, confused.predicted] == confused.n for confused in scores.confused)
    assert {confused.n_truth for confused in scores.confused} == {40}


def order(scores: Evaluation) -> list[str]:
    return [name for fold in scores.folds for name in fold.speakers]


def test_few_speakers_are_called_few(evaluated: Evaluated) -> None:
    assert "it is rough: with 5 speakers, fewer than 10, it comes out too narrow" in evaluated[2].notes


def test_what_was_not_asked_for_is_not_read(evaluated: Evaluated, tmp_path: Path) -> None:
    on, runs, scores = evaluated
    copies = [[RunFolder(Path(shutil.copytree(run.path, tmp_path / run.digest))) for run in seeds] for seeds in runs]
    for run in (run for seeds in copies for run in seeds):
        run.write_predictions(DIGITS, read_rows(run, on))
    assert evaluate(copies, on) == scores


def test_a_digit_that_nobody_in_a_fold_says_is_named(evaluated: Evaluated, tmp_path: Path) -> None:
    on, runs, _ = evaluated
    copies = [[RunFolder(Path(shutil.copytree(run.path, tmp_path / run.digest))) for run in seeds] for seeds in runs]
    for run in copies[1]:
        run.write_predictions(DIGITS, [row for row in read_rows(run, on) if row.truth not in "37"])
    scores = evaluate(copies, on)
    assert "digits 3, 7 are in none of the clips of fold 1: macro-F1 is the mean over 8 classes" in scores.notes
    for score in (score for score in scores.speakers if score.fold == 1):
        part = [[row for row in read_rows(run, on) if row.speaker == score.speaker] for run in copies[1]]
        names = [label for label in DIGITS if label not in "37"]
        expected = [
            reference.f1_score([r.truth for r in rows], [r.label for r in rows], labels=names, average="macro") for rows in part
        ]
        assert score.by_seed == pytest.approx(expected, abs=1e-12)


def test_validation_speakers_who_chose_the_epoch_are_called_optimistic(evaluated: Evaluated, tmp_path: Path) -> None:
    on, runs, scores = evaluated
    copies = [[RunFolder(Path(shutil.copytree(run.path, tmp_path / run.digest))) for run in seeds] for seeds in runs]
    result = copies[2][1].result()
    assert result is not None
    copies[2][1].write_result(replace(result, n_epochs=2))
    more = set(evaluate(copies, on).notes) - set(scores.notes)
    optimistic = {"these speakers also chose the epoch that was kept, so that their scores are a little optimistic"}
    assert more == (optimistic if on == "validation" else set())


def test_a_speaker_in_two_folds_is_refused(evaluated: Evaluated) -> None:
    on, runs, _ = evaluated
    with pytest.raises(RunError, match="a speaker is scored in two folds"):
        evaluate([runs[0], runs[0]], on)


def arena_eval(tiles: TileSet, runs: Path, *words: str) -> tuple[int, str, str]:
    wandb = () if "--wandb" in words else ("--wandb", "off")
    command = ["eval", "--tiles", str(tiles.folder), "--runs", str(runs), *wandb, *words, *SMALL]
    ended = CliRunner().invoke(arena.cli.app, command)
    if ended.exception and not isinstance(ended.exception, SystemExit):
        return 1, ended.stdout, str(ended.exception)
    return ended.exit_code, ended.stdout, ended.stderr


def test_the_command_leaves_each_speaker_out_and_answers_from_the_folders_when_asked_again(
    tiles: TileSet, tmp_path: Path
) -> None:
    runs, table = tmp_path / "runs", tmp_path / "table.csv"
    code, output, _ = arena_eval(tiles, runs, "--folds", "loso", "--json", "--device", "cpu")
    assert code == 0
    content = json.loads(output)
    assert (content["folds"], content["on"], len(list(runs.iterdir()))) == ("loso", "test", 5)
    (scores,) = content["evaluations"]
    assert (scores["model"], scores["variant"], len(scores["folds"]), scores["n_clips"]) == ("lenet5", "raw+aug", 5, 200)
    written = {path: path.stat().st_mtime_ns for path in runs.rglob("*.json")}
    code, output, messages = arena_eval(tiles, runs, "--folds", "loso", "--out", str(table), "--device", "cpu")
    assert code == 0
    assert {path: path.stat().st_mtime_ns for path in runs.rglob("*.json")} == written
    assert f"mean over folds  {scores['mean_macro_f1']:.3f}; standard deviation over folds {scores['fold_sd']:.3f}" in output
    assert f"worst speaker    {scores['speakers'][0]['speaker']} {scores['speakers'][0]['macro_f1']:.3f}" in output
    assert f"95% interval {scores['interval']['low']:.3f} to {scores['interval']['high']:.3f} (5 speakers drawn" in output
    assert "5 of 5 done" in messages
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [(row["speaker"], float(row["macro_f1"])) for row in rows] == [
        (score["speaker"], pytest.approx(score["macro_f1"], abs=1e-8)) for score in scores["speakers"]
    ]
    assert all((runs / row["run"]).is_dir() for row in rows)


def test_a_place_that_cannot_be_written_is_told_before_anything_is_trained(tiles: TileSet, tmp_path: Path) -> None:
    notes = tmp_path / "notes.csv"
    notes.write_text("speaker,macro_f1\n")
    runs = tmp_path / "runs"
    for out, reason in (
        (tmp_path / "nowhere" / "x.csv", f"{tmp_path / 'nowhere'} is no folder; make it, or name another place with --out"),
        (tmp_path, "it is a folder; name a file in it with --out"),
        (notes, "notes.csv is there and no table as this command writes it; move it, or name another file with --out"),
    ):
        code, output, messages = arena_eval(tiles, runs, "--out", str(out))
        assert (code, output) == (1, "")
        assert messages.endswith(reason)
    assert not runs.exists()


def test_a_table_is_written_after_it_is_printed_and_says_that_it_replaces_one(tiles: TileSet, tmp_path: Path) -> None:
    trained(tiles, tmp_path, "3", "test", 1)
    table = tmp_path / "table.csv"
    words = ("--folds", "3", "--device", "cpu", "--out", str(table))
    _, output, messages = arena_eval(tiles, tmp_path, *words)
    assert messages.endswith(f"{table}: a row for each speaker and seed\n")
    content = table.read_bytes()
    _, again, messages = arena_eval(tiles, tmp_path, *words)
    assert (again, table.read_bytes()) == (output, content)
    assert messages.endswith(f"{table}: a row for each speaker and seed, in place of those before\n")


def test_folds_that_the_speakers_cannot_give_are_refused_in_the_words_of_the_command(tiles: TileSet, tmp_path: Path) -> None:
    code, _, messages = arena_eval(tiles, tmp_path / "runs", "--folds", "becker")
    assert code == 1
    assert messages == (
        "--folds becker knows AudioMNIST's speakers 01 to 60 only, not ann, bob, cleo, dan, eve; use --folds loso or a number"
    )
    few = [SimpleNamespace(id=name, label="0", speaker=name, corpus="", is_sound=True) for name in ("ann", "bob")]
    (arm,) = make_arms(EvaluationPlan(folds="loso", on="validation"), tiles.info, 2)
    with pytest.raises(SplitError) as refused:
        check_folds([config for seeds in arm.configs for config in seeds], few)
    assert str(refused.value) == "a split by speaker needs at least 3 speakers, not 2 (ann, bob); record more people"
    sixty = [SimpleNamespace(id=name, label="0", speaker=name, corpus="", is_sound=True) for name in ("01", "02", "03")]
    (arm,) = make_arms(EvaluationPlan(folds="becker"), tiles.info, 3)
    with pytest.raises(SplitError, match=r"has only 01, 02, 03; use --folds loso or a number$"):
        check_folds([config for seeds in arm.configs for config in seeds], sixty)


def test_a_net_that_cannot_be_trained_is_refused_once_and_not_by_every_fold(tiles: TileSet, tmp_path: Path) -> None:
    net = tmp_path / "net.py"
    net.write_text("from torch import nn\nclass Net(nn.Module):\n    def forward(self, x):\n        return x\n")
    code, output, messages = arena_eval(tiles, tmp_path / "runs", "--folds", "loso", "--model", f"{net}:Net", "--device", "cpu")
    assert (code, output) == (1, "")
    assert messages == f"{net}: Net: no weights to train; give it layers such as nn.Conv2d or nn.Linear, made in __init__"
    assert not (tmp_path / "runs").exists()


def test_a_fold_that_fails_is_named_by_its_number_and_how_many_there_are(tiles: TileSet, tmp_path: Path) -> None:
    (arm,) = make_arms(EvaluationPlan(folds="3", overrides=SMALL), tiles.info, len(SPEAKERS))
    for (config,) in (arm.configs[0], arm.configs[2]):
        train(config, tiles, tmp_path)
    (tmp_path / arm.configs[1][0].digest).write_text("in the way")
    code, _, messages = arena_eval(tiles, tmp_path, "--folds", "3", "--device", "cpu")
    assert code == 1
    assert "lenet5 on raw+aug, fold 1 of 3" in messages


def test_several_arms_are_compared(tiles: TileSet, tmp_path: Path) -> None:
    plan = EvaluationPlan(folds="2", variants=("raw", "raw+aug"), overrides=SMALL)
    arms = make_arms(plan, tiles.info, len(SPEAKERS))
    runs = [[[train(config, tiles, tmp_path) for config in seeds] for seeds in arm.configs] for arm in arms]
    code, output, _ = arena_eval(tiles, tmp_path, "--folds", "2", "--variant", "raw", "--variant", "raw+aug", "--device", "cpu")
    assert code == 0
    assert "lenet5 on raw: 2 folds (groups of speakers), 1 seed, 200 test clips" in output
    last_rows = output.splitlines()[-3:]
    for arm, folders in zip(arms, runs, strict=True):
        scores = evaluate(folders, "test")
        (row,) = [line for line in last_rows if line.split()[:2] == [arm.model, arm.variant]]
        assert row.split()[2] == f"{scores.mean_macro_f1:.3f}"


def test_validation_speakers_are_reported_without_the_test_speakers(tiles: TileSet, tmp_path: Path) -> None:
    runs = trained(tiles, tmp_path, "3", "validation", 1)
    words = ("--folds", "3", "--split", "validation", "--device", "cpu")
    code, output, messages = arena_eval(tiles, tmp_path, *words)
    assert (code, "test" in output) == (0, False)
    assert "the test speakers were not looked at" in messages
    _, output, _ = arena_eval(tiles, tmp_path, *words, "--json")
    (scores,) = json.loads(output)["evaluations"]
    assert scores["mean_macro_f1"] == evaluate(runs, "validation").mean_macro_f1
    assert (scores["on"], '"test"' in output) == ("validation", False)
