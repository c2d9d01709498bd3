"""Words of made-up voices, as wide apart as those of people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

RATE_HZ = 8000
Wave = np.ndarray


def synthesise_word(speaker: int, digit: int, take: int, rate_hz: int = RATE_HZ) -> Wave:
    """Half a second of a buzz through two moving resonances: pitch and throat of the speaker, a path for the digit."""
    voice, word = np.random.default_rng(speaker), np.random.default_rng([7, digit])
    rng = np.random.default_rng([speaker, digit, take])
    n = int(rate_hz * rng.uniform(0.45, 0.55))
    time = np.arange(n) / n
    pitch = voice.uniform(90, 220) * (1 + 0.08 * np.cumsum(rng.normal(0, 1, n)) / n**0.5)
    phase = np.cumsum(pitch) / rate_hz
    level = np.log(voice.uniform(0.7, 1.4, 60))
    wave = np.zeros(n)
    paths = [np.interp(time, np.linspace(0, 1, 4), word.uniform(low, high, 4)) for low, high in ((300, 900), (900, 2400))]
    stretch = voice.uniform(0.85, 1.2)
    for harmonic in range(1, 18):
        at_hz = harmonic * pitch
        gain = sum(np.exp(-(((at_hz - stretch * path) / 180) ** 2)) for path in paths) + 0.02
        wave += gain * np.exp(level[harmonic]) * np.sin(2 * np.pi * harmonic * phase + rng.uniform(0, 6.3))
    breath = rng.normal(0, 0.02 * np.exp(level[40]), n)
    return (0.1 * (wave + breath) * np.hanning(n) ** 0.5).astype(np.float32)


def write_words(folder: Path, name: str, voice: int, digits: str, takes: range) -> None:
    """Write `{digit}_{name}_{take}.wav` in one voice; equal takes of one voice are equal sounds."""
    folder.mkdir(parents=True, exist_ok=True)
    for digit in digits:
        for take in takes:
            wave = synthesise_word(voice, int(digit), take)
            soundfile.write(folder / f"{digit}_{name}_{take}.wav", wave, RATE_HZ, subtype="PCM_16")
