"""The section on what nets learned: read as `arena inspect` writes it, shown only where it is there, damaged ones named."""

from __future__ import annotations

import base64
import dataclasses
import json
import shutil
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cnn.config import default_config
from cnn.inference import inspect as written
from cnn.runs.folder import RunFolder
from cnn.tiles.tile_set import TileSet
from cnn.train.training_run import train
from reports.cli.report import app
from reports.facts.report import ReportFacts
from reports.page.inspections import heat_uri, inspection_pages, kernels_uri, mosaic
from reports.page.render import render_report
from reports.reading import inspections as reading
from reports.reading.gather import Sources, gather_facts
from reports.wording.page_texts import english


@pytest.fixture(scope="module")
def runs(tiles: TileSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two nets that were looked into, and one that was not."""
    folder = tmp_path_factory.mktemp("inspected") / "runs"
    for model, variant in (("lenet5", "raw"), ("lenet5", "bilateral"), ("mlp", "raw")):
        base = default_config(tiles.info, model, variant)
        inspection = dataclasses.replace(base, train=dataclasses.replace(base.train, epochs=1, side_views=0))
        run = train(inspection, tiles, folder, device="cpu")
        if variant == "raw":
            written.inspect_run(run, tiles.folder, 4, "cpu", lambda *_: None)
    return folder


@pytest.fixture(scope="module")
def facts(runs: Path) -> ReportFacts:
    return gather_facts(Sources(runs=runs))


def run_of(runs: Path, model: str, variant: str = "raw") -> Path:
    configs = {path: RunFolder(path).config() for path in runs.iterdir()}
    return next(path for path, config in configs.items() if (config["model"]["name"], config["variant"]) == (model, variant))


def pixels(uri: str, n_channels: int) -> np.ndarray:
    """(F, T, channels) of a PNG without filters, low frequencies first."""
    content = base64.b64decode(uri.partition(",")[2])
    width, height = struct.unpack(">II", content[16:24])
    start = content.index(b"IDAT")
    rows = zlib.decompress(content[start + 4 : start + 4 + struct.unpack(">I", content[start - 4 : start])[0]])
    return np.frombuffer(rows, np.uint8).reshape(height, 1 + width * n_channels)[::-1, 1:].reshape(height, width, n_channels)


def test_of_a_net_of_columns_the_page_says_that_pictures_show_one_column_each(facts: ReportFacts) -> None:
    lenet = next(inspection for inspection in facts.inspections if inspection.model == "lenet5")
    assert "columns that vote" not in render_report(facts).decode()
    layers = (dataclasses.replace(lenet.layers[-1], name="columns.1.blocks.2.act"),)
    columns = dataclasses.replace(lenet, n_columns=2, filter_layer="columns.0.features.1", layers=layers, n_mapped=0)
    page = render_report(dataclasses.replace(facts, inspections=(columns,))).decode()
    shown = (
        "Filters (columns.0.features.1), maps, Grad-CAM (columns.1.blocks.2.act) and t-SNE (classifier.6) show one column each"
    )
    assert f"lenet5 is several columns that vote. {shown}" in page
    assert dataclasses.replace(columns, n_columns=1).columns == {}


def test_one_training_of_each_model_is_shown(facts: ReportFacts) -> None:
    assert sorted(inspection.model for inspection in facts.inspections) == ["lenet5", "mlp"]
    lenet = next(inspection for inspection in facts.inspections if inspection.model == "lenet5")
    assert (lenet.variant, lenet.filter_layer, lenet.n_filters) == (
        "raw",
        "features.1",
        16 * 3,
    )  # of the picture and its two differences
    assert [layer.n_bins for layer in lenet.layers] == [28, 14, 10, 5]
    assert len(lenet.embedding) == lenet.n_clips == 40
    assert reading.FORMAT == written.FORMAT


def test_the_page_shows_what_was_written(facts: ReportFacts) -> None:
    page = render_report(facts).decode()
    section = page[page.index('<div id="inspection">') : page.index('<div id="sweeps">')]
    lenet = next(inspection for inspection in facts.inspections if inspection.model == "lenet5")
    assert section.count("<article") == 2
    assert "5 \u00d7 5 cells that the first layer (features.1)" in section
    assert "5 \u00d7 5 cells, 8 of 32 channels" in section
    assert "This net has no convolution" in section
    assert section.count('role="img"') == 4
    assert "t-SNE (van der Maaten and Hinton 2008)" in section
    fall = float(lenet.array("occlusion")[0].astype(float).max())
    assert f"hiding costs at most {fall:.3f}".replace("-", "\u2212") in section
    assert len(page) < 1_500_000
    rows = base64.b64decode(section.partition("data:text/csv;base64,")[2].partition('"')[0]).decode().splitlines()
    assert len(rows) == 41


def test_without_an_inspection_there_is_no_section(facts: ReportFacts) -> None:
    page = render_report(dataclasses.replace(facts, inspections=())).decode()
    assert "What it learned" not in page
    assert 'id="inspection"' not in page


def test_json_leaves_the_arrays_out(runs: Path, tmp_path: Path) -> None:
    out = str(tmp_path / "r.html")
    facts_in_json = CliRunner().invoke(app, ["build", "--runs", str(runs), "--out", out, "--json"], catch_exceptions=False)
    assert all(inspection["arrays"] == {} for inspection in json.loads(facts_in_json.stdout)["inspections"])


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("inspection.npz", b"PK", "inspection.npz is not the one that inspection.json names"),
        ("model.pt", b"other weights", "it is of other weights than model.pt"),
        ("inspection.json", b'{"asked": {"format": 99}}', "it is of another version of Arena (format 99, not 1)"),
        ("inspection.json", b'{"asked": {"format": 1}}', "'arrays' is missing"),
        ("inspection.json", b"[]", "holds no object"),
    ],
)
def test_a_damaged_inspection_is_named_and_the_rest_is_shown(
    runs: Path, tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    shutil.copytree(runs, tmp_path / "runs")
    (run_of(tmp_path / "runs", "lenet5") / name).write_bytes(content)
    facts = gather_facts(Sources(runs=tmp_path / "runs"))
    assert [inspection.model for inspection in facts.inspections] == ["mlp"]
    (note,) = (note.text for note in facts.notes if "inspection" in note.text)
    assert reason in note
    assert "`arena inspect`" in note


def test_kernels_stand_side_by_side_with_zero_in_the_middle_of_the_colours() -> None:
    kernels = np.zeros((3, 2, 2), dtype=np.float32)
    kernels[0, 0, 0], kernels[2, 1, 1] = 0.5, -4.0
    cells = pixels(kernels_uri(kernels), 4)
    assert cells.shape == (2, 8, 4)
    assert not cells[:, [2, 5]].any()  # the gaps are clear
    assert cells[0, 0, 0] > cells[0, 0, 2]  # orange
    assert cells[1, 7, 2] > cells[1, 7, 1]  # purple
    assert len(np.unique(cells[:, 3:5].reshape(-1, 4), axis=0)) == 1


def test_a_mosaic_begins_at_the_top_left() -> None:
    picture = mosaic(np.arange(1, 4, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8), 2)
    assert picture[::-1].tolist() == [[1, 1, 0, 2, 2]] * 2 + [[0] * 5] + [[3, 3, 0, 0, 0]] * 2


def test_heat_is_orange_above_zero_and_blue_below() -> None:
    heat = np.array([[1.0, -1.0, 0.0]])
    ((warm, cold, none),) = pixels(heat_uri(np.array([[100, 100, 100]], np.uint8), heat), 3).astype(int)
    assert warm[0] > warm[2]
    assert cold[2] > cold[0]
    assert none.tolist() == [80, 80, 80]


def test_equal_inspections_give_equal_pages(facts: ReportFacts) -> None:
    assert inspection_pages(facts.inspections, english()) == inspection_pages(facts.inspections, english())
