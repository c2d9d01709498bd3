"""The section on autoencoders: where they are stronger than PCA, denoising, tiles and latent space, in both languages."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from cnn.config import default_config
from cnn.inference.inspect import inspect_run
from cnn.overrides import override
from cnn.tiles.tile_set import TileSet
from cnn.train.training_run import train
from reports.facts.autoencoders import AutoencoderFacts, ErrorFacts
from reports.facts.report import ReportFacts
from reports.page.render import render_report
from reports.reading.gather import Sources, gather_facts
from reports.wording.autoencoders import describe_autoencoders
from reports.wording.page_texts import texts

SMALL = ["model.width=0.25", "train.epochs=1", "model.depth=2"]


@pytest.fixture(scope="module")
def runs(tiles: TileSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two autoencoders, one of them inspected, and a classifier."""
    folder = tmp_path_factory.mktemp("runs")
    for words in (["model.latent=4"], ["model.latent=4", "model.input=noisy"]):
        run = train(override(default_config(tiles.info, "autoencoder", "raw"), [*SMALL, *words]), tiles, folder)
    inspect_run(run, tiles.folder, 2, "cpu", lambda *_: None)
    train(override(default_config(tiles.info, "lenet5", "raw"), SMALL), tiles, folder)
    return folder


def gather(runs: Path, lang: str) -> ReportFacts:
    return gather_facts(Sources(runs=runs, lang=lang))


def test_the_section_stands_beside_the_classifiers_in_both_languages(runs: Path) -> None:
    for lang, heading, prototype in (
        ("en", "Autoencoders", "nets classified denoised tiles 7 points worse than raw ones"),
        ("es", "Autocodificadores", "clasificaron las imágenes sin ruido 7 puntos peor que las originales"),
    ):
        facts = gather(runs, lang)
        assert [(run.given, run.latent, run.test.n) for run in facts.autoencoders] == [("same", 4, 40), ("noisy", 4, 40)]
        assert {cell.model for cell in facts.cells if cell.run} == {"lenet5"}
        page = render_report(facts).decode()
        section = re.search(r'<div id="autoencoder">(.*?)</details>', page, re.DOTALL)
        assert section
        assert f"<h2>{heading}</h2>" in page
        assert prototype in section[1]
        assert section[1].count("data:image/png") == 3 + 4  # rows of tiles
        assert section[1].count("<svg") == 1  # latent space


def test_autoencoders_alone_are_a_page(tiles: TileSet, tmp_path: Path) -> None:
    train(override(default_config(tiles.info, "autoencoder", "raw"), SMALL), tiles, tmp_path)
    assert "<h2>Autoencoders</h2>" in render_report(gather(tmp_path, "en")).decode()


def test_claims_are_what_the_runs_show(runs: Path) -> None:
    facts = gather(runs, "en")
    same, noisy = facts.autoencoders

    def at(run: AutoencoderFacts, latent: int, error: ErrorFacts) -> AutoencoderFacts:
        return replace(run, latent=latent, test=error)

    below = ErrorFacts(n=40, mse=0.01, pca_mse=0.02, input_mse=None, filter_mse=None)
    above = replace(below, mse=0.022)
    denoised = ErrorFacts(n=40, mse=0.001, pca_mse=0.02, input_mse=0.01, filter_mse=0.004)
    chosen = (at(same, 2, below), at(same, 32, above), at(noisy, 64, denoised))
    said = describe_autoencoders(replace(facts, autoencoders=chosen), texts("en"))
    assert said == (
        "The autoencoder's error is below that of PCA with as many numbers at 2 (\N{MINUS SIGN}50 %). "
        "The autoencoder's error is not below that of PCA at 32 "
        "(+10 %). Shares are of PCA's mean squared error on 40 test tiles, the mean of 2 trainings; in the prototype the "
        "autoencoder was stronger than PCA at 2, 8 and 16 numbers and not at 32.",
        "Denoising, with noise of 0.1 added: the net of 64 numbers gives 40 test tiles back with 30.0 dB; the noisy tiles "
        "have 20.0 dB, and the bilateral filter makes 24.0 dB of them. That is +6.0 dB against the filter; in the prototype "
        "it was +4 dB.",
        "A cleaner tile need not be one that is told apart more easily: in the prototype nets classified denoised tiles 7 "
        "points worse than raw ones.",
    )
