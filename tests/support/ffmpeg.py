"""A real ffmpeg, from the package imageio-ffmpeg, in a folder that a test may put on the path."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from support.sounds import pcm16, wav_around


def link_ffmpeg(folder: Path) -> Path:
    """Make `folder` with an `ffmpeg` in it; the test is skipped where the package is not installed."""
    package = pytest.importorskip("imageio_ffmpeg", reason="imageio-ffmpeg, which brings ffmpeg, is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ffmpeg").symlink_to(package.get_ffmpeg_exe())
    return folder


def convert_to(path: Path, wave: np.ndarray, bin_folder: Path, *options: str, rate_hz: int = 16_000) -> Path:
    """Write the sound as ffmpeg does by the suffix of `path`."""
    command = [os.fspath(bin_folder / "ffmpeg"), "-loglevel", "error", "-f", "wav", "-i", "-", *options, "-y", os.fspath(path)]
    subprocess.run(command, input=wav_around(pcm16(wave), rate_hz=rate_hz), check=True)
    return path
