"""One sound in many files: its tile is the same, whatever offset, gain, channels, rate and container it comes in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from typer.testing import CliRunner

from arena.cli import app
from cnn.corpus.audio import Samples, read_clip
from cnn.corpus.scan import scan
from cnn.settings.tiles import TileSettings
from cnn.tiles.front_end import compute_tile, resampler
from cnn.tiles.tile_set import find_tiles
from support.sounds import RATE_HZ, voice

SOUNDS = {"0_ana_0": 0, "5_ana_0": 1, "7_ana_0": 2}  # name and seed
VOICES = [voice(seed) * 0.6 for seed in range(6)]  # at most 0.42: there is room for an offset


def correlate(tile: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(tile.ravel(), other.ravel())[0, 1])


def run(*words: object) -> str:
    result = CliRunner().invoke(app, ["data", *map(str, words)])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_constant_offset_changes_neither_what_scan_says_nor_the_tiles(tmp_path: Path) -> None:
    tiles = {}
    for offset in (0.0, 0.05, 0.3, -0.5):
        corpus, folder = tmp_path / f"offset_{offset}", tmp_path / f"tiles_{offset}"
        corpus.mkdir()
        for name, seed in SOUNDS.items():
            soundfile.write(corpus / f"{name}.wav", VOICES[seed] + offset, RATE_HZ, subtype="PCM_16")
        facts = json.loads(run("scan", corpus, "--json"))
        assert (facts["balance"]["n_clips"], facts["not_read"], facts["flagged"]) == (3, {}, {})
        run("prepare", corpus, "--tiles", folder)
        made = find_tiles(folder)
        tiles[offset] = np.stack([made.pictures("raw"), made.pictures("bilateral")]).reshape(6, -1)
    for offset in (0.05, 0.3, -0.5):
        assert min(map(correlate, tiles[offset], tiles[0.0])) > 0.99


def stereo(left: Samples, right: Samples) -> Samples:
    return np.stack([left, right], axis=1).astype(np.float32)


def noise(wave: Samples, level: float = 1e-3) -> Samples:
    return np.random.default_rng(0).normal(0, level, len(wave)).astype(np.float32)


CHANNELS: dict[str, Callable[[Samples], Samples]] = {
    "mono duplicated": lambda wave: stereo(wave, wave),
    "sides swapped": lambda wave: stereo(0.2 * wave, wave),
    "one side dead": lambda wave: stereo(np.zeros_like(wave), wave),
    "one side dead but for an offset": lambda wave: stereo(np.full_like(wave, -0.9), wave),
    "one side dead but for noise": lambda wave: stereo(wave, noise(wave)),
    "one side upside down": lambda wave: stereo(wave, -wave),
    "one side upside down, with an offset and noise": lambda wave: stereo(wave + 0.2, noise(wave) - 0.9 * wave),
    "one of four alive": lambda wave: np.pad(wave[:, None], ((0, 0), (2, 1))),
    "offset": lambda wave: wave + np.float32(0.3),
    "offset, then silence": lambda wave: np.pad(wave + np.float32(0.1), (3000, 2000)),
    "quiet": lambda wave: 0.05 * wave,
    "loud": lambda wave: 2.2 * wave,
    "upside down": lambda wave: -wave,
}


@pytest.mark.parametrize("change", CHANNELS)
def test_offset_gain_and_channels_change_no_tile(tmp_path: Path, change: str) -> None:
    for wave in VOICES:
        soundfile.write(tmp_path / "a.wav", CHANNELS[change](wave), RATE_HZ, subtype="PCM_24")
        tile = compute_tile(*read_clip(tmp_path / "a.wav"), TileSettings())
        assert correlate(tile, compute_tile(wave, RATE_HZ, TileSettings())) > 0.99


CONTAINERS = [
    *[("WAV", subtype) for subtype in ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")],
    *[("WAVEX", "PCM_16"), ("RF64", "PCM_16"), ("AIFF", "PCM_16"), ("FLAC", "PCM_16"), ("FLAC", "PCM_24"), ("OGG", "VORBIS")],
]


@pytest.mark.parametrize(("container", "subtype"), CONTAINERS)
@pytest.mark.parametrize("offset", [0.0, 0.3])
def test_a_container_changes_no_tile(tmp_path: Path, container: str, subtype: str, offset: float) -> None:
    for wave in VOICES[:3]:
        soundfile.write(tmp_path / "a", wave + offset, RATE_HZ, format=container, subtype=subtype)
        tile = compute_tile(*read_clip(tmp_path / "a"), TileSettings())
        assert correlate(tile, compute_tile(wave, RATE_HZ, TileSettings())) > 0.99


@pytest.mark.parametrize("rate_hz", [11_025, 16_000, 22_050, 44_100, 48_000])
def test_a_rate_changes_no_tile(tmp_path: Path, rate_hz: int) -> None:
    for wave in VOICES:
        other = resampler(RATE_HZ, rate_hz)(torch.from_numpy(wave)).numpy()
        soundfile.write(tmp_path / "a.wav", other + 0.3, rate_hz, subtype="PCM_16")
        tile = compute_tile(*read_clip(tmp_path / "a.wav"), TileSettings())
        assert correlate(tile, compute_tile(wave, RATE_HZ, TileSettings())) > 0.99


def test_clipped_is_what_stands_at_full_scale_and_silent_what_moves_too_little_whatever_the_offset(tmp_path: Path) -> None:
    for name, wave in {"0_a_0": 3 * VOICES[0], "1_a_0": VOICES[1] + 0.9, "2_a_0": VOICES[2] * 1e-3 + 0.5}.items():
        soundfile.write(tmp_path / f"{name}.wav", np.clip(wave, -1, 1), RATE_HZ, subtype="PCM_16")
    corpus = scan(tmp_path)
    assert {clip.id: clip.flags for clip in corpus.clips} == {"0_a_0": ("clipped",), "1_a_0": ("clipped",)}
    assert [(problem.path, problem.reason) for problem in corpus.problems] == [("2_a_0.wav", "is silent: its peak is -68 dBFS")]


@pytest.mark.parametrize(
    "add",
    [
        lambda t: 0.3 * (2 * t / t[-1] - 1),  # a drift
        lambda t: 0.3 * np.exp(-t / 0.05),  # a microphone that settles
        lambda t: 0.3 * np.sin(2 * np.pi * 10 * t),
    ],
)
def test_what_is_below_any_voice_and_changes_a_tile_is_flagged(add: Callable[[Samples], Samples], tmp_path: Path) -> None:
    for seed, sound in enumerate(VOICES):
        low = add(np.arange(len(sound)) / RATE_HZ).astype(np.float32)
        soundfile.write(tmp_path / f"{seed}_ana_0.wav", sound, RATE_HZ, subtype="PCM_16")
        soundfile.write(tmp_path / f"{seed}_luis_0.wav", sound + low, RATE_HZ, subtype="PCM_16")
    assert {(clip.speaker, clip.flags) for clip in scan(tmp_path).clips} == {("ana", ()), ("luis", ("rumble",))}
