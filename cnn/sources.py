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

import numpy as np

from cnn.audio import LONGEST_S, Samples, decode, mono
from cnn.corpus import SILENT_PEAK
from cnn.errors import CorpusError
from cnn.listing import SUFFIXES

STREAM = "-"
_HEAD_BYTES = 4096  # within which a wav says its bytes a second
_MOST_BYTES = 32 * 2**20  # of a stream that does not: more than a minute of any flac


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """One recording."""

    name: str  # of a file in a folder its id, otherwise as it was given
    path: Path


def sources_in(folder: Path) -> list[Source]:
    """Every wav and flac file below `folder` that is not hidden, named as a submission names it: the path without suffix.

    Raises:
        CorpusError: there is none, or two would have one name.
    """
    if not folder.is_dir():
        raise CorpusError(f"{folder} is {'a file' if folder.exists() else 'not there'}; give the folder of the recordings")
    found: dict[str, Source] = {}
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if path.suffix.lower() not in SUFFIXES or any(part.startswith(".") for part in inner.parts) or path.is_dir():
            continue
        name = unicodedata.normalize("NFC", inner.with_suffix("").as_posix())  # as a corpus names its clips
        if name in found:
            raise CorpusError(
                f"{found[name].path} and {path} would both be {name!r} in a submission; rename or remove one of them"
            )
        found[name] = Source(name=name, path=path)
    if not found:
        raise CorpusError(f"no wav or flac files in {folder}; give the folder that holds the recordings")
    return list(found.values())


@contextmanager
def sources_named(names: Sequence[str], stream: BinaryIO) -> Iterator[list[Source]]:
    """The files `names`, in their order; `-` is what `stream` holds, kept in a file while this lasts.

    Raises:
        CorpusError: `-` twice, or at a terminal.
    """
    with TemporaryDirectory(prefix="arena-") as kept:
        streamed = Path(kept) / "stream"
        if names.count(STREAM) > 1:
            raise CorpusError("- is one recording on the standard input; give it once")
        if STREAM in names:
            if stream.isatty():
                raise CorpusError("- is a recording from a pipe, such as `arecord -d 2 -f S16_LE | arena predict RUN -`")
            _save(stream, streamed)
        yield [Source(name=name, path=streamed if name == STREAM else Path(name)) for name in names]


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


def hear(source: Source) -> tuple[Samples, int]:
    """The samples (S,) float32, mono, in [-1, 1], and their rate in Hz.

    Raises:
        CorpusError: why there is nothing to hear, as the rest of a sentence that begins with the name.
    """
    if not source.name.isprintable():
        raise CorpusError("has a name that cannot be printed; rename it")
    if source.path.is_dir():
        raise CorpusError("is a folder; give it with --clips")
    if source.path.exists() and not source.path.is_file():
        raise CorpusError(f"is no ordinary file; give its content to `{STREAM}`")
    recording = decode(source.path)
    if not len(recording.samples):
        raise CorpusError("holds no samples; record it again")
    samples = mono(recording.samples)
    if float(np.abs(samples).max()) < SILENT_PEAK:
        raise CorpusError("is silent; record it again")
    return samples, recording.rate_hz
