"""Trainings of the autoencoder: their errors beside PCA's, kill and resume, keys, commands that take no autoencoder."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch.nn import functional as F
from typer.testing import CliRunner

from arena.cli import app
from cnn.config import RunConfig, config_to_json, default_config
from cnn.errors import ConfigError, RunError
from cnn.inference.inspect import inspect_run
from cnn.models.registry import build_net
from cnn.overrides import config_from_dict, override
from cnn.project import choose_cells
from cnn.reconstruction.pca import compute_components
from cnn.reconstruction.result import PAIRS_NAME, read_reconstructions
from cnn.runs.folder import BLIND_PARTS, EpochRow, RunFolder, RunState
from cnn.runs.folds import EvaluationPlan, find_evaluations, make_arms
from cnn.runs.index import read_line
from cnn.runs.reference import find_run
from cnn.settings.data import DataSettings
from cnn.settings.model import model_defaults
from cnn.splits import make_split
from cnn.tiles.tile_set import TileSet
from cnn.train.training_run import Decision, complete_run, open_run, train
from sweeps.errors import StudyError
from sweeps.linting.lint import read_sweep
from sweeps.training.configuration import check_objective
from sweeps.training.fused_trials import explain_unfusable
from sweeps.training.trial import TrialContext

SMALL = ("model.width=0.5", "model.depth=2", "model.latent=4", "train.epochs=2")


def config(tiles: TileSet, *assignments: str, variant: str = "raw") -> RunConfig:
    return override(default_config(tiles.info, "autoencoder", variant), [*SMALL, *assignments])


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def run(tiles: TileSet, runs: Path) -> RunFolder:
    return train(config(tiles), tiles, runs)


@pytest.fixture(scope="module")
def noisy(tiles: TileSet, runs: Path) -> RunFolder:
    return train(config(tiles, "model.input=noisy", "train.epochs=3"), tiles, runs)


def test_frozen_layers_keep_their_weights_and_statistics(run: RunFolder, tiles: TileSet, tmp_path: Path) -> None:
    tuned = train(config(tiles, f"train.start={run.path}", "train.frozen=2", "train.epochs=1"), tiles, tmp_path)
    before, after = (torch.load(folder.path / "model.pt", weights_only=True) for folder in (run, tuned))
    still = {name for name, value in after.items() if torch.equal(value, before[name])}
    assert {name for name in after if name.startswith(("encoder.0.", "encoder.1."))} <= still
    assert not any(name.startswith("decoder.0.") for name in still)


def cells(tiles: TileSet, part: str) -> np.ndarray:
    split = make_split(tiles.clips, config(tiles).split)
    return (tiles.pictures("raw")[list(getattr(split, part))] / np.float32(255)).reshape(-1, 1024)


def numbers(run: RunFolder) -> tuple[object, ...]:
    """Everything of a finished run that must not depend on when and how it was trained."""
    result = run.result()
    assert result is not None
    rows = [replace(row, seconds=0.0).to_json() for row in run.epochs()]
    weights = torch.load(run.path / "model.pt", weights_only=True)
    sums = {name: value.sum().item() for name, value in weights.items()}
    return rows, read_reconstructions(run.path), result.reconstruction, result.best_epoch, sums


def test_errors_of_a_finished_run_are_those_of_its_table_and_pcas_are_scikit_learns(run: RunFolder, tiles: TileSet) -> None:
    result = run.result()
    assert result is not None
    assert result.reconstruction is not None
    assert {path.name for path in run.path.iterdir()} == {
        *(".lock", "config.json", "epochs.csv", "model.pt", "result.json", "reconstructions.csv", "reconstructions.npz"),
    }
    assert (result.scores, result.verdict, result.reconstruction.n_cells, result.reconstruction.compression) == (
        {},
        None,
        1024,
        256,
    )
    reference = PCA(4, svd_solver="full").fit(cells(tiles, "train"))
    for part, n in (("train", 120), ("val", 40), ("test", 40)):
        score = result.reconstruction.scores[part]
        rows = [row for row in read_reconstructions(run.path) if row.split == part]
        assert len(rows) == score.n == n
        assert score.mse == pytest.approx(np.mean([row.error for row in rows]), rel=1e-6)
        assert score.psnr_db == pytest.approx(-10 * math.log10(score.mse))
        rebuilt = reference.inverse_transform(reference.transform(cells(tiles, part))).clip(0, 1)
        assert score.pca_mse == pytest.approx(np.square(rebuilt - cells(tiles, part)).mean(), rel=1e-4)
        assert (score.input_mse, score.filter_mse) == (None, None)
    epochs = run.epochs()
    assert result.best_epoch == min(epochs, key=lambda row: row.val_loss).epoch
    assert result.reconstruction.scores["val"].mse == pytest.approx(epochs[result.best_epoch - 1].val_loss, rel=1e-6)
    assert epochs[-1].to_json()["val_macro_f1"] is None
    assert (run.path / "epochs.csv").read_text().splitlines()[1].split(",")[2:4] == ["", ""]


def test_a_run_that_is_paused_goes_on_to_the_same_numbers(noisy: RunFolder, tiles: TileSet, tmp_path: Path) -> None:
    chosen = config_from_dict(noisy.config())

    def stop(row: EpochRow) -> Decision:
        return Decision.PAUSE if row.epoch == 1 else Decision.CONTINUE

    with open_run(chosen, tiles, tmp_path, "cpu") as work:
        assert work is not None
        work.run(stop)
    assert RunFolder(tmp_path / chosen.digest).state() is RunState.UNFINISHED
    assert numbers(train(chosen, tiles, tmp_path)) == numbers(noisy)


def test_noise_and_half_size_are_scored_beside_what_needs_no_training(noisy: RunFolder, tiles: TileSet, runs: Path) -> None:
    result = noisy.result()
    assert result is not None
    assert result.reconstruction is not None
    score = result.reconstruction.scores["test"]
    assert score.input_mse is not None
    assert score.filter_mse is not None
    assert score.filter_mse < score.input_mse < 0.1**2  # noise is cut to 0..1
    half = train(config(tiles, "model.input=half"), tiles, runs).result()
    assert half is not None
    assert half.reconstruction is not None
    pictures = torch.from_numpy(cells(tiles, "test").reshape(-1, 1, 32, 32))
    enlarged = F.interpolate(F.avg_pool2d(pictures, 2), scale_factor=2, mode="bilinear", align_corners=False)
    expected = F.mse_loss(enlarged, pictures).item()
    assert half.reconstruction.scores["test"].input_mse == pytest.approx(expected, rel=1e-5)


def test_pairs_hold_a_tile_of_each_class(run: RunFolder, tiles: TileSet) -> None:
    with np.load(run.path / PAIRS_NAME, allow_pickle=False) as pairs:
        assert pairs["labels"].tolist() == [str(digit) for digit in range(10)]
        assert {name: pairs[name].shape for name in ("tiles", "inputs", "answers", "pca")} == dict.fromkeys(
            ("tiles", "inputs", "answers", "pca"), (10, 1, 32, 32)
        )
        index = [clip.id for clip in tiles.clips].index(pairs["ids"][3])
        assert (pairs["tiles"][3, 0] == tiles.pictures("raw")[index]).all()


def test_a_trial_is_given_its_test_part(run: RunFolder, tiles: TileSet, tmp_path: Path) -> None:
    chosen = config(tiles)
    with open_run(chosen, tiles, tmp_path, "cpu", BLIND_PARTS) as work:
        assert work is not None
        work.run(lambda _row: Decision.CONTINUE)
    folder = RunFolder(tmp_path / chosen.digest)
    assert not folder.is_whole
    assert numbers(complete_run(folder, tiles, "cpu")) == numbers(run)


@pytest.mark.parametrize("shape", [(60, 200), (400, 300)])
def test_components_are_scikit_learns_whole_and_by_a_sketch(shape: tuple[int, int]) -> None:
    generator = np.random.default_rng(0)
    data = (generator.random((shape[0], 12)) @ generator.random((12, shape[1])) / 12).astype(np.float32)
    data += generator.random(shape, dtype=np.float32) / 10
    reference = PCA(5, svd_solver="full").fit(data)
    rebuilt = reference.inverse_transform(reference.transform(data)).clip(0, 1)
    ours = compute_components(data, 5).reconstruct(data)
    assert np.square(ours - data).mean() == pytest.approx(np.square(rebuilt - data).mean(), rel=1e-3)


@pytest.mark.parametrize("size", [32, 64])
def test_the_net_takes_both_sizes_and_colour(size: int) -> None:
    settings = model_defaults("autoencoder", data=DataSettings(channels=3))
    for depth in (2, 4):
        net = build_net(replace(settings, depth=depth, width=0.25), size, 10)
        tiles = torch.rand(2, 3, size, size)
        answers = net(tiles)
        assert answers.shape == tiles.shape
        assert 0 <= answers.min() <= answers.max() <= 1


REFUSED = {
    "model.latent=0": "model.latent of the autoencoder lies between 1 and 1024",
    "model.input=blurred": "model.input is one of same, noisy, half",
    "model.noise=0.2": "model.noise=0.2 needs model.input=noisy, not 'same'; drop it or set that",
    "train.balance=weights": "an autoencoder sees no labels, so train.balance=weights is none of its; drop it",
    "train.loss=hinge": "an autoencoder's loss is the mean squared error, not train.loss=hinge; drop it",
    "variant=raw+aug": "an autoencoder's target is the tile itself, so variant is raw or bilateral, not raw+aug",
}


@pytest.mark.parametrize("assignment", REFUSED)
def test_what_an_autoencoder_has_no_use_for_is_refused(assignment: str, tiles: TileSet) -> None:
    with pytest.raises(ConfigError) as error:
        config(tiles, assignment)
    assert str(error.value).startswith(REFUSED[assignment])


def test_keys_of_an_autoencoder_are_refused_for_classifiers(tiles: TileSet) -> None:
    for assignment in ("model.latent=8", "model.input=half"):
        with pytest.raises(ConfigError) as error:
            override(default_config(tiles.info, "lenet5", "raw"), [assignment])
        assert str(error.value) == f"{assignment} needs model.name=autoencoder, not lenet5; drop it"


def test_commands_that_need_classes_refuse_it_by_one_line(run: RunFolder, tiles: TileSet) -> None:
    paths = ["--runs", str(run.path.parent), "--tiles", str(tiles.folder)]
    for words in (["predict", run.digest, *paths], ["export", run.digest, "--runs", str(run.path.parent)]):
        result = CliRunner().invoke(app, words, catch_exceptions=True)
        assert isinstance(result.exception, RunError)
        assert str(result.exception) == (
            f"{run.path} is an autoencoder, which answers with pictures and not with classes; "
            f"`arena inspect {run.digest}` shows its latent space, `arena report build` its reconstructions"
        )
    with pytest.raises(ConfigError, match="arena eval scores answers by macro-F1, and an autoencoder answers with pictures"):
        make_arms(EvaluationPlan(folds="loso", models=("autoencoder",), variants=("raw",)), tiles.info, 5)
    with pytest.raises(RunError, match="no run 'best'"):
        find_run("best", run.path.parent)
    assert find_evaluations(run.path.parent) == []


def test_all_never_trains_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from cnn.project import open_project

    monkeypatch.chdir(tmp_path)
    project = open_project()
    with pytest.raises(ConfigError, match="--all trains the nets that are compared by macro-F1"):
        choose_cells(project, ["autoencoder"], [], every=True)
    assert choose_cells(project, ["autoencoder"], [], every=False) == [("autoencoder", "raw")]


def test_lists_and_pages_show_its_errors(run: RunFolder, noisy: RunFolder, tiles: TileSet) -> None:
    result, line = run.result(), read_line(run)
    assert result is not None
    assert result.reconstruction is not None
    assert (line.val_macro_f1, line.val_mse) == (None, result.reconstruction.scores["val"].mse)
    folder = str(run.path.parent)
    listed = CliRunner().invoke(app, ["runs", "--runs", folder, "--sort", "val"], catch_exceptions=False)
    assert f"{line.val_mse:.5f}" in listed.stdout
    page = CliRunner().invoke(app, ["runs", "show", noisy.digest, "--runs", folder], catch_exceptions=False)
    assert "the bilateral filter 0.0" in page.stdout
    assert "1,024 cells as 4 numbers, a compression of 256 to 1; PCA of as many" in page.stdout.replace("\n            ", " ")
    assert "val F1" not in page.stdout
    facts = json.loads(CliRunner().invoke(app, ["runs", "show", run.digest, "--runs", folder, "--json"]).stdout)
    assert facts["reconstruction"]["scores"]["test"]["n"] == 40
    assert facts["curves"][0]["val_macro_f1"] is None


def test_an_inspection_places_the_latent_numbers(run: RunFolder, tiles: TileSet) -> None:
    inspection = inspect_run(run, tiles.folder, 4, "cpu", lambda *_: None)
    assert (inspection.n_placed, inspection.n_clips) == (40, 0)
    facts = json.loads((run.path / "inspection.json").read_text())
    assert (facts["embedding"]["n_features"], facts["embedding"]["layer"], facts["split"]) == (4, "decoder.0", "test")
    assert {truth for _, truth, _, _ in facts["embedding"]["clips"]} == set(map(str, range(10)))


def test_its_trials_are_trained_alone_and_by_a_loss(tiles: TileSet, tmp_path: Path) -> None:
    base = config_to_json(config(tiles))
    context = TrialContext(bases=(base,), tiles=tiles.folder, runs=tmp_path)
    assert explain_unfusable(context, {}) == "an autoencoder is trained alone, since fused nets answer with classes"
    check_objective(base, "val_loss")
    with pytest.raises(StudyError, match="an autoencoder has losses alone"):
        check_objective(base, "val_macro_f1")
    assert read_sweep("autoencoder").metric == "val_loss"
