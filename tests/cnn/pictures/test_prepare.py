"""Tiles of pictures: where cells go, what settings.json says, and that a killed command loses its own work alone."""

from __future__ import annotations

from cnn.tiles.tile_set import TileSet
from support.pictures import load_digit_pictures


def test_digits_of_8_x_8_fill_a_tile_of_32_each_cell_repeated_four_times(digit_tiles: TileSet) -> None:
    pictures, labels = load_digit_pictures(300)
    raw = digit_tiles.pictures("raw")
    assert raw.shape == (300, 32, 32)
    assert (raw == pictures.repeat(4, axis=1).repeat(4, axis=2)).all()
    assert [clip.label for clip in digit_tiles.clips] == labels
    assert digit_tiles.data.labels == tuple("0123456789")
    assert (digit_tiles.data.side, digit_tiles.data.split, digit_tiles.data.name) == (32, "official", "digits")
