"""Recordings of every make, decoded: what comes back, and what is refused with which words."""

from __future__ import annotations

import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cnn.corpus.audio import decode, read_clip
from cnn.errors import CorpusError

RATE_HZ = 8000


def tone(n_samples: int = 4000, hz: float = 300.0, level: float = 0.5) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hz * np.arange(n_samples) / RATE_HZ)).astype(np.float32)


def wav(path: Path, samples: np.ndarray, rate_hz: int = RATE_HZ, subtype: str = "PCM_16") -> Path:
    soundfile.write(path, samples, rate_hz, subtype=subtype)
    return path


def with_data_size(path: Path, size: int) -> Path:
    content = bytearray(path.read_bytes())
    start = content.index(b"data") + 4
    content[start : start + 4] = struct.pack("<I", size)
    path.write_bytes(content)
    return path


def test_a_mono_wav_comes_back_sample_for_sample(tmp_path: Path) -> None:
    samples, rate_hz = read_clip(wav(tmp_path / "a.wav", tone()))
    assert (rate_hz, samples.dtype, samples.shape) == (RATE_HZ, np.float32, (4000,))
    np.testing.assert_allclose(samples, tone(), atol=1 / 32768)


def test_stereo_is_averaged(tmp_path: Path) -> None:
    first, second = tone(level=0.6), tone(level=0.2)
    samples, _ = read_clip(wav(tmp_path / "a.wav", np.stack([first, second], axis=1)))
    np.testing.assert_allclose(samples, tone(level=0.4), atol=1 / 32768)


def test_a_48_khz_stereo_flac_keeps_its_rate(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, np.stack([tone(), tone()], axis=1), 48_000)
    samples, rate_hz = read_clip(path)
    assert (rate_hz, samples.shape) == (48_000, (4000,))


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
def test_every_coding_of_wav_is_read(tmp_path: Path, subtype: str) -> None:
    samples, _ = read_clip(wav(tmp_path / "a.wav", tone(), subtype=subtype))
    np.testing.assert_allclose(samples, tone(), atol=0.02)


def test_floats_beyond_full_scale_are_limited(tmp_path: Path) -> None:
    samples, _ = read_clip(wav(tmp_path / "a.wav", 4 * tone(), subtype="FLOAT"))
    assert (samples.min(), samples.max()) == (-1.0, 1.0)


def test_a_wav_that_breaks_off_gives_what_it_holds(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", tone())
    path.write_bytes(path.read_bytes()[: 44 + 2000])
    recording = decode(path)
    assert recording.truncated
    np.testing.assert_allclose(recording.samples[:, 0], tone()[:1000], atol=1 / 32768)


def test_a_flac_that_breaks_off_gives_what_it_holds(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 30_000).astype(np.float32)
    path = tmp_path / "a.flac"
    soundfile.write(path, noise, RATE_HZ)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    recording = decode(path)
    assert recording.truncated
    n_read = len(recording.samples)
    assert 5000 < n_read < 20_000
    np.testing.assert_allclose(recording.samples[:, 0], noise[:n_read], atol=1 / 32768)


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x80000000, 0xFFFFFFFF])
def test_a_streamed_wav_without_a_size_is_read_to_its_end(tmp_path: Path, size: int) -> None:
    recording = decode(with_data_size(wav(tmp_path / "a.wav", tone()), size))
    assert (len(recording.samples), recording.truncated) == (4000, False)


def test_a_flac_that_does_not_know_its_length_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, tone(), RATE_HZ)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # the 36 bits of STREAMINFO that count the samples
    content[22:26] = bytes(4)
    path.write_bytes(content)
    recording = decode(path)
    assert (len(recording.samples), recording.truncated) == (4000, False)


def test_an_empty_data_chunk_before_other_chunks_holds_no_sound(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", tone(0))
    path.write_bytes(path.read_bytes() + b"LIST" + struct.pack("<I", 4) + b"INFO")
    assert len(decode(path).samples) == 0


def test_chunks_around_the_data_do_not_look_truncated(tmp_path: Path) -> None:
    content = wav(tmp_path / "a.wav", tone()).read_bytes()
    odd = b"note" + struct.pack("<I", 3) + b"abc\0"
    (tmp_path / "b.wav").write_bytes(content[:12] + odd + content[12:] + odd)
    recording = decode(tmp_path / "b.wav")
    assert (len(recording.samples), recording.truncated) == (4000, False)


def refusal(path: Path) -> str:
    with pytest.raises(CorpusError) as refused:
        read_clip(path)
    return str(refused.value).replace(str(path), "FILE")


def test_what_cannot_be_read_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound in here\n" * 50)
    (tmp_path / "none.wav").write_bytes(b"")
    (tmp_path / "cut.wav").write_bytes(wav(tmp_path / "a.wav", tone()).read_bytes()[:20])
    not_numbers = tone()
    not_numbers[7] = np.nan
    files = {
        tmp_path / "text.wav": "is text, not a recording: put the recording in its place",
        tmp_path / "none.wav": "is empty",
        tmp_path / "cut.wav": "is a wav that breaks off before its sound; copy it again",
        tmp_path / "missing.wav": "cannot be opened: No such file or directory",
        tmp_path: "cannot be opened: Is a directory",
        wav(tmp_path / "zero.wav", tone(0)): "holds no samples",
        wav(tmp_path / "nan.wav", not_numbers, subtype="FLOAT"): "holds samples that are no numbers (NaN or infinite)",
        wav(tmp_path / "long.wav", tone(60 * RATE_HZ + 1)): "lasts longer than 60 s, not one spoken digit",
        wav(tmp_path / "slow.wav", tone(), rate_hz=1000): "has a rate of 1000 Hz, not between 4000 and 384000",
        wav(tmp_path / "wide.wav", np.zeros((10, 12))): "has 12 channels, not at most 8",
    }
    assert {path: refusal(path) for path in files} == {
        path: f"FILE {reason}; record it again or remove it" for path, reason in files.items()
    }


def test_reading_recordings_needs_no_torch() -> None:
    import subprocess

    code = "import sys, cnn.cli.data, cnn.corpus.balance, cnn.collect.synth, cnn.splits\n"
    code += "print({'torch', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
