"""Single clips inside the page: a tile as a PNG, a recording as a small mono WAV, each in a data URI."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from arena.base.media import colour_png, data_uri, palette_png, png_uri, resample, wav
from cnn.runs import DataKind

RATE_HZ = 8000  # sampling rate on the page, whatever the recording has: 16 kB a second
MOST_S = 2.0
_PEAK = 0.9


def tile_uri(cells: NDArray[np.uint8], kind: DataKind) -> str:
    """Draw a tile (F, T), or (3, F, T) in colour: a spectrogram has its first row at the bottom, a picture at the top."""
    return png_uri(palette_png(cells) if kind is DataKind.SOUND else colour_png(to_colour(cells)[::-1]))


def to_colour(cells: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (F, T, 3) of a tile in grey or in colour."""
    return np.moveaxis(cells, 0, 2) if cells.ndim == 3 else np.repeat(cells[:, :, None], 3, axis=2)


def wav_uri(recording: Path) -> str:
    """Return the first two seconds as 16 bits at 8 kHz, as loud as any other; empty where the file cannot be read."""
    import soundfile

    try:
        with soundfile.SoundFile(recording) as file:
            rate_hz = file.samplerate
            sound = file.read(int(MOST_S * rate_hz), dtype="float64", always_2d=True).mean(axis=1)
    except (OSError, RuntimeError):  # soundfile's own errors are RuntimeErrors
        return ""
    peak = float(np.abs(sound).max(initial=0.0))
    if not peak:
        return ""
    sound = np.clip(resample(sound, rate_hz, RATE_HZ) * (_PEAK / peak), -1, 1)
    return data_uri("audio/wav", wav((sound * 32767).astype("<i2").tobytes(), RATE_HZ))
