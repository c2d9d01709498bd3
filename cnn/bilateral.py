"""The bilateral filter on tiles: smooths within a sound, keeps its edges in time and frequency."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from cnn.config import TileSettings


def bilateral(tile: npt.NDArray[np.uint8], settings: TileSettings) -> npt.NDArray[np.uint8]:
    """The tile (F, T) after a bilateral filter (Tomasi and Manduchi 1998), same shape and range."""
    filtered: npt.NDArray[np.uint8] = cv2.bilateralFilter(
        tile, settings.bilateral_diameter, settings.bilateral_sigma_color, settings.bilateral_sigma_space
    ).astype(np.uint8, copy=False)
    return filtered
