"""Recordings or pictures to classify: the files of a folder, files by name, a stream, or samples. Their names say nothing."""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import BinaryIO

import numpy as np

from cnn.corpus.audio import LONGEST_S, RATES_HZ, SILENT_PEAK, Recording, Samples, decode_any, to_mono
from cnn.corpus.listing import FileProblem, count_kinds, describe_no_recording, is_audio, walk_files
from cnn.decoding import codings, flags
from cnn.decoding.kinds import ForeignFileError
from cnn.errors import CorpusError

STREAM = "-"
_HEAD_BYTES = 4096  # part of a wav that holds its bytes per second
_MAX_BYTES = 32 * 2**20  # limit of other streams: more than a minute of any flac


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceKind:
    """The files of a folder that are classified."""

    noun: str
    answer: str  # name of what a net says of one
    belongs: Callable[[PurePosixPath], bool]  # by the name alone


RECORDINGS = SourceKind(noun="recording", answer="digit", belongs=is_audio)


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordingFile:
    """A file that holds one recording, or one picture."""

    name: str  # the id of a file in a folder of --recordings, otherwise the name on the command line
    label: str  # its name in messages
    path: Path


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class RecordedSamples:
    """A recording in memory."""

    name: str
    samples: Samples  # (S,) in [-1, 1]
    rate_hz: int

    @property
    def label(self) -> str:
        return self.name


Source = RecordingFile | RecordedSamples


def find_recordings(folder: Path, kind: SourceKind = RECORDINGS) -> list[RecordingFile]:
    """List the files of a kind below `folder` that are not hidden, named as in a submission: the path without suffix.

    Raises:
        CorpusError: there is no such file, or two would have one name.
    """
    if not folder.is_dir():
        raise CorpusError(f"{folder} is {'a file' if folder.exists() else 'not there'}; give the folder of the {kind.noun}s")
    files: dict[str, RecordingFile] = {}
    for inner in _files_below(folder, kind):
        path = folder / inner
        name = unicodedata.normalize("NFC", inner.with_suffix("").as_posix())  # as a corpus names its clips
        if name in files:
            raise CorpusError(
                f"{files[name].path} and {path} would both be {name!r} in a submission; rename or remove one of them"
            )
        files[name] = RecordingFile(name=name, label=str(path), path=path)
    return list(files.values())


def count_skipped(names: Iterable[str | Path], kind: SourceKind = RECORDINGS) -> dict[str, int]:
    """Count by format the files in those of `names` that are folders which are not of this kind, or not read here."""
    folders = [Path(name) for name in names if Path(name).is_dir()]
    return count_kinds(path for folder in folders for path in _list_files(folder, kind)[1])


def _files_below(folder: Path, kind: SourceKind) -> list[Path]:
    """Return the paths of the files of this kind relative to `folder`, sorted."""
    files, others = _list_files(folder, kind)
    if not files:
        raise CorpusError(describe_no_recording(folder, count_kinds(others), kind.noun))
    return files


def _list_files(folder: Path, kind: SourceKind) -> tuple[list[Path], list[PurePosixPath]]:
    """Return the paths below `folder`, relative to it: those of the kind, sorted, and other files."""
    problems: list[FileProblem] = []
    files, others = list[Path](), list[PurePosixPath]()
    for path in walk_files(folder, problems):
        files.append(Path(path)) if kind.belongs(path) else others.append(path)
    if problems:
        raise CorpusError(f"{folder / problems[0].path} {problems[0].reason}; give a folder that you may read")
    return sorted(files), others


@contextmanager
def open_recordings(names: Sequence[str], stream: BinaryIO, kind: SourceKind = RECORDINGS) -> Iterator[list[RecordingFile]]:
    """Yield the files `names`, in their order; `-` stands for the content of `stream`, stored in a temporary file.

    A folder stands for all files of the kind below it, named by their path below it if it is the only name, else by their
    path from it on.

    Raises:
        CorpusError: `-` is given twice, or the stream is a terminal, or a folder has no recordings.
    """
    with TemporaryDirectory(prefix="arena-") as folder:
        streamed = Path(folder) / "stream"
        if names.count(STREAM) > 1:
            raise CorpusError("- is one recording on the standard input; give it once")
        if STREAM in names:
            if stream.isatty():
                raise CorpusError("- is a recording from a pipe, such as `arecord -d 2 -f S16_LE | arena predict RUN -`")
            _save(stream, streamed)
        yield [file for name in names for file in _expand(name, streamed, None if len(names) == 1 else Path(name), kind)]


def _expand(name: str, streamed: Path, above: Path | None, kind: SourceKind) -> list[RecordingFile]:
    if name == STREAM:
        return [RecordingFile(name=name, label="standard input", path=streamed)]
    path = Path(name)
    if not path.is_dir():
        return [RecordingFile(name=name, label=name, path=path)]
    return [
        RecordingFile(name=str((above or Path()) / inner), label=str(path / inner), path=path / inner)
        for inner in _files_below(path, kind)
    ]


def _save(stream: BinaryIO, path: Path) -> None:
    """Write the stream to a file, cut somewhat above the length of the longest recording: decoding it refuses it then."""
    head = stream.read(_HEAD_BYTES)
    offset = head.find(b"fmt ") + 12  # position of a wav's rate, bytes per second and bytes per sample
    is_wav = head[:4] == b"RIFF" and 12 <= offset <= len(head) - 10
    rate_hz, bytes_per_s, block_align = struct.unpack_from("<IIH", head, offset) if is_wav else (0, 0, 0)
    bytes_per_s = max(bytes_per_s, rate_hz * block_align)  # some writers leave 0
    n_left = int(LONGEST_S * bytes_per_s) + _HEAD_BYTES if bytes_per_s else _MAX_BYTES
    with path.open("wb") as file:
        file.write(head)
        while n_left > 0 and (block := stream.read(min(n_left, 2**16))):
            file.write(block)
            n_left -= len(block)


def read_recording(source: Source) -> tuple[Samples, int]:
    """Return the samples (S,) float32, mono, in [-1, 1], and their rate in Hz.

    Raises:
        CorpusError: as `decode_recording` raises it.
    """
    recording = decode_recording(source)
    return to_mono(recording.samples), recording.rate_hz


def decode_recording(source: Source) -> Recording:
    """Return an audible recording.

    Raises:
        CorpusError: it holds no audible recording; the text is the rest of a sentence that begins with its name.
    """
    recording = _decode(source) if isinstance(source, RecordingFile) else _take(source)
    if not len(recording.samples):
        raise CorpusError("holds no samples; record it again")
    if recording.truncated:
        raise CorpusError("breaks off: its header promises more sound than it holds; copy or record it again")
    if np.abs(to_mono(recording.samples)).max() < SILENT_PEAK:
        raise CorpusError("is silent; record it again")
    return recording


def _take(source: RecordedSamples) -> Recording:
    low, high = RATES_HZ
    if not low <= source.rate_hz <= high:
        raise CorpusError(f"has a rate of {source.rate_hz} Hz, not between {low} and {high}")
    if len(source.samples) > LONGEST_S * source.rate_hz:
        raise CorpusError(f"lasts longer than {LONGEST_S:g} s, not one spoken digit")
    if not np.isfinite(source.samples).all():
        raise CorpusError("holds samples that are no numbers (NaN or infinite)")
    scaled = codings.scale_floats(source.samples)
    samples, marks = (source.samples, ()) if scaled is None else (scaled, (flags.UNSCALED,))
    return Recording(samples=samples[:, None], rate_hz=source.rate_hz, subtype="FLOAT", truncated=False, flags=marks)


def _decode(source: RecordingFile) -> Recording:
    if not source.name.isprintable():
        raise CorpusError("has a name that cannot be printed; rename it")
    if source.path.exists() and not source.path.is_file():
        raise CorpusError(f"is no ordinary file; give its content to `{STREAM}`")
    if source.path.exists() and not source.path.stat().st_size:
        raise CorpusError("is empty; record it again")
    try:
        return decode_any(source.path)
    except ForeignFileError as error:
        if source.name != STREAM or not error.kind.demuxer:
            raise
        raise CorpusError(f"is {error.kind.name}: send it through `ffmpeg -i - -f wav -` first") from error
