"""Inputs of nets: each normalisation, in training as in scoring, and views of sounds and of pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cnn.config import RunConfig, TilesInfo, default_config
from cnn.corpus.scan import scan
from cnn.errors import ConfigError
from cnn.overrides import override
from cnn.settings.data import DataKind, DataSettings
from cnn.settings.tiles import TileSettings
from cnn.tiles.inputs import Inputs, Normalise
from cnn.tiles.prepare import prepare
from cnn.tiles.tile_set import TileSet, open_tiles

COLOUR = DataSettings(
    kind=DataKind.PICTURES,
    labels=("cat", "dog"),
    channels=3,
    side=28,
    normalisation="corpus",
    mean=(0.5, 0.4, 0.3),
    spread=(0.25, 0.2, 0.1),
)
TILES = TilesInfo(corpus="c", settings=TileSettings(size=32), data=COLOUR)


def configure(*settings: str, variant: str = "raw", tiles: TilesInfo = TILES) -> RunConfig:
    return override(default_config(tiles, "lenet5", variant), settings)


def draw_tiles(n: int = 4) -> torch.Tensor:
    return torch.randint(0, 256, (n, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_each_normalisation_is_its_formula() -> None:
    tiles = draw_tiles()
    levels = tiles.double() / 255
    mean, spread = (torch.tensor(values).view(3, 1, 1) for values in (COLOUR.mean, COLOUR.spread))
    expected = {"corpus": (levels - mean) / spread, "none": tiles.double()}
    rows = levels - levels.mean(3, keepdim=True)
    expected["bands"] = rows / rows.flatten(1).std(1).view(-1, 1, 1, 1)
    for name, values in expected.items():
        batch = Inputs([configure(f"train.normalise={name}")]).plain(tiles)
        torch.testing.assert_close(batch.double(), values, rtol=1e-5, atol=1e-5)
        assert batch.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(Inputs([configure()]).plain(tiles).double(), expected["corpus"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", ["bands", "corpus", "none"])
def test_a_picture_is_trained_on_and_scored_under_one_normalisation(name: str) -> None:
    off = [f"augment.{key}=0" for key in ("shift", "erase", "flip", "rotate")]
    inputs = Inputs([configure(f"train.normalise={name}", "train.side_views=0", *off, variant="raw+aug")])
    tiles = draw_tiles()
    assert inputs.augment is not None
    changes = inputs.augment.draw(len(tiles), [torch.Generator().manual_seed(0)])
    (view,) = inputs.views(tiles.float().div_(255))
    assert torch.equal(inputs.augmented(tiles, changes), inputs.plain(tiles))
    assert torch.equal(view, inputs.plain(tiles))


def test_views_of_a_picture_go_on_with_its_edge_and_those_of_a_sound_with_silence() -> None:
    levels = torch.full((1, 3, 32, 32), 0.5)
    left, _, right = Inputs([configure("train.side_views=1", "train.normalise=none")]).views(levels)
    assert torch.equal(left, right)
    sound = TilesInfo(corpus="c", settings=TileSettings(size=32))
    left, _, right = Inputs([configure("train.side_views=1", "train.normalise=none", tiles=sound)]).views(levels[:, :1])
    assert (left[..., -1].max(), right[..., 0].max()) == (0, 0)


def test_a_channel_of_one_level_alone_is_divided_by_no_zero() -> None:
    normalise = Normalise("corpus", DataSettings(channels=3, mean=(0.5, 0.25, 0.0), spread=(0.5, 0.25, 0.0)))
    assert normalise(torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)).flatten().tolist() == [1.0, -1.0, 0.0]


def test_tiles_whose_levels_nobody_counted_say_what_to_type() -> None:
    tiles = replace(TILES, data=replace(COLOUR, mean=(), spread=()))
    with pytest.raises(ConfigError, match=r"^train.normalise=corpus takes the mean .* type `arena data prepare` again"):
        Inputs([configure(tiles=tiles)])


def test_prepare_counts_the_levels_of_sounds_and_renames_nothing(tiles: TileSet, corpus_folder: Path) -> None:
    raw = np.asarray(tiles.pictures("raw")) / 255
    assert tiles.data.mean == pytest.approx([raw.mean()], abs=1e-6)
    assert tiles.data.spread == pytest.approx([raw.std()], abs=1e-6)
    path = tiles.folder / "settings.json"
    content = json.loads(path.read_text())
    older = {name: value for name, value in content.items() if name not in ("mean", "spread")}
    path.write_text(json.dumps(older))  # as an earlier version wrote it
    assert open_tiles(tiles.folder).data.mean == ()
    again = prepare(scan(corpus_folder), tiles.settings, tiles.folder.parent)
    assert (again.folder, again.data) == (tiles.folder, tiles.data)
