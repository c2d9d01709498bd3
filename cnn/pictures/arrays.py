"""Tiles from arrays in memory, for tests, notebooks and data that are made."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cnn.pictures.prepare import prepare_pictures
from cnn.pictures.source import PictureRow, PictureSource, Pixels, sort_names
from cnn.settings.tiles import TileSettings
from cnn.tiles.tile_set import TileSet


def write_picture_tiles(
    pictures: Pixels,
    labels: Sequence[str],
    parts: Sequence[str],
    tiles_dir: Path,
    name: str,
    settings: TileSettings | None = None,
) -> TileSet:
    """Make the tiles of pictures (N, H, W) or (N, H, W, 3) uint8.

    Args:
        labels: N names of classes, whose order is that of people: 2 before 10.
        parts: N times train, val or test; all of them empty where a split is to be drawn.
        settings: 32 x 32 cells without it.

    Raises:
        CorpusError: names of classes that tables cannot hold.
        TilesError: the folder cannot be written.
    """
    assert pictures.dtype == np.uint8
    assert len(pictures) == len(labels) == len(parts)
    numbers: dict[str, int] = {}
    rows = []
    for label, part in zip(labels, parts, strict=True):
        number = numbers[part] = numbers.get(part, -1) + 1
        rows.append(PictureRow(id="/".join(filter(None, (part, f"{number:05}"))), label=label, part=part, path=name))
    source = PictureSource(
        place=tiles_dir / name,
        name=name,
        classes=sort_names(set(labels)),
        rows=rows,
        channels=3 if pictures.ndim == 4 else 1,
        read=lambda: iter(pictures),
    )
    return prepare_pictures(source, settings or TileSettings(size=32), tiles_dir)
