"""The pictures of many clips, made in chunks into raw.npy and bilateral.npy: what a kill leaves, the next call goes on with.

A finished chunk has a line in the journal with the digest of its pictures; what no line names, or is not what its line
says (the power failed), is made again. N clips, F mel bins, T frames.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from arena.base.install import loading
from cnn.config import TileSettings
from cnn.corpus.audio import decode, mono
from cnn.corpus.scan import sound_digest
from cnn.errors import CorpusError
from cnn.processes import Hands, in_processes

Pictures = npt.NDArray[np.uint8]

FILTERS = ("raw", "bilateral")
CHUNK = 128  # clips that one process makes at once: half a second
_FEW = 1500  # clips that one process has made before others have started torch (2 cores, 2026-11)
_JOURNAL = "journal"
_LINE = re.compile(r"^(\d+) ([0-9a-f]{64});$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sound:
    """A recording and what it is known to hold."""

    path: Path
    audio_digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Task:
    number: int  # of the chunk
    places: tuple[int, ...]  # in the arrays
    sounds: tuple[Sound, ...]
    settings: TileSettings


def picture_shape(n_clips: int, settings: TileSettings) -> tuple[int, int, int]:
    """(N, F, T) of each array."""
    return n_clips, settings.size, settings.size


def open_pictures(path: Path, shape: tuple[int, int, int]) -> Pictures:
    """(N, F, T) uint8, read from the disk as needed.

    Raises:
        OSError: it cannot be read.
        ValueError or EOFError: it is no array of this shape.
    """
    array: Pictures = np.load(path, mmap_mode="r")
    if array.shape != shape or array.dtype != np.uint8:
        raise ValueError(f"{path} is {array.dtype}{array.shape}, not uint8{shape}")
    return array


def release_pages(pictures: Pictures) -> None:
    """Let the pages that were read of an opened file be the kernel's cache again, which it may drop, and no memory of ours."""
    mapped: object = pictures.base
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):  # Linux and macOS
        mapped.madvise(mmap.MADV_DONTNEED)


def make_tiles(
    part: Path, sounds: Sequence[Sound], settings: TileSettings, known: Callable[[str], Pictures | None], hands: Hands
) -> None:
    """Fill the arrays in the folder `part`, as far as they are not.

    Args:
        known: the picture of a sound by its digest, (filters, F, T) in the order of `FILTERS`, where it was made before.

    Raises:
        CorpusError: a recording is not what it was when it was scanned.
        OSError: the disk is full or not to be written; finished chunks are kept.
    """
    with ExitStack() as stack:
        files = _Files(part, picture_shape(len(sounds), settings), stack)
        tasks = list(_left(files, sounds, settings, known))
        n_left = sum(len(task.places) for task in tasks)
        if n_left < len(sounds):
            hands.say(f"{len(sounds) - n_left:,} of {len(sounds):,} tiles are there from before")
        if n_left:
            with hands.bar(n_left) as advance:
                for task, pictures in zip(tasks, _made(tasks, n_left, hands.n_jobs), strict=True):
                    files.write(task.places, pictures)
                    files.finish(task.number)
                    advance(len(task.places))
        files.sync()


def find_finished_clips(part: Path, shape: tuple[int, int, int]) -> set[int]:
    """The clips whose pictures in the unfinished folder `part` are whole."""
    try:
        finished = _finished(part, [open_pictures(part / f"{name}.npy", shape) for name in FILTERS])
    except (OSError, ValueError, EOFError):
        return set()
    return {place for chunk in finished for place in range(chunk * CHUNK, (chunk + 1) * CHUNK)}


def drop_journal(part: Path) -> None:
    """Drop what only an unfinished folder needs."""
    (part / _JOURNAL).unlink()


def _left(
    files: _Files, sounds: Sequence[Sound], settings: TileSettings, known: Callable[[str], Pictures | None]
) -> Iterator[_Task]:
    """The chunks that are to be made, of each what is not known; what is known is written."""
    for number in sorted(set(range(-(-len(sounds) // CHUNK))) - files.finished):
        unknown = []
        for place in range(number * CHUNK, min((number + 1) * CHUNK, len(sounds))):
            if (picture := known(sounds[place].audio_digest)) is None:
                unknown.append(place)
            else:
                files.write((place,), picture[:, None])
        if unknown:
            there = tuple(sounds[place] for place in unknown)
            yield _Task(number=number, places=tuple(unknown), sounds=there, settings=settings)
        else:
            files.finish(number)


def _made(tasks: Sequence[_Task], n_clips: int, n_jobs: int) -> Iterator[Pictures]:
    return in_processes(_make_chunk, tasks, n_jobs or (1 if n_clips < _FEW else 0))


def _make_chunk(task: _Task) -> Pictures:
    """(filters, n, F, T) of the task's clips; each depends on its own clip only."""
    with loading():
        import cv2
        import torch

        from cnn.tiles.front_end import bilateral, compute_tiles

    made = np.empty((len(FILTERS), *picture_shape(len(task.sounds), task.settings)), dtype=np.uint8)
    n_threads = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)  # a clip is too little work to share out
    cv2.setNumThreads(1)
    try:
        made[0] = compute_tiles((_samples(sound) for sound in task.sounds), task.settings)
        for place, tile in enumerate(made[0]):
            made[1, place] = bilateral(tile, task.settings)
    finally:
        torch.set_num_threads(n_threads[0])
        cv2.setNumThreads(n_threads[1])
    return made


def _samples(sound: Sound) -> tuple[npt.NDArray[np.float32], int]:
    try:
        recording = decode(sound.path)
    except CorpusError as error:
        raise CorpusError(f"{sound.path} {error}; it could be read a moment ago: run the same command again") from error
    if sound_digest(recording) != sound.audio_digest:
        raise CorpusError(f"{sound.path} changed while tiles were made of it; run the same command again")
    return mono(recording.samples), recording.rate_hz


class _Files:
    """The arrays of an unfinished folder, open for writing, and its journal."""

    def __init__(self, part: Path, shape: tuple[int, int, int], stack: ExitStack) -> None:
        self._picture_bytes = shape[1] * shape[2]
        self._arrays: list[IO[bytes]] = []
        for name in FILTERS:
            path = part / f"{name}.npy"
            file = stack.enter_context(path.open("r+b" if path.exists() else "w+b"))
            np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
            self._head_bytes = file.tell()
            file.truncate(self._head_bytes + shape[0] * self._picture_bytes)
            self._arrays.append(file)
        self._views = [open_pictures(part / f"{name}.npy", shape) for name in FILTERS]
        self.finished = _finished(part, self._views)
        self._journal = stack.enter_context((part / _JOURNAL).open("a", encoding="ascii"))

    def write(self, places: Sequence[int], pictures: Pictures) -> None:
        """(filters, n, F, T) to their places. Through the file and not through a map of it: a full disk is then an error."""
        for file, rows in zip(self._arrays, pictures, strict=True):
            for place, row in zip(places, rows, strict=True):
                file.seek(self._head_bytes + place * self._picture_bytes)
                file.write(row.tobytes())

    def finish(self, number: int) -> None:
        """Note that all pictures of a chunk are written."""
        for file in self._arrays:
            file.flush()
        self._journal.write(
            f"\n{number} {_digest(self._views, number)};"
        )  # one that breaks off is no line, the next begins anew
        self._journal.flush()

    def sync(self) -> None:
        for file in self._arrays:
            file.flush()
            os.fsync(file.fileno())


def _finished(part: Path, arrays: Sequence[Pictures]) -> set[int]:
    try:
        lines = _LINE.findall((part / _JOURNAL).read_text(encoding="ascii", errors="replace"))
    except FileNotFoundError:
        return set()
    return {int(number) for number, digest in lines if _digest(arrays, int(number)) == digest}


def _digest(arrays: Sequence[Pictures], number: int) -> str:
    return hashlib.sha256(b"".join(array[number * CHUNK : (number + 1) * CHUNK].tobytes() for array in arrays)).hexdigest()
