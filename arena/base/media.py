"""Pictures and sounds as the bytes of a PNG or WAV file, and as data URIs of a page. Equal content gives equal bytes.

F rows (row 0 the lowest), T frames, S samples. PNG specification, third edition, sections 5 and 11.
"""

from __future__ import annotations

import base64
import functools
import io
import struct
import wave
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]


def palette_png(cells: Bytes, colours: str = "magma", *, gap: bool = False) -> bytes:
    """Return (F, T) as a PNG in a colour map of matplotlib, row 0 at the bottom.

    Args:
        gap: cells of 0 are transparent.
    """
    clear = _chunk(b"tRNS", b"\0") if gap else b""
    return _png(cells, 3, _chunk(b"PLTE", _palette(colours)) + clear)


def colour_png(cells: Bytes) -> bytes:
    """Return (F, T, 3) red, green and blue, or (F, T, 4) with opacity, as a PNG, row 0 at the bottom."""
    return _png(cells, {3: 2, 4: 6}[cells.shape[2]], b"")


def _png(cells: Bytes, colour_type: int, between: bytes) -> bytes:
    height, width = cells.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in cells[::-1])  # each line begins with filter 0
    parts = (
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)),
        between,
        _chunk(b"IDAT", zlib.compress(rows, 9)),
        _chunk(b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@functools.cache
def _palette(name: str) -> bytes:
    from matplotlib import colormaps

    colours = colormaps[name](np.arange(256), bytes=True)
    return bytes(np.asarray(colours)[:, :3].tobytes())


def wav(pcm: bytes, rate_hz: int, n_bytes: int = 2) -> bytes:
    """Return whole numbers of `n_bytes` each, the lowest byte first, as a mono WAV: 44 bytes and the samples."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(n_bytes)
        file.setframerate(rate_hz)
        file.writeframes(pcm)
    return content.getvalue()


def pcm16(sound: npt.NDArray[np.floating[Any]]) -> bytes:
    """Return (S,) from -1 to 1 as whole numbers of two bytes, for `wav`."""
    samples = np.round(np.clip(sound, -1, 1) * 32767).astype("<i2")
    return bytes(samples.tobytes())


def resample(sound: npt.NDArray[np.floating[Any]], rate_hz: int, new_hz: int) -> npt.NDArray[np.floating[Any]]:
    """Return (S,) at `new_hz` by its spectrum, without the frequencies that the new rate cannot hold."""
    n_samples = max(1, round(len(sound) * new_hz / rate_hz))
    spectrum = np.fft.rfft(sound)[: n_samples // 2 + 1]
    return np.asarray(np.fft.irfft(spectrum, n_samples) * (n_samples / len(sound)))


def data_uri(kind: str, content: bytes) -> str:
    """Return `content` of a media type as an address that a page holds itself."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def png_uri(png: bytes) -> str:
    """Return the address of a PNG."""
    return data_uri("image/png", png)
