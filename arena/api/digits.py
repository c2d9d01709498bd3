"""Scikit-learn's handwritten digits as tiles: pictures for a first training, on every machine and without a network."""

from __future__ import annotations

import numpy as np

from arena.api.arguments import Location, choose_folder
from arena.api.tiles import TileSet, load

_NAME = "digits-8x8"
_WHITE = 16  # the bundled pictures' lightest level


def prepare_digits(tiles: Location | None = None) -> TileSet:
    """Make tiles of scikit-learn's 1,797 digits of 8 x 8 cells: 32 x 32, in no parts, so that a split is drawn.

    Args:
        tiles: the folder in which the folder of tiles is made; the project's if none is given.

    Raises:
        Error: the folder cannot be written.
    """
    from sklearn.datasets import load_digits

    from cnn.pictures.arrays import write_picture_tiles

    bundle = load_digits()
    pictures = (bundle.images * 255 / _WHITE).round().astype(np.uint8)  # (N, 8, 8)
    labels = [str(label) for label in bundle.target]
    stored = write_picture_tiles(pictures, labels, [""] * len(labels), choose_folder("tiles", tiles), _NAME)
    return load(stored.folder)
