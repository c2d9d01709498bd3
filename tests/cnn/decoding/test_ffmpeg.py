"""Recordings of phones and browsers, converted by a real ffmpeg."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from cnn.corpus.audio import TooLongError, decode, decode_any
from cnn.decoding import ffmpeg
from cnn.decoding.kinds import ForeignFileError
from cnn.errors import CorpusError
from support.ffmpeg import convert_to, link_ffmpeg
from support.sounds import voice

WAVE = voice(3, 16_000, 16_000)


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = link_ffmpeg(tmp_path / "bin")
    monkeypatch.setenv("PATH", os.fspath(folder))
    return folder


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.m4a", ()),
        ("a.webm", ("-c:a", "libopus")),
        ("a.aac", ()),
        ("a.wma", ()),
        ("a.caf", ("-c:a", "adpcm_ima_qt")),
        ("a.3gp", ("-c:a", "aac")),
        ("a.avi", ()),
        ("a.wav", ("-c:a", "wmav2")),
    ],
)
def test_what_libsndfile_does_not_read_is_converted_whatever_its_name(
    bin_folder: Path, tmp_path: Path, name: str, options: tuple[str, ...]
) -> None:
    converted = convert_to(tmp_path / name, WAVE, bin_folder, *options)
    path = converted.rename(tmp_path / "7_ana_0.mp3")
    with pytest.raises(ForeignFileError):
        decode(path)
    recording = decode_any(path)
    assert (recording.flags, recording.truncated, recording.is_plain_wav) == (("converted",), False, False)
    decoded = recording.samples[:: recording.rate_hz // 16_000, 0]
    similarity = np.fft.irfft(np.fft.rfft(decoded, 2**16) * np.fft.rfft(WAVE, 2**16).conj())  # at every lag
    assert similarity.max() > 0.95 * np.linalg.norm(decoded) * np.linalg.norm(WAVE)


def test_a_failure_of_ffmpeg_is_one_line(bin_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = convert_to(tmp_path / "a.m4a", WAVE, bin_folder)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(CorpusError, match=r"^is M4A or MP4 \(AAC\), which ffmpeg cannot convert: [^\n]+; record it again$"):
        decode_any(path)
    assert capfd.readouterr() == ("", "")


def test_a_list_of_addresses_behind_a_sound_s_signature_opens_no_other_file(bin_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.m4a"
    path.write_bytes(b"\0\0\0\x1cftypM4A \n#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n")
    with pytest.raises(CorpusError, match="which ffmpeg cannot convert"):
        decode_any(path)


def test_an_hour_of_m4a_is_too_long(bin_folder: Path, tmp_path: Path) -> None:
    path = convert_to(tmp_path / "a.m4a", np.tile(voice(4, 8000), 70), bin_folder, rate_hz=8000)
    with pytest.raises(TooLongError, match="lasts longer than 60 s"):
        decode_any(path)


def test_an_ffmpeg_that_hangs_or_cannot_run_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "ffmpeg"
    program.parent.mkdir()
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(ffmpeg, "_LIMIT_S", 0.3)
    (tmp_path / "a.m4a").write_bytes(b"\0\0\0\x1cftypM4A ")
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    with pytest.raises(CorpusError, match=r"which ffmpeg did not convert in 0\.3 s; convert it to wav by hand$"):
        decode_any(tmp_path / "a.m4a")
    program.write_bytes(b"\x7fELF of another machine")
    with pytest.raises(CorpusError, match="and ffmpeg cannot be run: Exec format error"):
        decode_any(tmp_path / "a.m4a")
