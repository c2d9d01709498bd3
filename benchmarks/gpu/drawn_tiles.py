"""Tiles drawn from a seed, without recordings: a band that glides as the digit says, at the speaker's height, in noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from cnn.config import TILES_FORMAT, compute_digest
from cnn.files import write_csv, write_json
from cnn.settings.data import DIGITS, SPOKEN_DIGITS
from cnn.settings.fields import drop_later_defaults
from cnn.settings.tiles import TileSettings
from cnn.tiles.chunks import ARRAYS
from cnn.tiles.tile_set import CLIP_COLUMNS, TileSet, open_tiles

_SEED = 16


def draw_tiles(folder: Path, settings: TileSettings, n_speakers: int, n_takes: int) -> TileSet:
    """Draw the tiles of every digit by every speaker into `folder`, unless they are there."""
    if not (folder / "settings.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        names = [(speaker, digit, take) for speaker in range(n_speakers) for digit in DIGITS for take in range(n_takes)]
        pictures = _draw_pictures(np.array([(speaker, int(digit)) for speaker, digit, _ in names]), settings.size)
        for name in ARRAYS:
            np.save(folder / f"{name}.npy", pictures)
        clips = (
            (f"{digit}_{speaker:02d}_{take}", digit, f"{speaker:02d}", f"{digit}_{speaker:02d}_{take}.wav", "", "", "0.5")
            for speaker, digit, take in names
        )
        write_csv(folder / "clips.csv", CLIP_COLUMNS, clips)
        content = {
            "corpus": compute_digest([_SEED, n_speakers, n_takes]),
            "tiles": drop_later_defaults(settings),
            **SPOKEN_DIGITS.to_json(),
        }
        write_json(folder / "settings.json", {**content, "format": TILES_FORMAT, "n_clips": len(names)})
    return open_tiles(folder)


def _draw_pictures(names: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.uint8]:
    """Return (N, F, T) of the (N, 2) numbers of speakers and digits."""
    draw = np.random.default_rng(_SEED)
    rows, frames = np.arange(size, dtype=np.float32)[:, None], np.linspace(-1, 1, size, dtype=np.float32)
    pictures = np.empty((len(names), size, size), dtype=np.uint8)
    for picture, (speaker, digit) in zip(pictures, names, strict=True):
        start, end = digit, (digit * 7 + 3) % len(DIGITS)
        middle, slope = (start + end) / 2 + 1 + speaker % 7 / 7 + draw.normal(0, 0.3), (end - start) / 2
        band = np.exp(-(((rows - size / 12 * (middle + slope * frames)) / (size / 24)) ** 2))  # (F, T)
        picture[:] = 200 * band + draw.integers(0, 56, (size, size), dtype=np.uint8)
    return pictures
