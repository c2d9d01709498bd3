"""Files that are no recording, or none that is read here: each says what it is and what to do."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cnn.corpus.audio import decode, decode_any
from cnn.decoding.kinds import describe_conversion
from cnn.errors import CorpusError
from support.sounds import encode, pcm16, voice, wav_around


def zipped(name: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(name, "x")
    return content.getvalue()


NOISE = np.random.default_rng(0).uniform(-1, 1, 2000)
MP4 = b"\0\0\0\x1cftypM4A \0\0\2\0M4A isomiso2"
WEBM = b"\x1aE\xdf\xa3\x9fB\x86\x81\1B\xf7\x81\1"
RENAME = "`mv DIR/a.wav DIR/a{0} && ffmpeg -i DIR/a{0} DIR/a.wav`"
LINES = {
    b"version https://git-lfs.github.com/spec/v1\noid sha256:01\nsize 9\n": (
        "is a Git LFS pointer, not the recording: fetch that with `git lfs pull`"
    ),
    b"\xef\xbb\xbf\n<!DOCTYPE html><html>Not found": (
        "is a web page, not the recording: fetch the recording again, from an address that needs no login"
    ),
    b'{"error": "rate limit"}': "is JSON, such as a server's error, not the recording: fetch the recording again",
    b"404: Not Found": "is text, not a recording: put the recording in its place",
    "á é í, notas de la clase\n".encode() * 400: "is text, not a recording: put the recording in its place",
    b"": "is empty",
    bytes(5000): "is nothing but zeros: a copy or download broke off; copy it again",
    b"\0\5\x16\7\0\2\0\0Mac OS X        ": "is a Mac's note about another file (AppleDouble), no recording: remove it",
    b"/annex/objects/SHA256E-s9--01.wav\n": "is a git-annex pointer, not the recording: fetch that with `git annex get`",
    b"data:audio/webm;base64,GkXfo59C": "is base64 text of a recording: decode it, such as with `base64 -d`",
    b"UklGRiQAAABXQVZFZm10IBAAAAABAAEA": "is base64 text of a recording: decode it, such as with `base64 -d`",
    b"------WebKitFormBoundaryX\r\nContent-Disposition: form-data; name=a\r\n\r\n" + encode(voice(), "WAV"): (
        "is a form as a browser sends it, with the recording inside: let the server save the file alone"
    ),
    wav_around((1e30 * NOISE).astype("<f4").tobytes(), tag=3, bits=32): (
        "holds samples up to 1e+30, which are no sound: its header names another coding than it has"
    ),
    zipped("a.wav"): "is a zip archive (or an office document): unpack it and give what is inside",
    gzip.compress(b"RIFF"): "is compressed with gzip: unpack it with `gunzip`",
    b"%PDF-1.7\n": "is a PDF, not a recording: put the recording in its place",
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR": "is a picture (PNG), not a recording: put the recording in its place",
    b"\xff\xd8\xff\xe0\0\x10JFIF\0": "is a picture (JPEG), not a recording: put the recording in its place",
    b"RIFF\x24\0\0\0WEBPVP8 ": "is a picture (WebP), not a recording: put the recording in its place",
    b"\x93NUMPY\1\0v\0": "is a numpy array, not a recording: write its samples as a wav, with their rate",
    b"NIST_1A\n   1024\nsample_coding -s26 pcm,embedded-shorten-v2.00\n": (
        "is NIST SPHERE packed with shorten: unpack it with `sph2pipe -f wav`"
    ),
    MP4: f"is M4A or MP4 (AAC), which is not read here: {RENAME.format('.m4a')}",
    b"\0\0\0\x18ftyp3gp4\0\0\3\0": f"is 3GP, which is not read here: {RENAME.format('.3gp')}",
    WEBM: f"is WebM or Matroska, which is not read here: {RENAME.format('.webm')}",
    b"#!AMR\n\x3c\x91": f"is AMR, which is not read here: {RENAME.format('.amr')}",
    b"0&\xb2u\x8ef\xcf\x11\xa6\xd9": f"is WMA, which is not read here: {RENAME.format('.wma')}",
    b"\xff\xf1\x50\x80\x1b\x7f\xfc": f"is AAC, which is not read here: {RENAME.format('.aac')}",
    wav_around(bytes(900), tag=0x55): f"is a wav that holds MP3, which is not read here: {RENAME.format('.old.wav')}",
    wav_around(WEBM + bytes(range(256))): "is a wav's header around WebM or Matroska; cut off its first 44 bytes",
    wav_around(encode(voice(), "OGG", "VORBIS")): "is a wav's header around Ogg; cut off its first 44 bytes",
    pcm16(voice()): (
        "has no header, only samples of 16 bits; say their rate with "
        "`ffmpeg -f s16le -ar RATE -ac 1 -i DIR/a.wav DIR/a.new.wav`"
    ),
    b"\x01\x02\x03\x04" * 9: "is no recording that can be read: Format not recognised",
    encode(voice(), "WAV")[:30]: "is a wav that breaks off before its sound; copy it again",
}


def refusal(path: Path) -> str:
    with pytest.raises(CorpusError) as refused:
        decode(path)
    return str(refused.value).replace(str(path.parent), "DIR")


def test_a_file_that_is_something_else_says_what_it_is_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    lines = {}
    for content in LINES:
        path.write_bytes(content)
        lines[content] = refusal(path)
    assert lines == LINES


def test_m4a_called_mp3_comes_with_a_command_that_is_quoted_for_the_shell(tmp_path: Path) -> None:
    path = tmp_path / "my 'first' take.mp3"
    path.write_bytes(MP4)
    target = """'DIR/my '"'"'first'"'"' take.{}'"""
    assert (
        refusal(path)
        == f"is M4A or MP4 (AAC), which is not read here: `ffmpeg -i {target.format('mp3')} {target.format('wav')}`"
    )
    assert describe_conversion(Path("-take.m4a"), ".m4a") == "ffmpeg -i ./-take.m4a ./-take.wav"


@pytest.mark.parametrize(
    ("form", "subtype"),
    [
        *(("WAV", coding) for coding in ("PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")),
        *(("WAV", coding) for coding in ("IMA_ADPCM", "MS_ADPCM", "GSM610", "G721_32", "NMS_ADPCM_32")),
        *((form, "PCM_16") for form in ("WAVEX", "RF64", "W64", "AIFF", "CAF", "AU", "NIST", "FLAC", "VOC")),
        *(("OGG", "OPUS"), ("OGG", "VORBIS"), ("MP3", "MPEG_LAYER_III"), ("CAF", "ALAC_16")),
    ],
)
def test_the_same_sound_comes_out_of_every_container_whatever_its_name(tmp_path: Path, form: str, subtype: str) -> None:
    wave = voice(n_samples=8000)
    (tmp_path / "a.wav").write_bytes(encode(wave, form, subtype))
    recording = decode(tmp_path / "a.wav")
    assert (recording.rate_hz, recording.flags, recording.truncated) == (8000, (), False)
    n_samples = min(len(recording.samples), len(wave))
    assert n_samples > 7900
    lags = (np.corrcoef(recording.samples[lag:n_samples, 0], wave[: n_samples - lag])[0, 1] for lag in range(12))
    assert max(lags) > 0.98


def test_without_ffmpeg_on_the_path_import_and_predict_refuse_as_scan_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    (tmp_path / "a.m4a").write_bytes(MP4)
    with pytest.raises(CorpusError, match="is M4A or MP4"):
        decode_any(tmp_path / "a.m4a")
