"""IDX, the format of MNIST: two files a part, of pictures and of numbers, as they are or packed by gzip.

A head of big-endian numbers (http://yann.lecun.com/exdb/mnist), then one byte a cell.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from cnn.errors import CorpusError
from cnn.pictures.names import KNOWN_IDX, name_numbers
from cnn.pictures.source import MAX_PICTURES, PictureSource, Pixels, name_rows
from cnn.pictures.streams import check_shape, open_stream, read_exactly, read_pictures

_NAME = re.compile(
    r"(?:.*[-_.])?(?P<part>train|val|valid|test|t10k)[-_.](?P<what>images|labels)[-_.]idx[13][-_.]ubyte(?:\.gz)?"
)
_PARTS = {"train": "train", "val": "val", "valid": "val", "test": "test", "t10k": "test"}
_UBYTE = 0x08
_NUMBERED = "classes have numbers for names, as the files do; give names in their order with --labels"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """The two files of a part."""

    name: str
    images: Path
    shape: tuple[int, ...]  # (N, H, W)
    numbers: list[int]


def read_idx(folder: Path) -> PictureSource | None:
    """Read the rows of the IDX files in a folder; None if it holds none.

    Raises:
        CorpusError: a file is damaged, or lacks its fellow.
    """
    files: dict[tuple[str, str], Path] = {}
    for path in sorted(folder.iterdir()):
        if match := _NAME.fullmatch(path.name):
            files.setdefault((_PARTS[match["part"]], match["what"]), path)  # torchvision keeps the packed ones beside
    if not files:
        return None
    parts = [
        _open_part(folder, files, name)
        for name in ("train", "val", "test")
        if {(name, "images"), (name, "labels")} & set(files)
    ]
    most = max(number for part in parts for number in part.numbers)
    title, classes = next(
        (data for part in parts if (data := KNOWN_IDX.get(_digest(part.images)))), ("", name_numbers(most + 1))
    )
    if most >= len(classes):
        raise CorpusError(f"{folder} has labels up to {most}, and {title} has {len(classes)} classes; get its labels again")
    numbered = [(number, part.name, part.images.name) for part in parts for number in part.numbers]
    return PictureSource(
        place=folder,
        name=title,
        classes=classes,
        rows=name_rows(numbered, classes),
        channels=1,
        read=partial(_read_parts, parts),
        notes=() if title else (f"note: {_NUMBERED}",),
    )


def _open_part(folder: Path, files: Mapping[tuple[str, str], Path], name: str) -> _Part:
    images, labels = files.get((name, "images")), files.get((name, "labels"))
    if images is None or labels is None:
        raise CorpusError(f"{images or labels} needs the file of its {'labels' if images else 'images'} beside it in {folder}")
    shape, numbers = _read_head(images, 3), _read_numbers(labels)
    check_shape(images, *shape[1:])
    if shape[0] != len(numbers):
        raise CorpusError(f"{images} holds {shape[0]:,} pictures and {labels.name} {len(numbers):,} labels; get both again")
    return _Part(name=name, images=images, shape=shape, numbers=numbers)


def _read_head(path: Path, n_dimensions: int) -> tuple[int, ...]:
    with open_stream(path) as file:
        magic = read_exactly(file, 4)
        if magic != bytes((0, 0, _UBYTE, n_dimensions)):
            raise ValueError(f"it begins with {magic.hex()}, not {bytes((0, 0, _UBYTE, n_dimensions)).hex()}")
        shape = struct.unpack(f">{n_dimensions}I", read_exactly(file, 4 * n_dimensions))
    if not 1 <= shape[0] <= MAX_PICTURES:
        raise CorpusError(f"{path} says that it holds {shape[0]:,} pictures, not 1 to {MAX_PICTURES:,}; check its head")
    return shape


def _read_numbers(path: Path) -> list[int]:
    (n,) = _read_head(path, 1)
    with open_stream(path) as file:
        file.read(8)
        numbers: list[int] = np.frombuffer(read_exactly(file, n), dtype=np.uint8).tolist()
    return numbers


def _digest(path: Path) -> str:
    with open_stream(path) as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
        return digest.hexdigest()


def _read_parts(parts: list[_Part]) -> Iterator[Pixels]:
    for part in parts:
        n, *sides = part.shape
        with open_stream(part.images) as file:
            file.read(16)
            yield from read_pictures(file, n, tuple(sides))
