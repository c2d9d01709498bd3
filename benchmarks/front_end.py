"""Benchmarks of recordings to tiles: log-mel against librosa, bilateral filter against kornia. One thread each."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable

import cv2
import numpy as np
import torch
from threadpoolctl import threadpool_limits

from benchmarks.arms import Comparison, equal_within
from cnn.settings.tiles import TileSettings
from cnn.tiles.front_end import compute_tiles, smooth_tiles

SETTINGS = TileSettings(length_s=1.0)


def make_clips(n_clips: int) -> np.ndarray:
    """Return (N, S) clips of one second, symmetric in time, so that the window around their energy is the whole clip."""
    rng = np.random.default_rng(0)
    half = SETTINGS.rate_hz // 2
    time_s = np.arange(half) / SETTINGS.rate_hz
    waves = np.sin(2 * np.pi * rng.uniform(100, 2000, (n_clips, 1)) * (1 + time_s) * time_s)
    waves = (0.3 * waves + rng.normal(0, 0.02, waves.shape)).astype(np.float32)
    return np.concatenate([waves, waves[:, ::-1]], axis=1)


def arena_tiles(waves: np.ndarray) -> np.ndarray:
    return compute_tiles([(wave, SETTINGS.rate_hz) for wave in waves], SETTINGS)


def librosa_tiles(waves: np.ndarray) -> np.ndarray:
    return np.stack([librosa_tile(wave) for wave in waves])


def librosa_tile(wave: np.ndarray) -> np.ndarray:
    """Return the same tile by librosa: (F, T) uint8."""
    import librosa

    window = round(SETTINGS.window_s * SETTINGS.rate_hz)
    power = librosa.feature.melspectrogram(
        y=wave,
        sr=SETTINGS.rate_hz,
        n_fft=2 * window,
        win_length=window,
        hop_length=round(SETTINGS.length_s * SETTINGS.rate_hz / SETTINGS.size),
        n_mels=SETTINGS.size,
        fmin=SETTINGS.f_min_hz,
        fmax=SETTINGS.f_max_hz,
        htk=True,
        norm=None,
        pad_mode="reflect",
    )[:, : SETTINGS.size]
    decibels = librosa.power_to_db(power, amin=1e-12, top_db=None)
    grey = np.clip((decibels - decibels.max()) / SETTINGS.range_db + 1, 0, 1)
    return np.round(grey * 255).astype(np.uint8)


def log_mel(n_clips: int) -> Comparison:
    waves = make_clips(n_clips)

    def check() -> str:
        difference = float(np.abs(arena_tiles(waves[:20]).astype(int) - librosa_tiles(waves[:20])).mean())
        return equal_within("mean difference of a cell, in grey levels of 255, is", (difference, 0.0), 1.0)

    return Comparison(
        name=f"one-second clips to tiles of {SETTINGS.size} mel bands ({n_clips:,} for 30,000)",
        against="librosa, a clip at a time",
        unit="clips",
        floor=5.0,
        ours=lambda: _rate(arena_tiles, waves),
        theirs=lambda: _rate(librosa_tiles, waves),
        check=check,
    )


def _rate(tiles: Callable[[np.ndarray], np.ndarray], waves: np.ndarray) -> float:
    torch.set_num_threads(1)
    with threadpool_limits(1):
        started = time.perf_counter()
        tiles(waves)
        return len(waves) / (time.perf_counter() - started)


def filter_tiles(tiles: np.ndarray) -> np.ndarray:
    return smooth_tiles(tiles, SETTINGS)


def filter_with_kornia(tiles: np.ndarray) -> np.ndarray:
    """Return (N, F, T) uint8, in batches of 64: kornia's window is a square, OpenCV's a disc."""
    from kornia.filters import bilateral_blur

    s, smoothed = SETTINGS, np.empty_like(tiles)
    sigma_space = (s.bilateral_sigma_space, s.bilateral_sigma_space)
    kernel = (s.bilateral_diameter, s.bilateral_diameter)
    for start in range(0, len(tiles), 64):
        batch = torch.from_numpy(tiles[start : start + 64]).unsqueeze(1).float() / 255
        smooth = bilateral_blur(batch, kernel, s.bilateral_sigma_color / 255, sigma_space)
        smoothed[start : start + 64] = (smooth.squeeze(1) * 255).round().to(torch.uint8).numpy()
    return smoothed


def bilateral_filter(n_tiles: int) -> Comparison:
    sample = arena_tiles(make_clips(50))
    tiles = np.resize(sample, (n_tiles, *sample.shape[1:]))

    def check() -> str:
        difference = float(np.abs(filter_tiles(sample).astype(int) - filter_with_kornia(sample)).mean())
        change = float(np.abs(filter_tiles(sample).astype(int) - sample).mean())
        text = equal_within("mean difference of a cell, in grey levels of 255, is", (difference, 0.0), 0.35 * change)
        return f"{text} (the filter itself changes a cell by {change:.3g}; square window against disc)"

    return Comparison(
        name=f"bilateral filter of {n_tiles:,} tiles, {SETTINGS.size} x {SETTINGS.size}",
        against="kornia.filters.bilateral_blur, batches of 64",
        unit="tiles",
        floor=5.0,
        ours=lambda: _filter_rate(filter_tiles, tiles),
        theirs=lambda: _filter_rate(filter_with_kornia, tiles),
        check=check,
    )


def _filter_rate(run, tiles: np.ndarray) -> float:  # type: ignore[no-untyped-def]
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    started = time.perf_counter()
    run(tiles)
    return len(tiles) / (time.perf_counter() - started)


def comparisons(n_clips: int, n_tiles: int) -> tuple[list[Comparison], list[str]]:
    """Return the comparisons that can run here, and a line on each that cannot."""
    results, missing = [], []
    for name, build, n in (("librosa", log_mel, n_clips), ("kornia", bilateral_filter, n_tiles)):
        if importlib.util.find_spec(name):
            results.append(build(n))
        else:
            missing.append(f"{name} is not installed: left out what is compared with it")
    return results, missing
