"""Decoder for recordings: wav and flac, any rate, mono or stereo. S samples, C channels. Numpy and soundfile only."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import soundfile

from cnn.errors import CorpusError

Samples = npt.NDArray[np.float32]

LONGEST_S = 60.0  # a clip is one spoken digit; a lecture by mistake must not fill the memory
RATES_HZ = (4_000, 384_000)  # below, no consonant is left; above, no microphone records
MOST_CHANNELS = 8
_CANCELLING = 0.5  # power of the sum of channels by that of the loudest; of channels with nothing in common it is above 1
_NO_SIZE = 0xFFFFFFFF  # size that a streaming program writes, as it cannot go back to fill it in; others leave 0,
_MIN_NO_SIZE = 0x7FFF0000  # or write about 2 GiB (sox, arecord), which is more than LONGEST_S of any rate and coding
_NO_LENGTH = 1 << 36  # frames; the flac header has 36 bits, libsndfile reports more where they are 0, "unknown"


class TooLongError(CorpusError):
    """A recording that is longer than a spoken digit can be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recording:
    """Decoded content of a file."""

    samples: Samples  # (S, C), not yet limited to [-1, 1]; S may be 0
    rate_hz: int
    subtype: str  # soundfile's name of the coding, such as PCM_16
    truncated: bool  # the file promises more samples than it holds


def to_mono(samples: Samples) -> Samples:
    """Return the channels (S, C) as one wave (S,) in [-1, 1] without its constant offset, which nobody hears.

    The offset is the mean from the first to the last sample that is not 0, so that silence around a sound changes nothing.
    """
    wave = mix(samples)
    (sounding,) = np.nonzero(wave)
    if not len(sounding):
        return wave
    start, end = sounding[0], sounding[-1] + 1
    centred = np.zeros_like(wave)
    centred[start:end] = wave[start:end] - wave[start:end].mean(dtype=np.float64)
    return centred


def mix(samples: Samples) -> Samples:
    """Average the channels, (S, C) to (S,), limited to [-1, 1]; where they cancel each other, take the loudest alone."""
    limited = np.clip(samples, -1.0, 1.0)
    if limited.shape[1] == 1:
        return limited[:, 0]
    total: Samples = limited.sum(axis=1, dtype=np.float32)
    powers = limited.var(axis=0, dtype=np.float64)
    is_heard = total.var(dtype=np.float64) >= _CANCELLING * powers.max()
    return total / np.float32(limited.shape[1]) if is_heard else limited[:, powers.argmax()]


def read_clip(path: Path, combine: Callable[[Samples], Samples] = to_mono) -> tuple[Samples, int]:
    """Return the samples (S,) float32, mono, in [-1, 1], and their rate in Hz; S is at least 1.

    Args:
        combine: makes one wave of the channels; `mix` keeps a constant offset.

    Raises:
        CorpusError: the file cannot be read, is empty, or is longer than a spoken digit can be.
    """
    try:
        recording = decode(path)
    except CorpusError as error:
        raise CorpusError(f"{path} {error}; record it again or remove it") from error
    if not len(recording.samples):
        raise CorpusError(f"{path} holds no samples; record it again or remove it")
    return combine(recording.samples), recording.rate_hz


def decode(path: Path) -> Recording:
    """Decode a whole recording.

    Raises:
        CorpusError: the recording cannot be used; the text is the rest of a sentence that begins with the file's name.
    """
    try:
        with path.open("rb") as raw:
            short, streamed_at = _wav_data(raw)
        with soundfile.SoundFile(_with_size(path, streamed_at) if streamed_at else path) as file:
            _check_header(file)
            samples, complete = _frames(file)
            if not np.isfinite(samples).all():
                raise CorpusError("holds samples that are no numbers (NaN or infinite)")
            truncated = short or not complete
            return Recording(samples=samples, rate_hz=file.samplerate, subtype=file.subtype, truncated=truncated)
    except OSError as error:
        raise CorpusError(f"cannot be opened: {error.strerror or error}") from error
    except soundfile.SoundFileError as error:
        raise CorpusError(f"is no wav or flac that can be read: {_reason(error)}") from error


def _wav_data(raw: BinaryIO) -> tuple[bool, int]:
    """Return whether a wav's data chunk is cut short, and the offset of its sound if its size is given as 0 (else 0)."""
    n_bytes = os.fstat(raw.fileno()).st_size
    if raw.read(4) != b"RIFF" or raw.read(8)[4:] != b"WAVE":
        return False, 0
    block_align = 1
    while len(head := raw.read(8)) == 8:
        size = struct.unpack("<I", head[4:])[0]
        n_left = n_bytes - raw.tell()
        if head[:4] == b"data":
            short = size < _MIN_NO_SIZE and size - n_left >= block_align
            streamed = size == 0 and not _is_chunks(raw.read(n_left))
            return short, n_bytes - n_left if streamed else 0
        if head[:4] == b"fmt ":
            body = raw.read(min(size, 16))
            block_align = max(1, struct.unpack("<H", body[12:14])[0]) if len(body) == 16 else 1
            size -= len(body)
        raw.seek(size + size % 2, os.SEEK_CUR)  # a chunk of odd length has a pad byte
    return False, 0


def _is_chunks(content: bytes) -> bool:
    """Return whether the bytes after the data are empty or a sequence of other chunks, and so no sound."""
    offset = 0
    while offset + 8 <= len(content):
        size = struct.unpack("<I", content[offset + 4 : offset + 8])[0]
        offset += 8 + size + size % 2
    return offset in (len(content), len(content) + 1)


def _with_size(path: Path, start: int) -> io.BytesIO:
    """Return the wav with the true size of its data in place of the 0, which libsndfile takes literally."""
    content = bytearray(path.read_bytes())
    content[start - 4 : start] = struct.pack("<I", min(len(content) - start, _NO_SIZE))
    return io.BytesIO(bytes(content))


def _check_header(file: soundfile.SoundFile) -> None:
    low, high = RATES_HZ
    if not low <= file.samplerate <= high:
        raise CorpusError(f"has a rate of {file.samplerate} Hz, not between {low} and {high}")
    if file.channels > MOST_CHANNELS:
        raise CorpusError(f"has {file.channels} channels, not at most {MOST_CHANNELS}")


def _frames(file: soundfile.SoundFile) -> tuple[Samples, bool]:
    """Return the samples that can be decoded, (S, C), and whether they are as many as the header promises."""
    n_max = int(LONGEST_S * file.samplerate)
    samples = np.full((min(file.frames, n_max + 1), file.channels), np.nan, dtype=np.float32)
    try:
        n_read = len(file.read(out=samples)) if len(samples) else 0
    except soundfile.SoundFileError:
        # A flac that breaks off raises after it has filled what it could: the first untouched NaN is the end.
        untouched = np.isnan(samples[:, 0])
        n_read = int(untouched.argmax()) if untouched.any() else len(samples)
        if n_read == 0:
            raise
    if n_read > n_max:
        raise TooLongError(f"lasts longer than {LONGEST_S:g} s, not one spoken digit")
    return samples[:n_read], n_read == file.frames or file.frames >= _NO_LENGTH - 1


def _reason(error: Exception) -> str:
    """Return soundfile's message without the path that it repeats."""
    return " ".join(str(error).rpartition("': ")[2].removeprefix("Error : ").split()).rstrip(".")
