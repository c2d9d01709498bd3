"""A picture's place in its tile, a square: its own cells where they fit, in the middle of a black margin."""

from __future__ import annotations

import cv2
import numpy as np

from cnn.pictures.source import Pixels


def fit_picture(pixels: Pixels, size: int, channels: int) -> Pixels:
    """Return (size, size) or (size, size, 3) uint8.

    A picture that is larger is made smaller by means over areas, and keeps its proportions; one that would fit twice or
    more often has each cell repeated, as 8 x 8 digits have four times in a tile of 32.
    """
    if channels == 3 and pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    height, width = (scale_side(side, max(pixels.shape[:2]), size) for side in pixels.shape[:2])
    if (height, width) != pixels.shape[:2]:
        how = cv2.INTER_AREA if height < pixels.shape[0] or width < pixels.shape[1] else cv2.INTER_NEAREST
        pixels = cv2.resize(pixels, (width, height), interpolation=how)  # type: ignore[assignment]
    tile = np.zeros((size, size, *pixels.shape[2:]), dtype=np.uint8)
    top, left = (size - height) // 2, (size - width) // 2
    tile[top : top + height, left : left + width] = pixels
    return tile


def scale_side(side: int, longest: int, size: int) -> int:
    """Return how many cells of a tile of `size` a side takes, in a picture whose longest side is `longest`."""
    return max(1, round(side * size / longest)) if longest > size else side * (size // longest)
