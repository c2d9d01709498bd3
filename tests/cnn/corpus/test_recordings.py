"""Recordings to classify: every one once, under one name, and never more of a stream than a minute."""

from __future__ import annotations

import io
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cnn.corpus.recordings import (
    RecordedSamples,
    RecordingFile,
    decode_recording,
    find_recordings,
    open_recordings,
    read_recording,
)
from cnn.errors import CorpusError


def wav(path: Path, length_s: float = 0.5, rate_hz: int = 8000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    time = np.arange(int(length_s * rate_hz)) / rate_hz
    soundfile.write(path, (0.5 * np.sin(2 * np.pi * 300 * time)).astype(np.float32), rate_hz, subtype="PCM_16", format="WAV")
    return path


def test_recordings_are_named_by_their_path_and_hidden_ones_left_out(tmp_path: Path) -> None:
    for name in ("b.wav", "a/c.WAV", "a/d.flac", ".hidden.wav", ".git/e.wav", "notes.txt"):
        wav(tmp_path / name)
    (tmp_path / "folder.wav").mkdir()
    assert [source.name for source in find_recordings(tmp_path)] == ["a/c", "a/d", "b"]


def test_names_are_composed_wherever_the_files_come_from(tmp_path: Path) -> None:
    wav(tmp_path / (unicodedata.normalize("NFD", "séptimo") + ".wav"))
    assert [source.name for source in find_recordings(tmp_path)] == [unicodedata.normalize("NFC", "séptimo")]


def test_two_recordings_of_one_name_are_refused(tmp_path: Path) -> None:
    wav(tmp_path / "x.flac")
    wav(tmp_path / "x.wav")
    with pytest.raises(CorpusError) as refused:
        find_recordings(tmp_path)
    assert str(refused.value) == (
        f"{tmp_path / 'x.flac'} and {tmp_path / 'x.wav'} would both be 'x' in a submission; rename or remove one of them"
    )


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r" is empty; give the folder that holds the recordings"):
        find_recordings(tmp_path)
    with pytest.raises(CorpusError, match=r"nowhere is not there; give the folder of the recordings"):
        find_recordings(tmp_path / "nowhere")


class Endless(io.RawIOBase):
    """A stream that begins as the file `head` and never ends."""

    def __init__(self, head: bytes) -> None:
        self.head = head
        self.n_read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        content = self.head[self.n_read : self.n_read + len(buffer)] or b"\x55" * len(buffer)
        buffer[: len(content)] = content
        self.n_read += len(content)
        return len(content)


def test_a_recording_that_breaks_off_is_refused_with_the_reason(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CorpusError) as refused:
        read_recording(RecordingFile(name="a", label="a", path=path))
    assert str(refused.value) == "breaks off: its header promises more sound than it holds; copy or record it again"


def test_a_constant_is_as_silent_as_no_sound(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.full(4000, 0.5), 8000)
    with pytest.raises(CorpusError, match=r"^is silent; record it again$"):
        read_recording(RecordingFile(name="a", label="a", path=tmp_path / "a.wav"))


@pytest.mark.parametrize("is_wav", [True, False])
def test_an_endless_stream_is_read_for_a_minute_of_sound_and_refused(tmp_path: Path, is_wav: bool) -> None:
    head = wav(tmp_path / "a.wav").read_bytes()
    head = head.replace(b"data" + (8000).to_bytes(4, "little"), b"data" + b"\xff" * 4) if is_wav else b"fLaC" + head
    raw = Endless(head)
    with open_recordings(["-"], io.BufferedReader(raw)) as (source,), pytest.raises(CorpusError) as refused:
        read_recording(source)
    if is_wav:
        assert str(refused.value) == "lasts longer than 60 s, not one spoken digit"
    assert raw.n_read < (1_100_000 if is_wav else 40_000_000)


def test_the_standard_input_is_one_recording_from_a_pipe(tmp_path: Path) -> None:
    class Terminal(io.BytesIO):
        def isatty(self) -> bool:
            return True

    with pytest.raises(CorpusError, match="- is a recording from a pipe, such as `arecord"), open_recordings(["-"], Terminal()):
        pass
    with pytest.raises(CorpusError, match="give it once"), open_recordings(["-", "-"], io.BytesIO()):
        pass


def test_what_was_streamed_is_kept_no_longer_than_needed(tmp_path: Path) -> None:
    content = io.BytesIO(wav(tmp_path / "a.wav").read_bytes())
    with open_recordings(["x.wav", "-"], content) as sources:
        assert sources[0] == RecordingFile(name="x.wav", label="x.wav", path=Path("x.wav"))
        assert len(read_recording(sources[1])[0]) == 4000
    assert not sources[1].path.exists()


def test_a_stream_whose_header_lacks_the_bytes_per_second_is_read_whole(tmp_path: Path) -> None:
    content = bytearray(wav(tmp_path / "a.wav", 2.5).read_bytes())
    content[28:32] = bytes(4)
    with open_recordings(["-"], io.BytesIO(content)) as sources:
        assert len(read_recording(sources[0])[0]) == 20_000


def test_m4a_from_a_pipe_is_sent_through_ffmpeg_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    rule = r"^is M4A or MP4 \(AAC\), which is not read here: send it through `ffmpeg -i - -f wav -` first$"
    with open_recordings(["-"], io.BytesIO(b"\0\0\0\x1cftypM4A ")) as sources, pytest.raises(CorpusError, match=rule):
        read_recording(sources[0])


def test_samples_without_scale_are_scaled_and_flagged() -> None:
    wave = np.sin(np.arange(4000, dtype=np.float32) / 5)
    recording = decode_recording(RecordedSamples(name="the recording", samples=12_000 * wave, rate_hz=8000))
    assert recording.flags == ("unscaled",)
    np.testing.assert_allclose(recording.samples[:, 0], wave * 12_000 / 32_768, atol=1e-6)
