"""A small corpus of synthesised tones that nets can learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from support.paths import ROOT

SPEAKERS = ("ann", "bob", "cleo", "dan", "eve")
RATE_HZ = 8000
SHARED = ROOT.parent / "shared" / "corpora"


def tone(digit: int, speaker: int, take: int) -> np.ndarray:
    """A gliding tone over the speaker's hum, 0.4 s: each digit has its own start and end."""
    rng = np.random.default_rng([digit, speaker, take])
    time = np.arange(int(RATE_HZ * rng.uniform(0.35, 0.5))) / RATE_HZ
    start, end = 400 + 300 * digit, 400 + 300 * ((digit * 7 + 3) % 10)
    pitch = start + (end - start) * time / time[-1] + 40 * speaker + rng.uniform(-30, 30)
    wave = np.sin(2 * np.pi * np.cumsum(pitch) / RATE_HZ) + 0.3 * np.sin(2 * np.pi * (130 + 20 * speaker) * time)
    wave = wave * np.hanning(len(time)) * rng.uniform(0.2, 0.6) + rng.normal(0, 0.003, len(time))
    return wave.astype(np.float32)


def write_tones(folder: Path, n_takes: int, n_speakers: int = len(SPEAKERS)) -> Path:
    """A flat corpus of ten digits, named as FSDD names its files."""
    folder.mkdir(parents=True, exist_ok=True)
    for digit in range(10):
        for number, name in enumerate(SPEAKERS[:n_speakers]):
            for take in range(n_takes):
                soundfile.write(folder / f"{digit}_{name}_{take}.wav", tone(digit, number, take), RATE_HZ, subtype="PCM_16")
    return folder
