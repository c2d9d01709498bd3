"""Resumable making of tiles, in chunks of raw.npy, bilateral.npy and both of twice the range. N clips, F mel bins, T frames.

The journal has a line with the digest of each finished chunk. A chunk without a line is made again,
and so is one whose pictures do not match (the power failed).
"""

from __future__ import annotations

import hashlib
import math
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
from cnn.config import FILTERS, WIDE
from cnn.errors import CorpusError
from cnn.processes import WorkOptions, map_in_processes
from cnn.settings.tiles import WIDE_TIMES, TileSettings

Pictures = npt.NDArray[np.uint8]
FindPicture = Callable[[str], Pictures | None]  # by the digest of a sound; (arrays, F, T) in the order of `ARRAYS`

ARRAYS = (*FILTERS, *(name + WIDE for name in FILTERS))
CHUNK = 128  # clips of one task: a third of a second
_FEW = 1500  # clips that one process makes while others still start torch (2 cores, 2026-11)
_JOURNAL = "journal"
_LINE = re.compile(r"^(\d+) ([0-9a-f]{64});$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sound:
    """A recording and the digest of its sound."""

    path: Path
    audio_digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Task:
    number: int  # number of the chunk
    indices: tuple[int, ...]  # clips, as rows of the arrays
    sounds: tuple[Sound, ...]
    settings: TileSettings


def picture_shape(n_clips: int, settings: TileSettings, channels: int = 1) -> tuple[int, ...]:
    """Return the shape of each array: (N, F, T), or (N, C, F, T) of several channels."""
    return n_clips, *((channels,) if channels > 1 else ()), settings.size, settings.size


def open_pictures(path: Path, shape: tuple[int, ...]) -> Pictures:
    """Open uint8 of this shape, memory-mapped.

    Raises:
        OSError: the file cannot be read.
        ValueError or EOFError: the file is no array of this shape.
    """
    array: Pictures = np.load(path, mmap_mode="r")
    if array.shape != shape or array.dtype != np.uint8:
        raise ValueError(f"{path} is {array.dtype}{array.shape}, not uint8{shape}")
    return array


def count_levels(pictures: Pictures) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation of all cells of (N, F, T), in 0..1, as `DataSettings` holds them."""
    counts = np.zeros(256, dtype=np.int64)
    for start in range(0, len(pictures), CHUNK):
        counts += np.bincount(pictures[start : start + CHUNK].ravel(), minlength=256)
    levels = np.arange(256) / 255
    mean = (counts * levels).sum() / counts.sum()
    spread = np.sqrt((counts * (levels - mean) ** 2).sum() / counts.sum())
    return (round(float(mean), 6),), (round(float(spread), 6),)


def release_pages(pictures: Pictures) -> None:
    """Release the memory-mapped pages read so far: they count as this process's memory."""
    mapped: object = pictures.base
    if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):  # Linux and macOS
        mapped.madvise(mmap.MADV_DONTNEED)


def make_tiles(
    part: Path, sounds: Sequence[Sound], settings: TileSettings, find_picture: FindPicture, options: WorkOptions
) -> None:
    """Make all tiles that the arrays in the folder `part` lack.

    Args:
        find_picture: returns pictures that were made before.

    Raises:
        CorpusError: a recording changed since it was scanned.
        OSError: the disk is full or read-only; finished chunks are kept.
    """
    with ExitStack() as stack:
        files = _Files(part, picture_shape(len(sounds), settings), stack)
        tasks = list(_plan_tasks(files, sounds, settings, find_picture))
        n_missing = sum(len(task.indices) for task in tasks)
        if n_missing < len(sounds):
            options.log(f"{len(sounds) - n_missing:,} of {len(sounds):,} tiles are there from before")
        if n_missing:
            with options.bar(n_missing) as advance:
                for task, pictures in zip(tasks, _run_tasks(tasks, n_missing, options.n_jobs), strict=True):
                    files.write(task.indices, pictures)
                    files.finish(task.number)
                    advance(len(task.indices))
        files.sync()


def find_finished_clips(part: Path, shape: tuple[int, ...]) -> set[int]:
    """Find the clips whose pictures in the unfinished folder `part` are complete."""
    try:
        finished = _finished(part, [open_pictures(part / f"{name}.npy", shape) for name in ARRAYS])
    except (OSError, ValueError, EOFError):
        return set()
    return {index for chunk in finished for index in range(chunk * CHUNK, (chunk + 1) * CHUNK)}


def drop_journal(part: Path) -> None:
    """Delete the journal, which only an unfinished folder needs."""
    (part / _JOURNAL).unlink()


def _plan_tasks(files: _Files, sounds: Sequence[Sound], settings: TileSettings, find_picture: FindPicture) -> Iterator[_Task]:
    """Write the pictures that exist elsewhere, and yield a task for the rest of each chunk."""
    for number in sorted(set(range(-(-len(sounds) // CHUNK))) - files.finished):
        missing = []
        for index in range(number * CHUNK, min((number + 1) * CHUNK, len(sounds))):
            if (picture := find_picture(sounds[index].audio_digest)) is None:
                missing.append(index)
            else:
                files.write((index,), picture[:, None])
        if missing:
            rest = tuple(sounds[index] for index in missing)
            yield _Task(number=number, indices=tuple(missing), sounds=rest, settings=settings)
        else:
            files.finish(number)


def _run_tasks(tasks: Sequence[_Task], n_clips: int, n_jobs: int) -> Iterator[Pictures]:
    return map_in_processes(_make_chunk, tasks, n_jobs or (1 if n_clips < _FEW else 0))


def _make_chunk(task: _Task) -> Pictures:
    """Return the pictures (arrays, n, F, T) of the task's clips; each depends on its own clip only."""
    with loading():
        import cv2
        import torch

        from cnn.tiles.front_end import compute_ranges, smooth_tiles

    settings, n_threads = task.settings, (torch.get_num_threads(), cv2.getNumThreads())
    torch.set_num_threads(1)  # a clip is too little work for several threads
    cv2.setNumThreads(1)
    try:
        ranges_db = [settings.range_db, WIDE_TIMES * settings.range_db]
        narrow, wide = compute_ranges((_samples(sound) for sound in task.sounds), settings, ranges_db)
        return np.stack((narrow, smooth_tiles(narrow, settings), wide, smooth_tiles(wide, settings, WIDE_TIMES)))
    finally:
        torch.set_num_threads(n_threads[0])
        cv2.setNumThreads(n_threads[1])


def _samples(sound: Sound) -> tuple[npt.NDArray[np.float32], int]:
    from cnn.corpus.audio import decode, to_mono  # here, since whoever opens tiles imports this module
    from cnn.corpus.scan import sound_digest

    try:
        recording = decode(sound.path)
    except CorpusError as error:
        raise CorpusError(f"{sound.path} {error}; it could be read a moment ago: run the same command again") from error
    if sound_digest(recording) != sound.audio_digest:
        raise CorpusError(f"{sound.path} changed while tiles were made of it; run the same command again")
    return to_mono(recording.samples), recording.rate_hz


class _Files:
    """The arrays of an unfinished folder, open for writing, and its journal."""

    def __init__(self, part: Path, shape: tuple[int, ...], stack: ExitStack) -> None:
        self._picture_bytes = math.prod(shape[1:])
        self._arrays: list[IO[bytes]] = []
        for name in ARRAYS:
            path = part / f"{name}.npy"
            file = stack.enter_context(path.open("r+b" if path.exists() else "w+b"))
            np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
            self._head_bytes = file.tell()
            file.truncate(self._head_bytes + shape[0] * self._picture_bytes)
            self._arrays.append(file)
        self._views = [open_pictures(part / f"{name}.npy", shape) for name in ARRAYS]
        self.finished = _finished(part, self._views)
        self._journal = stack.enter_context((part / _JOURNAL).open("a", encoding="ascii"))

    def write(self, indices: Sequence[int], pictures: Pictures) -> None:
        """Write (arrays, n, F, T) as these rows; not through a map: a full disk must be an error."""
        for file, rows in zip(self._arrays, pictures, strict=True):
            for index, row in zip(indices, rows, strict=True):
                file.seek(self._head_bytes + index * self._picture_bytes)
                file.write(row.tobytes())

    def finish(self, number: int) -> None:
        """Record that all pictures of a chunk are written."""
        for file in self._arrays:
            file.flush()
        self._journal.write(f"\n{number} {_digest(self._views, number)};")  # an incomplete entry spoils no later one
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
    digest = hashlib.sha256(b"".join(array[number * CHUNK : (number + 1) * CHUNK].tobytes() for array in arrays)).hexdigest()
    for array in arrays:
        release_pages(array)
    return digest
