"""Wavs whose header or coding is wrong: repaired, flagged, or neither where the sound is all there."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from cnn.corpus.audio import Recording, decode
from cnn.errors import CorpusError
from support.sounds import RATE_HZ, encode, pcm16, voice, wav_around

WAVE = voice()
BODY = pcm16(WAVE)
SOUND = np.frombuffer(BODY, "<i2") / np.float32(32768)
NOTES = b"LIST" + struct.pack("<I", 20) + b"INFOISFT" + struct.pack("<I", 8) + b"Rec 1.0\0"
DATA = b"data" + struct.pack("<I", len(BODY))
TAG = b"ID3\3\0\0\0\0\0\x0a" + bytes(10)
REPAIRED = {
    "notes and a data header before the sound": (wav_around(NOTES + DATA + BODY), "header"),
    "a data header without a size": (wav_around(NOTES + b"data\0\0\0\0" + BODY), "header"),
    "notes and a data header of another size": (wav_around(NOTES + b"data\x99\x99\0\0" + BODY), "header"),
    "a whole wav as the sound": (wav_around(wav_around(BODY), rate_hz=44_100), "header"),
    "a whole wav of unknown length as the sound": (wav_around(wav_around(BODY, size=0xFFFFFFFF)), "header"),
    "notes after the sound": (wav_around(BODY + NOTES), "header"),
    "an ID3 tag after the sound": (wav_around(BODY + b"TAG" + b"Ana".ljust(124, b"\0") + b"\xff"), "header"),
    "two wavs end to end": (wav_around(BODY[:2000] + wav_around(BODY[2000:]), size=0xFFFFFFFF), "header"),
    "an ID3 tag before it": (TAG + wav_around(BODY), ""),
    "44 bytes too many": (wav_around(BODY, size=len(BODY) + 44), ""),
    "36 bytes too many": (wav_around(BODY, size=len(BODY) + 36), ""),
    "a byte too many": (wav_around(BODY + b"\0", size=len(BODY) + 1), ""),
    "size 0": (wav_around(BODY, size=0), ""),
    "no size": (wav_around(BODY, size=0xFFFFFFFF), ""),
    "notes behind the sound": (wav_around(BODY, size=len(BODY)) + NOTES, ""),
    "zeros behind the sound": (wav_around(BODY) + bytes(4096), ""),
    "block align 0": (wav_around(BODY)[:32] + b"\0\0" + wav_around(BODY)[34:], ""),
    "block align 4": (wav_around(BODY)[:32] + b"\4\0" + wav_around(BODY)[34:], ""),
    "big-endian": (wav_around(np.frombuffer(BODY, "<i2").astype(">i2").tobytes()), "miscoded"),
    "shifted by a byte": (wav_around(b"\0" + BODY), "miscoded"),
    "unsigned": (wav_around((np.frombuffer(BODY, "<u2") ^ 0x8000).tobytes()), "miscoded"),
    "16 bits said to be 8": (wav_around(BODY, bits=8), "miscoded"),
    "16 bits said to be 24": (wav_around(BODY[:6399], bits=24), "miscoded"),
    "16 bits said to be 32": (wav_around(BODY, bits=32), "miscoded"),
    "24 bits said to be 16": (wav_around(encode(WAVE, "WAV", "PCM_24")[-9600:]), "miscoded"),
    "16 bits said to be floats": (wav_around(BODY, tag=3, bits=32), "miscoded"),
    "floats said to be 16 bits": (wav_around(SOUND.tobytes(), bits=16), "miscoded"),
    "floats said to be integers": (wav_around(SOUND.tobytes(), bits=32), "miscoded"),
    "integers said to be floats": (
        wav_around((np.frombuffer(BODY, "<i2").astype("<i4") << 16).tobytes(), tag=3, bits=32),
        "miscoded",
    ),
    "floats of integers": (wav_around(np.frombuffer(BODY, "<i2").astype("<f4").tobytes(), tag=3, bits=32), "unscaled"),
    "doubles of integers": (wav_around(np.frombuffer(BODY, "<i2").astype("<f8").tobytes(), tag=3, bits=64), "unscaled"),
    "floats of 24 bits": (wav_around((SOUND * 2**23).astype("<f4").tobytes(), tag=3, bits=32), "unscaled"),
}
EIGHT = np.rint(WAVE * 127).astype("i1")
STEREO = np.stack([SOUND, SOUND], axis=1)
FLAGGED = {
    "8 bits signed": (wav_around(EIGHT.tobytes(), bits=8), "miscoded"),
    "8 bits said to be 16": (wav_around((EIGHT.view("u1") ^ 0x80).tobytes(), bits=16), "miscoded"),
    "stereo said to be mono": (wav_around(pcm16(STEREO)), "interleaved"),
    "stereo with a dead channel said to be mono": (wav_around(pcm16(STEREO * [1, 0])), "interleaved"),
    "samples written twice": (wav_around(pcm16(np.repeat(WAVE, 2)), rate_hz=16_000), "interleaved"),
    "mono said to be stereo": (wav_around(BODY, n_channels=2), "interleaved"),
    "floats of unit variance": (wav_around((20 / 0.7 * WAVE).astype("<f4").tobytes(), tag=3, bits=32), "unscaled"),
    "half of the sound behind its end": (wav_around(BODY, size=len(BODY) // 2), "unread"),
}
NOISE = np.random.default_rng(1).normal(0, 0.1, 4000).astype(np.float32)
PLAIN = {
    "white noise": wav_around(pcm16(NOISE)),
    "noise in 8 bits": wav_around(((NOISE * 127).astype("i1").view("u1") ^ 0x80).tobytes(), bits=8),
    "hiss": wav_around(pcm16(np.diff(NOISE, 2) / 4)),
    "a tone at half the rate": wav_around(pcm16(0.5 * (-1.0) ** np.arange(4000) * np.hanning(4000))),
    "true stereo": wav_around(pcm16(np.stack([WAVE, 0.8 * voice(1)], axis=1)), n_channels=2),
    "equal channels": wav_around(pcm16(STEREO), n_channels=2),
    "a channel late by a sample": wav_around(pcm16(np.stack([WAVE, np.roll(WAVE, 1)], axis=1)), n_channels=2),
    "a large chunk of Adobe's behind it": wav_around(BODY) + b"_PMX" + struct.pack("<I", 9000) + b"x" * 9000,
    "a large chunk without a pad byte": wav_around(((NOISE[1:] * 127).astype("i1").view("u1") ^ 0x80).tobytes(), bits=8)
    + (b"LIST" + struct.pack("<I", 9000) + b"INFO" * 2250),
    "hot floats": wav_around((2.2 * WAVE).astype("<f4").tobytes(), tag=3, bits=32),
    "floats": wav_around(SOUND.tobytes(), tag=3, bits=32),
    "24 bits": encode(WAVE, "WAV", "PCM_24"),
    "32 bits": encode(WAVE, "WAV", "PCM_32"),
    "quiet": wav_around(pcm16(0.01 * WAVE)),
    "48 kHz": wav_around(pcm16(voice(2, 19_200, 48_000)), rate_hz=48_000),
}


def decoded(folder: Path, content: bytes) -> Recording:
    (folder / "a.wav").write_bytes(content)
    return decode(folder / "a.wav")


def test_what_a_recorder_got_wrong_is_repaired_and_said(tmp_path: Path) -> None:
    results = {name: decoded(tmp_path, content) for name, (content, _) in REPAIRED.items()}
    assert {name: " ".join(r.flags) for name, r in results.items()} == {name: flag for name, (_, flag) in REPAIRED.items()}
    for name, recording in results.items():
        assert (recording.rate_hz, recording.truncated) == (RATE_HZ, False), name
        assert abs(len(recording.samples) - len(SOUND)) <= 1, name
        n_samples = min(len(recording.samples), len(SOUND))
        np.testing.assert_allclose(recording.samples[:n_samples, 0], SOUND[:n_samples], atol=1e-4, err_msg=name)


def test_import_hands_on_the_bytes_of_those_alone_that_any_player_plays_alike(tmp_path: Path) -> None:
    assert {name for name, (content, _) in REPAIRED.items() if decoded(tmp_path, content).is_plain_wav} == {
        *("a byte too many", "notes behind the sound", "zeros behind the sound", "block align 0", "block align 4")
    }
    assert [name for name, content in PLAIN.items() if not decoded(tmp_path, content).is_plain_wav] == []


def test_what_has_two_readings_is_flagged_and_left_as_it_is(tmp_path: Path) -> None:
    flags = {name: " ".join(decoded(tmp_path, content).flags) for name, (content, _) in FLAGGED.items()}
    assert flags == {name: flag for name, (_, flag) in FLAGGED.items()}


def test_sound_as_it_should_be_has_no_flag(tmp_path: Path) -> None:
    assert {name: decoded(tmp_path, content).flags for name, content in PLAIN.items()} == dict.fromkeys(PLAIN, ())


def test_samples_of_the_other_sign_are_read_also_where_they_are_smooth_between_jumps(tmp_path: Path) -> None:
    for wave in [voice(seed, 17_640, 44_100) for seed in range(5)]:
        eight = wav_around(np.rint(wave * 127).astype("i1").tobytes(), rate_hz=44_100, bits=8)
        sixteen = wav_around((np.rint(wave * 32767).astype("<i2").view("<u2") ^ 0x8000).tobytes(), rate_hz=44_100)
        for recording in (decoded(tmp_path, eight), decoded(tmp_path, sixteen)):
            assert recording.flags == ("miscoded",)
            np.testing.assert_allclose(recording.samples[:, 0], wave, atol=0.02)


def test_a_wav_that_lacks_more_than_a_header_is_truncated(tmp_path: Path) -> None:
    assert decoded(tmp_path, wav_around(BODY, size=len(BODY) + 400)).truncated
    assert decoded(tmp_path, wav_around(wav_around(BODY[:3000], size=len(BODY)))).truncated


def test_a_wav_of_hours_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav_around(BODY, size=2**31 - 2**17))
    with path.open("r+b") as file:
        file.truncate(2**31 - 2**17 + 44)  # a sparse file
    with pytest.raises(CorpusError, match="lasts longer than 60 s"):
        decode(path)


@pytest.mark.parametrize("seed", range(4))
def test_voices_of_any_pitch_and_rate_are_told_from_noise_and_from_each_other(tmp_path: Path, seed: int) -> None:
    rate_hz = (8000, 16_000, 22_050, 48_000)[seed]
    wave = voice(seed + 10, rate_hz // 3, rate_hz)
    body = pcm16(wave)
    assert decoded(tmp_path, wav_around(body, rate_hz=rate_hz)).flags == ()
    swapped = np.frombuffer(body, "<i2").astype(">i2").tobytes()
    recording = decoded(tmp_path, wav_around(swapped, rate_hz=rate_hz))
    assert recording.flags == ("miscoded",)
    np.testing.assert_allclose(recording.samples[:, 0], wave, atol=1e-3)
