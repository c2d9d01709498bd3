"""Small corpora of pictures: scikit-learn's digits, and shapes in colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cnn.pictures.arrays import write_picture_tiles
from cnn.tiles.tile_set import TileSet

COLOURS = {"disc": (220, 40, 40), "frame": (40, 190, 60), "stripes": (50, 80, 230), "square": (220, 210, 60)}


def load_digit_pictures(n: int) -> tuple[np.ndarray, list[str]]:
    """Return the first n of scikit-learn's 1,797 digits as (n, 8, 8) uint8 of 0 to 255, and their names."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return (digits.images[:n] * 255 / 16).round().astype(np.uint8), [str(label) for label in digits.target[:n]]


def deal_parts(n: int) -> list[str]:
    """Return n parts: of ten pictures six train, two validate, two test."""
    return [("train", "train", "val", "train", "test")[number % 5] for number in range(n)]


def write_digit_tiles(tiles_dir: Path, n: int = 300) -> TileSet:
    """Make tiles of the first n digits, with parts."""
    pictures, labels = load_digit_pictures(n)
    return write_picture_tiles(pictures, labels, deal_parts(n), tiles_dir, "digits")


def draw_shapes(n: int, side: int = 24) -> tuple[np.ndarray, list[str]]:
    """Return n pictures (n, side, side, 3) uint8 of four shapes, each in its colour on a noisy ground, and their names."""
    rng = np.random.default_rng(0)
    names = [list(COLOURS)[number % len(COLOURS)] for number in range(n)]
    pictures = rng.integers(0, 60, (n, side, side, 3))
    rows, columns = np.mgrid[:side, :side]
    for picture, name in zip(pictures, names, strict=True):
        row, column = rng.integers(side // 3, side - side // 3, 2)
        distance = np.maximum(abs(rows - row), abs(columns - column))
        mask = {
            "disc": (rows - row) ** 2 + (columns - column) ** 2 < (side / 4) ** 2,
            "frame": (distance > side / 6) & (distance < side / 3.5),
            "stripes": (rows + int(row)) % 4 < 2,
            "square": distance < side / 5,
        }[name]
        picture[mask] = np.array(COLOURS[name]) + rng.integers(-30, 30, 3)
    return pictures.clip(0, 255).astype(np.uint8), names


def write_colour_tiles(tiles_dir: Path, n: int = 120) -> TileSet:
    """Make tiles of n shapes in colour, with parts."""
    pictures, labels = draw_shapes(n)
    return write_picture_tiles(pictures, labels, deal_parts(n), tiles_dir, "shapes")
