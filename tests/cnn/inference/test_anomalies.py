"""Recordings that an autoencoder reconstructs worst, on the corpus card, beside the control."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from arena.cli import app
from cnn.config import default_config
from cnn.corpus.card import make_card
from cnn.corpus.scan import scan
from cnn.errors import RunError
from cnn.inference.anomalies import find_anomalies, find_autoencoder
from cnn.overrides import override
from cnn.reconstruction.anomalies import compute_auc
from cnn.reconstruction.result import read_reconstructions
from cnn.tiles.tile_set import TileSet
from cnn.train.training_run import train


def test_the_auc_is_scikit_learns_ties_included() -> None:
    generator = np.random.default_rng(0)
    faulty, others = generator.integers(0, 9, 30) / 10, generator.integers(0, 7, 50) / 10
    truth = [1] * 30 + [0] * 50
    assert compute_auc(faulty, others) == pytest.approx(roc_auc_score(truth, [*faulty, *others]))


def test_a_card_lists_the_worst_beside_the_control(tiles: TileSet, corpus_folder: Path, tmp_path: Path) -> None:
    words = ["model.width=0.25", "train.epochs=1", "model.depth=2", "model.latent=4"]
    run = train(override(default_config(tiles.info, "autoencoder", "raw"), words), tiles, tmp_path / "runs")
    found = find_anomalies(run, tiles.folder, "cpu")
    errors = sorted((row.error for row in read_reconstructions(run.path)), reverse=True)
    assert [row.error for row in found.worst] == errors[:10]
    assert (found.n, found.n_planted, found.n_others) == (200, 20, 60)
    assert 0 <= min(found.auc, found.pca_auc, found.random_auc) <= max(found.auc, found.pca_auc, found.random_auc) <= 1
    for lang, title in (("en", "Hardest to reconstruct"), ("es", "Las que peor se reconstruyen")):
        page = make_card(scan(corpus_folder), language=lang, anomalies=found).decode()
        assert title in page
        assert found.worst[0].id in page
    paths = ["--runs", str(tmp_path / "runs"), "--tiles", str(tiles.folder), "-o", str(tmp_path / "card.html"), "--json"]
    shown = CliRunner().invoke(app, ["data", "card", str(corpus_folder), "--autoencoder", run.digest, *paths])
    assert json.loads(shown.stdout)["anomalies"]["auc"] == found.auc
    with pytest.raises(RunError, match="was trained on other recordings than these"):
        find_autoencoder(run.digest, tmp_path / "runs", "0" * 16)
