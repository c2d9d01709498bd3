"""Clips to see and hear inside the page: a tile as an indexed PNG, a recording as a small mono WAV, both data URIs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from arena_media import data_uri, palette_png, png_uri, resample, wav
from reports.mistake_facts import Media
from reports.tiles import TileFolder

RATE_HZ = 8000  # of the sound on the page, whatever the recording has: 16 kB a second
MOST_S = 2.0
_PEAK = 0.9


def media_of(tiles: TileFolder, clips: Iterable[str]) -> dict[str, Media]:
    """What `tiles` and its corpus still hold of each clip."""
    return {clip: _media(tiles, clip) for clip in dict.fromkeys(clips)}


def _media(tiles: TileFolder, clip: str) -> Media:
    raw, filtered = tiles.picture("raw", clip), tiles.picture("bilateral", clip)
    recording = tiles.recording(clip)
    return Media(
        raw=png_uri(palette_png(raw)) if raw is not None else "",
        filtered=png_uri(palette_png(filtered)) if filtered is not None else "",
        sound=wav_uri(recording) if recording else "",
    )


def wav_uri(recording: Path) -> str:
    """The first two seconds as 16 bits at 8 kHz, as loud as any other; empty where the file is gone or cannot be read."""
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
