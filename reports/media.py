"""Clips to see and hear inside the page: a tile as an indexed PNG, a recording as a small mono WAV, both data URIs."""

from __future__ import annotations

import base64
import functools
import io
import struct
import wave
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

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
        raw=png_uri(raw) if raw is not None else "",
        filtered=png_uri(filtered) if filtered is not None else "",
        sound=wav_uri(recording) if recording else "",
    )


def png_uri(tile: NDArray[np.uint8], colours: str = "magma", *, gap: bool = False) -> str:
    """(F, T) uint8 as a PNG in a colour map of matplotlib, low frequencies at the bottom.

    PNG specification, third edition, sections 5 and 11.

    Args:
        gap: cells of 0 are transparent.
    """
    clear = _chunk(b"tRNS", b"\0") if gap else b""
    return _png(tile, 3, _chunk(b"PLTE", _palette(colours)) + clear)


def colour_png_uri(cells: NDArray[np.uint8]) -> str:
    """(F, T, 3) red, green and blue, or (F, T, 4) with opacity, as a PNG, low frequencies at the bottom."""
    return _png(cells, {3: 2, 4: 6}[cells.shape[2]], b"")


def _png(cells: NDArray[np.uint8], colour_type: int, between: bytes) -> str:
    height, width = cells.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in cells[::-1])
    parts = (
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)),
        between,
        _chunk(b"IDAT", zlib.compress(rows, 9)),
        _chunk(b"IEND", b""),
    )
    return _uri("image/png", b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@functools.cache
def _palette(name: str) -> bytes:
    from matplotlib import colormaps

    colours = colormaps[name](np.arange(256), bytes=True)
    return bytes(np.asarray(colours)[:, :3].tobytes())


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
    return _uri("audio/wav", _wav(_at_rate(sound, rate_hz) * (_PEAK / peak)))


def _at_rate(sound: NDArray[np.float64], rate_hz: int) -> NDArray[np.float64]:
    """Resampled to RATE_HZ by its spectrum, which drops what lies above 4 kHz."""
    n = max(1, round(len(sound) * RATE_HZ / rate_hz))
    spectrum = np.fft.rfft(sound)[: n // 2 + 1]
    return np.asarray(np.fft.irfft(spectrum, n) * (n / len(sound)))


def _wav(sound: NDArray[np.float64]) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
