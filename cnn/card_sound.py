"""A clip as a small picture and a small player, both as bytes for a page. S samples, F rows (row 0 the lowest), T frames.

Numpy alone draws: the card of a corpus must not wait for torch. The palette is matplotlib's magma.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import soundfile

from cnn.audio import Samples

N_ROWS = 88
LOWEST_HZ, HIGHEST_HZ = 60.0, 8000.0
RANGE_DB = 60.0
FRAMES_PER_S = 160
_WINDOW_S = 0.025

Picture = npt.NDArray[np.uint8]  # (F, T), 255 the clip's loudest cell


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """The axes that all pictures share."""

    span_s: float
    highest_hz: float


def spectrogram(wave: Samples, rate_hz: int, frame: Frame) -> Picture:
    """What of `wave` (S,) lies in `frame`, as (F, T): mel-spaced rows, decibels below the loudest cell."""
    window = max(32, round(_WINDOW_S * rate_hz))
    n_frames = max(1, round(frame.span_s * FRAMES_PER_S))
    starts = np.round(np.arange(n_frames) * rate_hz / FRAMES_PER_S).astype(int)
    padded = np.pad(wave, (window // 2, max(0, starts[-1] + window - len(wave))))
    frames = padded[starts[:, None] + np.arange(window)] * np.hanning(window)  # (T, S)
    power = np.abs(np.fft.rfft(frames, 2 * window)) ** 2  # (T, bins)
    bins_hz = np.fft.rfftfreq(2 * window, 1 / rate_hz)
    rows_hz = _mel_spaced(frame.highest_hz)
    rows = np.stack([np.interp(rows_hz, bins_hz, line, right=0) for line in power], axis=1)  # (F, T)
    decibels = 10 * np.log10(np.maximum(rows, 1e-12))
    grey = np.clip((decibels - decibels.max()) / RANGE_DB + 1, 0, 1)
    picture: Picture = np.round(grey * 255).astype(np.uint8)
    return picture


def _mel_spaced(highest_hz: float) -> npt.NDArray[np.float64]:
    """(F,) from LOWEST_HZ up, evenly spaced in mel (O'Shaughnessy 1987)."""
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (LOWEST_HZ, highest_hz))
    spaced: npt.NDArray[np.float64] = 700 * (10 ** (np.linspace(low, high, N_ROWS) / 2595) - 1)
    return spaced


def png(picture: Picture) -> bytes:
    """(F, T) as a PNG of 256 colours, row 0 at the bottom. Equal pictures give equal bytes."""
    lines = picture[::-1]
    raw = np.concatenate([np.zeros((len(lines), 1), np.uint8), lines], axis=1).tobytes()  # each line begins with filter 0
    head = struct.pack(">IIBBBBB", lines.shape[1], lines.shape[0], 8, 3, 0, 0, 0)
    chunks = (b"IHDR", head), (b"PLTE", _palette()), (b"IDAT", zlib.compress(raw, 9)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@lru_cache(maxsize=1)
def _palette() -> bytes:
    from matplotlib import colormaps

    colours = colormaps["magma"](np.arange(256), bytes=True)[:, :3]
    return bytes(np.ascontiguousarray(colours).tobytes())


def wav(wave: Samples, rate_hz: int, most_hz: int, longest_s: float) -> bytes:
    """`wave` (S,) as mono 16-bit wav of at most `most_hz` and `longest_s`."""
    wave = wave[: round(longest_s * rate_hz)]
    if rate_hz > most_hz:
        wave, rate_hz = _resampled(wave, rate_hz, most_hz), most_hz
    content = io.BytesIO()
    soundfile.write(content, np.round(np.clip(wave, -1, 1) * 32767).astype(np.int16), rate_hz, format="WAV", subtype="PCM_16")
    return content.getvalue()


def _resampled(wave: Samples, rate_hz: int, new_hz: int) -> Samples:
    """(S,) at `new_hz`: what the new rate cannot hold is left out of the spectrum."""
    n_out = max(1, round(len(wave) * new_hz / rate_hz))
    resampled: Samples = (np.fft.irfft(np.fft.rfft(wave)[: n_out // 2 + 1], n_out) * (n_out / len(wave))).astype(np.float32)
    return resampled
