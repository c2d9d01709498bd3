"""The picture of tiles: drawn, without a word of torch's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from matplotlib.image import imread

from cnn.errors import RunError
from cnn.settings.augment import AUGMENT_DEFAULTS, AugmentSettings
from cnn.settings.data import DataKind
from cnn.tiles.preview import draw_preview
from cnn.tiles.tile_set import TileSet


@pytest.fixture
def every_warning() -> Iterator[None]:
    """Torch warns once a process; here each time."""
    torch.set_warn_always(True)
    yield
    torch.set_warn_always(False)


def test_one_clip_of_each_digit_is_drawn_and_nothing_is_warned_of(tiles: TileSet, tmp_path: Path, every_warning: None) -> None:
    assert draw_preview(tiles, tmp_path / "new" / "tiles.png", 1, AugmentSettings(), seed=0) == 10
    assert (tmp_path / "new" / "tiles.png").read_bytes().startswith(b"\x89PNG")
    pictures = tiles.pictures("raw")
    assert not pictures.flags.writeable


def test_a_picture_that_cannot_be_written_is_one_line(tiles: TileSet, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"cannot write the picture .*tiles\.nothing: .*; choose another with --out") as refused:
        draw_preview(tiles, tmp_path / "tiles.nothing", 1, AugmentSettings(), seed=0)
    assert "\n" not in str(refused.value)


def test_pictures_are_drawn_in_their_own_colours_and_what_is_blanked_in_blue(colour_tiles: TileSet, tmp_path: Path) -> None:
    augment = replace(AUGMENT_DEFAULTS[DataKind.PICTURES], erase=32)
    assert draw_preview(colour_tiles, tmp_path / "tiles.png", 1, augment, seed=0) == 4
    cells = (imread(tmp_path / "tiles.png")[..., :3] * 255).round().astype(int)
    drawn = {tuple(cell) for cell in cells.reshape(-1, 3).tolist()}
    assert any(red > 180 and green < 90 and blue < 90 for red, green, blue in drawn)  # the disc's
    assert (0x3B, 0x6E, 0xA5) in drawn
