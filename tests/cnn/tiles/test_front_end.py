"""The front end against torchaudio's own classes and a centring that looks at every window."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
import torchaudio

from cnn.corpus.audio import read_clip
from cnn.settings.tiles import TileSettings
from cnn.tiles.front_end import compute_tile
from support.tones import RATE_HZ, SHARED, tone

Clip = tuple[np.ndarray, int]  # samples and their rate


def centred(wave: torch.Tensor, n_samples: int) -> torch.Tensor:
    wave = torch.nn.functional.pad(wave, (n_samples, n_samples))
    energy = torch.cat([wave.new_zeros(1, dtype=torch.float64), wave.double().square().cumsum(0)])
    held = energy[n_samples:] - energy[:-n_samples]
    starts = torch.nonzero(held >= 0.999 * held.max())[:, 0]
    middle = int(torch.searchsorted(energy, energy[-1] / 2))
    start = int(starts[(starts - (middle - n_samples // 2)).abs().argmin()])
    return wave[start : start + n_samples]


def expected_tile(samples: np.ndarray, rate_hz: int, settings: TileSettings) -> np.ndarray:
    wave = torchaudio.functional.resample(torch.from_numpy(samples), rate_hz, settings.rate_hz, lowpass_filter_width=16)
    window = round(settings.window_s * settings.rate_hz)
    mel = torchaudio.transforms.MelSpectrogram(
        sample_rate=settings.rate_hz,
        n_fft=2 * window,
        win_length=window,
        hop_length=round(settings.length_s * settings.rate_hz / settings.size),
        f_min=settings.f_min_hz,
        f_max=settings.f_max_hz,
        n_mels=settings.size,
    )
    power = mel(centred(wave, round(settings.length_s * settings.rate_hz)))[:, : settings.size]
    decibels = 10 * torch.log10(power.clamp_min(1e-12))
    grey = ((decibels - decibels.max()) / settings.range_db + 1).clamp(0, 1)
    return (grey * 255).round().to(torch.uint8).numpy()


def assert_equal_tiles(clips: Iterator[Clip], settings: TileSettings) -> None:
    """But for values that lie halfway between two grey levels."""
    tiles = [(compute_tile(*clip, settings), expected_tile(*clip, settings)) for clip in clips]
    difference = np.abs(np.array([ours.astype(int) - theirs for ours, theirs in tiles]))
    assert difference.max() <= 1
    assert difference.mean() <= 0.001


def synthesised() -> Iterator[Clip]:
    """Clips shorter and longer than a tile, sounds off the middle, noises of all lengths."""
    rng = np.random.default_rng(0)
    for number in range(10):
        yield tone(number, number % 5, 0), RATE_HZ
        yield np.pad(tone(number, 0, 1), (rng.integers(9000), rng.integers(9000))), RATE_HZ
        loudness = np.repeat(rng.random(10), rng.integers(1, 2000)) ** 4
        yield rng.normal(0, 0.1 * loudness).astype(np.float32), (RATE_HZ, 16_000, 48_000)[number % 3]
    yield np.ones(1, np.float32), RATE_HZ


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("length_s", [0.2, 0.8])
def test_tiles_are_those_of_torchaudio(size: int, length_s: float) -> None:
    assert_equal_tiles(synthesised(), TileSettings(size=size, length_s=length_s))


@pytest.mark.parametrize("corpus", ["fsdd", "audiomnist_sample"])
def test_tiles_of_real_recordings_are_those_of_torchaudio(corpus: str) -> None:
    paths = sorted((SHARED / corpus).rglob("*.wav"))[::20]
    if not paths:
        pytest.skip(f"{corpus} is not here")
    assert_equal_tiles((read_clip(path) for path in paths), TileSettings())


@pytest.mark.parametrize("size", [32, 64])
def test_any_length_of_a_tile_fills_it(size: int) -> None:
    for length_s in np.linspace(0.1, 0.12, 50):
        assert compute_tile(tone(3, 0, 0), RATE_HZ, TileSettings(size=size, length_s=float(length_s))).shape == (size, size)


def test_the_loudest_part_of_a_long_clip_is_kept_although_its_middle_lies_elsewhere() -> None:
    quiet, loud = np.full(12_000, 0.1, np.float32), np.full(2000, 0.2, np.float32)
    wave = np.concatenate([quiet, loud]) * np.sin(np.arange(14_000, dtype=np.float32))
    tile = compute_tile(wave, RATE_HZ, TileSettings())
    assert tile[:, 45:64].max() == 255
    assert_equal_tiles(iter([(wave, RATE_HZ)]), TileSettings())
