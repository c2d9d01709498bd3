"""Recordings that a net is asked about: the files of a folder, files by name, or a stream. Their names need say no digit."""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

from cnn.corpus.audio import LONGEST_S, Samples, decode, mono, peak_deviation
from cnn.corpus.listing import SUFFIXES
from cnn.corpus.scan import SILENT_PEAK
from cnn.errors import CorpusError

STREAM = "-"
_HEAD_BYTES = 4096  # within which a wav says its bytes a second
_MOST_BYTES = 32 * 2**20  # of a stream that does not: more than a minute of any flac


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordingFile:
    """One recording."""

    name: str  # of a file in a folder of --clips its id, otherwise as it was given
    label: str  # what a message calls it
    path: Path


def find_recordings(folder: Path) -> list[RecordingFile]:
    """Every wav and flac file below `folder` that is not hidden, named as a submission names it: the path without suffix.

    Raises:
        CorpusError: there is none, or two would have one name.
    """
    if not folder.is_dir():
        raise CorpusError(f"{folder} is {'a file' if folder.exists() else 'not there'}; give the folder of the recordings")
    found: dict[str, RecordingFile] = {}
    for inner in _recordings_below(folder):
        path = folder / inner
        name = unicodedata.normalize("NFC", inner.with_suffix("").as_posix())  # as a corpus names its clips
        if name in found:
            raise CorpusError(
                f"{found[name].path} and {path} would both be {name!r} in a submission; rename or remove one of them"
            )
        found[name] = RecordingFile(name=name, label=str(path), path=path)
    return list(found.values())


def _recordings_below(folder: Path) -> list[Path]:
    """Their paths below `folder`, sorted."""
    inner = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES)
    shown = (path for path in inner if not any(part.startswith(".") for part in path.parts))
    if not (found := [path for path in shown if not (folder / path).is_dir()]):
        raise CorpusError(f"no wav or flac files in {folder}; give the folder that holds the recordings")
    return found


@contextmanager
def open_recordings(names: Sequence[str], stream: BinaryIO) -> Iterator[list[RecordingFile]]:
    """The files `names`, in their order; `-` is what `stream` holds, kept in a file while this lasts.

    A folder is all wav and flac files below it, named by their path below it, or from it on where it is not the only name.

    Raises:
        CorpusError: `-` twice, or at a terminal; a folder without recordings.
    """
    with TemporaryDirectory(prefix="arena-") as kept:
        streamed = Path(kept) / "stream"
        if names.count(STREAM) > 1:
            raise CorpusError("- is one recording on the standard input; give it once")
        if STREAM in names:
            if stream.isatty():
                raise CorpusError("- is a recording from a pipe, such as `arecord -d 2 -f S16_LE | arena predict RUN -`")
            _save(stream, streamed)
        named = (_named(name, streamed, is_alone=len(names) == 1) for name in names)
        yield [source for sources in named for source in sources]


def _named(name: str, streamed: Path, *, is_alone: bool) -> list[RecordingFile]:
    if name == STREAM:
        return [RecordingFile(name=name, label="standard input", path=streamed)]
    path = Path(name)
    if not path.is_dir():
        return [RecordingFile(name=name, label=name, path=path)]
    return [
        RecordingFile(name=str(inner if is_alone else path / inner), label=str(path / inner), path=path / inner)
        for inner in _recordings_below(path)
    ]


def _save(stream: BinaryIO, path: Path) -> None:
    """All of the stream, or somewhat more than the longest recording: reading the file tells which."""
    head = stream.read(_HEAD_BYTES)
    place = head.find(b"fmt ") + 16  # where a wav has its bytes a second
    is_wav = head[:4] == b"RIFF" and 16 <= place <= len(head) - 4
    left = int(LONGEST_S * struct.unpack_from("<I", head, place)[0]) + _HEAD_BYTES if is_wav else _MOST_BYTES
    with path.open("wb") as file:
        file.write(head)
        while left > 0 and (block := stream.read(min(left, 2**16))):
            file.write(block)
            left -= len(block)


def read_recording(source: RecordingFile) -> tuple[Samples, int]:
    """The samples (S,) float32, mono, in [-1, 1], and their rate in Hz.

    Raises:
        CorpusError: why there is nothing to hear, as the rest of a sentence that begins with the name.
    """
    if not source.name.isprintable():
        raise CorpusError("has a name that cannot be printed; rename it")
    if source.path.exists() and not source.path.is_file():
        raise CorpusError(f"is no ordinary file; give its content to `{STREAM}`")
    if source.path.exists() and not source.path.stat().st_size:
        raise CorpusError("is empty; record it again")
    recording = decode(source.path)
    if not len(recording.samples):
        raise CorpusError("holds no samples; record it again")
    if recording.truncated:
        raise CorpusError("breaks off: its header promises more sound than it holds; copy or record it again")
    samples = mono(recording.samples)
    if peak_deviation(samples) < SILENT_PEAK:
        raise CorpusError("is silent; record it again")
    return samples, recording.rate_hz
