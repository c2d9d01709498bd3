"""Tiles of pictures: where cells go, what settings.json says, and that a killed command loses its own work alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from cnn.errors import TilesError
from cnn.pictures.arrays import write_picture_tiles
from cnn.pictures.fit import fit_picture
from cnn.tiles.tile_set import TileSet, find_tiles
from support.paths import ROOT
from support.pictures import deal_parts, draw_shapes, load_digit_pictures


def test_digits_of_8_x_8_fill_a_tile_of_32_each_cell_repeated_four_times(digit_tiles: TileSet) -> None:
    pictures, labels = load_digit_pictures(300)
    raw = digit_tiles.pictures("raw")
    assert raw.shape == (300, 32, 32)
    assert (raw == pictures.repeat(4, axis=1).repeat(4, axis=2)).all()
    assert [clip.label for clip in digit_tiles.clips] == labels
    assert digit_tiles.data.labels == tuple("0123456789")
    assert (digit_tiles.data.side, digit_tiles.data.split, digit_tiles.data.name) == (32, "official", "digits")


def test_a_larger_picture_keeps_its_proportions_and_a_smaller_one_its_cells() -> None:
    wide = np.tile(np.arange(128, dtype=np.uint8), (64, 1))
    tile = fit_picture(wide, 32, 1)
    assert tile.shape == (32, 32)
    assert (tile[8:24] == cv2.resize(wide, (32, 16), interpolation=cv2.INTER_AREA)).all()
    assert tile[:8].max() == tile[24:].max() == 0
    grey = fit_picture(np.full((3, 3), 7, dtype=np.uint8), 32, 3)
    assert grey.shape == (32, 32, 3)
    assert (grey[1:31, 1:31] == 7).all()


def test_colour_is_stored_channel_by_channel_and_filtered_by_opencv(colour_tiles: TileSet) -> None:
    pictures, labels = draw_shapes(120)
    raw, filtered = (colour_tiles.pictures(name) for name in ("raw", "bilateral"))
    assert raw.shape == (120, 3, 32, 32)
    assert (raw[:, :, 4:28, 4:28] == pictures.transpose(0, 3, 1, 2)).all()
    expected = cv2.bilateralFilter(np.ascontiguousarray(raw[7].transpose(1, 2, 0)), 5, 40.0, 2.0)
    assert (filtered[7] == expected.transpose(2, 0, 1)).all()
    assert colour_tiles.data.labels == ("disc", "frame", "square", "stripes")
    assert [clip.label for clip in colour_tiles.clips] == labels


def test_mean_and_spread_leave_the_test_out(digit_tiles: TileSet) -> None:
    raw = digit_tiles.pictures("raw")
    levels = raw[[clip.part != "test" for clip in digit_tiles.clips]] / 255
    assert digit_tiles.data.mean == pytest.approx([levels.mean()], abs=1e-6)
    assert digit_tiles.data.spread == pytest.approx([levels.std()], abs=1e-6)


def test_tiles_made_again_are_those_before_under_a_new_name(tmp_path: Path) -> None:
    pictures, labels = load_digit_pictures(40)
    first = write_picture_tiles(pictures, labels, deal_parts(40), tmp_path, "one")
    inode = (first.folder / "raw.npy").stat().st_ino
    again = write_picture_tiles(pictures, labels, deal_parts(40), tmp_path, "two")
    assert again.folder == first.folder
    assert (again.folder / "raw.npy").stat().st_ino == inode
    assert again.data.name == "two"
    assert not list(tmp_path.glob(".pictures-*"))
    (first.folder / "raw.npy").write_bytes(b"damaged")
    assert write_picture_tiles(pictures, labels, deal_parts(40), tmp_path, "one").pictures("raw").shape == (40, 32, 32)


def test_the_digest_of_a_corpus_counts_labels_parts_and_pictures(tmp_path: Path) -> None:
    pictures, labels = load_digit_pictures(40)
    parts = deal_parts(40)
    other = pictures.copy()
    other[3, 2, 2] ^= 1
    swapped = [{"0": "zero"}.get(label, label) for label in labels]
    made = [
        write_picture_tiles(pictures, labels, parts, tmp_path, "digits"),
        write_picture_tiles(other, labels, parts, tmp_path, "digits"),
        write_picture_tiles(pictures, swapped, parts, tmp_path, "digits"),
        write_picture_tiles(pictures, labels, [""] * 40, tmp_path, "digits"),
    ]
    assert len({tiles.corpus for tiles in made}) == len(list(tmp_path.glob("*/settings.json"))) == 4


def test_a_kill_leaves_no_tiles_and_the_same_command_makes_them(tmp_path: Path) -> None:
    program = (
        "import os, sys\nfrom pathlib import Path\nimport numpy as np\nimport cnn.pictures.prepare as prepare\n"
        "from cnn.pictures.arrays import write_picture_tiles\n"
        "def kill(*words): os.kill(os.getpid(), 9)\n"
        "prepare.write_json = kill\n"
        "pictures = np.arange(40 * 64, dtype=np.uint8).reshape(40, 8, 8)\n"
        "write_picture_tiles(pictures, ['a', 'b'] * 20, [''] * 40, Path(sys.argv[1]), 'x')\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, cwd=ROOT, check=False)
    assert ended.returncode == -9
    assert [path.name[:10] for path in tmp_path.iterdir()] == [".pictures-"] * 2  # the lock and the part
    with pytest.raises(TilesError, match="no tiles in"):
        find_tiles(tmp_path)
    pictures = np.arange(40 * 64, dtype=np.uint8).reshape(40, 8, 8)
    tiles = write_picture_tiles(pictures, ["a", "b"] * 20, [""] * 40, tmp_path, "x")
    assert list(tmp_path.iterdir()) == [tiles.folder]
