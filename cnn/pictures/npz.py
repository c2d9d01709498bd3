"""Numpy's archives of pictures: keras's (x_train, y_train, ..), MedMNIST's (train_images, train_labels, ..), or one pair.

Pictures are unpacked one after another: sets of 224 x 224 cells are larger than memory.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np

from cnn.errors import CorpusError
from cnn.pictures.names import name_numbers
from cnn.pictures.source import MAX_CLASSES, MAX_PICTURES, Numbered, PictureSource, Pixels, name_rows
from cnn.pictures.streams import check_shape, read_exactly, read_pictures, reading

_PAIRS = {
    "train": (("x_train", "y_train"), ("train_images", "train_labels")),
    "val": (("x_val", "y_val"), ("val_images", "val_labels")),
    "test": (("x_test", "y_test"), ("test_images", "test_labels")),
    "": (("x", "y"), ("images", "labels"), ("data", "target")),
}
_BOMB_BYTES, _BOMB_RATIO = 1 << 26, 500  # deflate packs nothing smaller than 1:1,032, and pictures hardly beyond 1:50
_MOST_BYTES = 1 << 37


@dataclass(frozen=True, kw_only=True, slots=True)
class _Member:
    """An array of an archive."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


def read_npz(path: Path) -> PictureSource:
    """Read the rows of an archive.

    Raises:
        CorpusError: it is damaged, or holds no pictures with one class each.
    """
    rows: list[Numbered] = []
    members: list[_Member] = []
    with reading(path), zipfile.ZipFile(path) as archive:
        stored = {Path(name).stem.casefold(): name for name in archive.namelist() if name.endswith(".npy")}
        for part, pairs in _PAIRS.items():
            names = next((pair for pair in pairs if stored.keys() >= set(pair)), None)
            if not names or (not part and rows):
                continue
            pictures, labels = (_read_member(path, archive, stored[name]) for name in names)
            _check_pictures(path, pictures)
            numbers = _read_numbers(path, archive, labels, pictures.shape[0])
            rows += [(number, part, path.name) for number in numbers]
            members.append(pictures)
        if not rows:
            keys = ", ".join(sorted(stored)[:8]) or "nothing"
            rule = "x_train and y_train, or train_images and train_labels"
            raise CorpusError(f"{path} needs arrays {rule}, and holds {keys}; save them under these names")
    return _build_source(path, rows, members)


def _build_source(path: Path, rows: list[Numbered], members: list[_Member]) -> PictureSource:
    channels = {3 if member.shape[3:] == (3,) else 1 for member in members}
    if len(channels) > 1:
        raise CorpusError(f"{path} holds pictures in grey and in colour; give them one form")
    classes = name_numbers(max(number for number, *_ in rows) + 1)
    return PictureSource(
        place=path,
        name="",
        classes=classes,
        rows=name_rows(rows, classes),
        channels=channels.pop(),
        read=partial(_read_members, path, members),
        notes=("note: classes have numbers for names, as the file does; give names in their order with --labels",),
    )


def _read_member(path: Path, archive: zipfile.ZipFile, name: str) -> _Member:
    info = archive.getinfo(name)
    if info.file_size > _MOST_BYTES or (info.file_size > _BOMB_BYTES and info.file_size > _BOMB_RATIO * info.compress_size):
        size = f"{info.file_size / 1e9:,.1f} GB from {info.compress_size / 1e6:,.1f} MB"
        raise CorpusError(f"{path}: {name} would unpack to {size}, as no pictures do; nothing of it was unpacked")
    with archive.open(info) as file:
        shape, is_fortran, dtype = _read_head(file)
    if dtype.hasobject:
        raise CorpusError(f"{path}: {name} holds Python objects, which are programs; save plain numbers")
    if is_fortran and len(shape) > 1:
        raise CorpusError(f"{path}: {name} is stored column by column; save np.ascontiguousarray of it")
    if math.prod(shape) * dtype.itemsize > info.file_size:
        raise CorpusError(f"{path}: {name} says {shape} of {dtype}, and is shorter; download it again")
    return _Member(name=name, shape=shape, dtype=dtype)


def _read_head(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    return (np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0)(file)


def _check_pictures(path: Path, member: _Member) -> None:
    shape = member.shape
    if len(shape) not in (3, 4) or shape[3:] not in ((), (1,), (3,)):
        raise CorpusError(f"{path}: {member.name} is of shape {shape}, not (N, H, W) or (N, H, W, 3); pictures are flat")
    if member.dtype != np.uint8:
        raise CorpusError(f"{path}: {member.name} holds {member.dtype}, not uint8 of 0 to 255; scale and save it anew")
    if not 1 <= shape[0] <= MAX_PICTURES:
        raise CorpusError(f"{path}: {member.name} holds {shape[0]:,} pictures, not 1 to {MAX_PICTURES:,}")
    check_shape(path, *shape[1:3])


def _read_numbers(path: Path, archive: zipfile.ZipFile, member: _Member, n: int) -> list[int]:
    if member.shape not in ((n,), (n, 1)) or member.dtype.kind not in "iu":
        rule = f"is {member.dtype} of shape {member.shape}, not {n:,} whole numbers, one class a picture"
        raise CorpusError(f"{path}: {member.name} {rule}; several labels a picture are another task")
    with archive.open(member.name) as file:
        _read_head(file)
        content = read_exactly(file, n * member.dtype.itemsize)
    numbers: list[int] = np.frombuffer(content, dtype=member.dtype).tolist()
    if not 0 <= min(numbers) <= max(numbers) < MAX_CLASSES:
        span = f"{min(numbers):,} to {max(numbers):,}"
        raise CorpusError(f"{path}: {member.name} runs from {span}; classes are numbers from 0 to {MAX_CLASSES - 1}")
    return numbers


def _read_members(path: Path, members: list[_Member]) -> Iterator[Pixels]:
    with reading(path), zipfile.ZipFile(path) as archive:
        for member in members:
            with archive.open(member.name) as file:
                _read_head(file)
                n, *sides = member.shape
                yield from read_pictures(file, n, (sides[0], sides[1], *(3,) * (sides[2:] == [3])))
