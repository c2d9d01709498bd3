"""The one decoder of recordings, for scan, import, predict and tiles: any rate, up to 8 channels. S samples, C channels.

libsndfile reads wav, flac, ogg, opus, mp3 and aiff, whatever a file is called; the headers of wavs are read here first.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import soundfile

from cnn.decoding import codings, flags, mp3, wav
from cnn.decoding.ffmpeg import convert, find_ffmpeg
from cnn.decoding.kinds import HEAD_BYTES, ForeignFileError, describe_unreadable, identify, identify_coding, identify_sound
from cnn.decoding.library_notes import drop_library_notes
from cnn.errors import CorpusError

Samples = npt.NDArray[np.float32]

LONGEST_S = 60.0  # a clip is one spoken digit; a lecture by mistake must not fill the memory
RATES_HZ = (4_000, 384_000)  # below, no consonant is left; above, no microphone records
MOST_CHANNELS = 8
SILENT_PEAK = 10 ** (-60 / 20)  # -60 dBFS, 33 steps of 16 bits; the quietest of 3,141 clips of FSDD and AudioMNIST peaks at -41
_CANCELLING = 0.5  # power of the sum of channels by that of the loudest; of channels with nothing in common it is above 1
_MAX_BYTES = 2**30  # largest part of a wav that is read
_MP3_BYTES = 2**24  # ten minutes at 224 kbit/s
_UNREAD_S = 0.1  # sound behind the declared end, below which it may be a writer's padding
_QUIET = (b"RIFF", b"RIFX", b"fLaC", b"OggS", b"FORM")  # libsndfile decodes these without libmpg123 and its notes
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
    flags: tuple[str, ...] = ()  # flags of the file, of `cnn.decoding.flags`; those of the sound are for the scan
    is_plain_wav: bool = False  # a wav, of which any player hears the same


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


def decode(path: Path, longest_s: float = LONGEST_S) -> Recording:
    """Decode a whole recording that libsndfile reads, and repair what its header gets wrong.

    Raises:
        ForeignFileError: the file is something else.
        CorpusError: the recording cannot be used; the text is the rest of a sentence that begins with the file's name.
    """
    try:
        with path.open("rb") as raw:
            head = raw.read(HEAD_BYTES)
            content = _read_wav(raw, head, longest_s)
        if kind := identify(head):
            raise ForeignFileError(path, kind)
        sound = wav.extract_sound(content)
        if sound and (kind := identify_sound(sound.body[:32])):
            raise CorpusError(
                f"is a wav's header around {kind.name.partition(',')[0]}; cut off its first {len(sound.header)} bytes"
            )
        source: Path | io.BytesIO = path
        if sound and (sound.is_changed or head[:4] != b"RIFF"):
            source = io.BytesIO(sound.to_bytes())
        elif head[:3] == b"ID3" or head[:1] == b"\xff":
            source = io.BytesIO(longer) if (longer := mp3.add_length(_read_short(path))) else path
        with drop_library_notes() if not head.startswith(_QUIET) else nullcontext(), soundfile.SoundFile(source) as file:
            return _decode(file, sound, longest_s)
    except OSError as error:
        raise CorpusError(f"cannot be opened: {error.strerror or error}") from error
    except soundfile.SoundFileError as error:
        if kind := identify_coding(head):
            raise ForeignFileError(path, kind) from error
        raise CorpusError(describe_unreadable(path, head, _reason(error))) from error


def decode_any(path: Path, longest_s: float = LONGEST_S) -> Recording:
    """Decode a whole recording as `decode` does, or by ffmpeg where that is on the path and libsndfile does not read it.

    Raises:
        CorpusError: as `decode` raises it.
    """
    try:
        return decode(path, longest_s)
    except ForeignFileError as error:
        program = find_ffmpeg()
        if not program or not error.kind.demuxer:
            raise
        sound = wav.extract_sound(convert(program, path, error.kind, longest_s))
        if not sound:
            raise CorpusError("holds no sound that ffmpeg can convert; record it again") from error
        with soundfile.SoundFile(io.BytesIO(sound.to_bytes())) as file:
            recording = _decode(file, sound, longest_s)
        return dataclasses.replace(recording, flags=(flags.CONVERTED, *recording.flags))


def _read_wav(raw: BinaryIO, head: bytes, longest_s: float) -> bytes:
    """Return the whole content of a wav, without a tag before it; nothing if it is none."""
    if head[:3] == b"ID3" and len(head) > 10:
        raw.seek(10 + mp3.read_tag_size(head))
        head = raw.read(HEAD_BYTES)
    if head[:4] != b"RIFF":
        return b""
    header = wav.read_header(head)
    n_bytes = int(4 * (longest_s + 1) * header.bytes_per_s) if header else 0  # more than too long, even if they are wrong
    return head + raw.read(min(n_bytes or _MAX_BYTES, _MAX_BYTES))


def _read_short(path: Path) -> bytes:
    """Return the content of a file that is no larger than a minute of MP3 may be."""
    with path.open("rb") as raw:
        content = raw.read(_MP3_BYTES + 1)
    return content if len(content) <= _MP3_BYTES else b""


def _decode(file: soundfile.SoundFile, sound: wav.WavSound | None, longest_s: float) -> Recording:
    _check_header(file)
    samples, complete = _frames(file, longest_s)
    subtype, marks = file.subtype, []
    if sound and len(samples) and (repaired := codings.read_otherwise(sound.body, subtype, samples)) is not None:
        samples, marks = repaired, [flags.MISCODED]
    if not np.isfinite(samples).all():
        raise CorpusError("holds samples that are no numbers (NaN or infinite)")
    if subtype in ("FLOAT", "DOUBLE") and (scaled := codings.scale_floats(samples)) is not None:
        samples = scaled
        marks.append(flags.UNSCALED)
    if codings.is_interleaved_otherwise(samples):
        marks.append(flags.INTERLEAVED)
    if sound and sound.has_header_inside:
        marks.append(flags.HEADER)
    if sound and sound.n_unread * len(samples) > _UNREAD_S * file.samplerate * len(sound.body):
        marks.append(flags.UNREAD)
    is_own_file = not isinstance(file.name, io.BytesIO)  # not repaired, cut or converted
    is_plain = file.format in ("WAV", "WAVEX") and is_own_file and not flags.REPAIRED & set(marks)
    truncated = sound.truncated if sound else not complete
    return Recording(
        samples=samples,
        rate_hz=file.samplerate,
        subtype=subtype,
        truncated=truncated,
        flags=tuple(sorted(marks)),
        is_plain_wav=is_plain,
    )


def _check_header(file: soundfile.SoundFile) -> None:
    low, high = RATES_HZ
    if not low <= file.samplerate <= high:
        raise CorpusError(f"has a rate of {file.samplerate} Hz, not between {low} and {high}")
    if file.channels > MOST_CHANNELS:
        raise CorpusError(f"has {file.channels} channels, not at most {MOST_CHANNELS}")


def _frames(file: soundfile.SoundFile, longest_s: float) -> tuple[Samples, bool]:
    """Return the samples that can be decoded, (S, C), and whether they are as many as the header promises."""
    n_max = int(longest_s * file.samplerate)
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
        raise TooLongError(f"lasts longer than {longest_s:g} s, not one spoken digit")
    return samples[:n_read], n_read == file.frames or file.frames >= _NO_LENGTH - 1


def _reason(error: Exception) -> str:
    """Return soundfile's message without the path that it repeats."""
    return " ".join(str(error).rpartition("': ")[2].removeprefix("Error : ").split()).rstrip(".")
