"""Sound like a voice, and wavs with any header around it."""

from __future__ import annotations

import io
import struct

import numpy as np
import soundfile

RATE_HZ = 8000


def voice(seed: int = 0, n_samples: int = 3200, rate_hz: int = RATE_HZ) -> np.ndarray:
    """Harmonics under formants with a breath of noise (S,), float32, at most 0.7: smooth, as speech is."""
    rng = np.random.default_rng(seed)
    time = np.arange(n_samples) / rate_hz
    pitch_hz, formants = rng.uniform(90, 220), rng.uniform((300, 900), (800, 2200))
    wave = np.zeros(n_samples)
    for harmonic in range(1, int(min(3400, rate_hz / 2.3) / pitch_hz)):
        hz = harmonic * pitch_hz
        level = sum(np.exp(-((hz - formant) ** 2) / 2 / 150**2) for formant in formants) + 0.4 / harmonic
        wave += level * np.sin(2 * np.pi * hz * time + rng.uniform(0, 6))
    wave = wave * np.hanning(n_samples) / np.abs(wave).max() * 0.7 + rng.normal(0, 0.001, n_samples)
    return wave.astype(np.float32)


def pcm16(wave: np.ndarray) -> bytes:
    return np.rint(wave * 32767).astype("<i2").tobytes()


def wav_around(
    body: bytes, *, tag: int = 1, n_channels: int = 1, rate_hz: int = RATE_HZ, bits: int = 16, size: int | None = None
) -> bytes:
    """A plain header of 44 bytes and the body; `size` is what the header promises."""
    align = n_channels * bits // 8
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, tag, n_channels, rate_hz, rate_hz * align, align, bits)
    data = struct.pack("<4sI", b"data", len(body) if size is None else size)
    return struct.pack("<4sI4s", b"RIFF", 36 + len(body), b"WAVE") + form + data + body


def encode(wave: np.ndarray, form: str, subtype: str | None = None, rate_hz: int = RATE_HZ) -> bytes:
    content = io.BytesIO()
    soundfile.write(content, wave, rate_hz, format=form, subtype=subtype)
    return content.getvalue()
