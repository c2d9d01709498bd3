"""Sound of single clips inside the page: a recording as a small mono WAV in a data URI."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from arena.base.media import data_uri, resample, wav

RATE_HZ = 8000  # sampling rate on the page, whatever the recording has: 16 kB a second
MOST_S = 2.0
_PEAK = 0.9


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
