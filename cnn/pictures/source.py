"""A source of pictures: its classes, a row for each picture, and a stream of their pixels, which memory never holds whole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cnn.errors import CorpusError

Pixels = npt.NDArray[np.uint8]  # (H, W), or (H, W, 3): red, green, blue

MAX_PICTURES = 2_000_000
MAX_SIDE = 8192  # cells of one picture
MAX_CLASSES = 1000  # as a contest has
_MAX_NAME = 100  # letters of a class
_NO_NAME = ("", "id", "label", "nan", "null", "<na>", "n/a", "#n/a")  # columns of tables, and what programs write for no value


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureRow:
    """A picture of a source, before its pixels are read."""

    id: str
    label: str
    part: str  # train, val, test, or empty where the source has no parts
    path: str  # below the source; of a picture in a file with others, that file's


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureSource:
    """Classes, rows and pixels of a corpus of pictures."""

    place: Path  # a folder or a file
    name: str
    classes: tuple[str, ...]  # in the order of a net's outputs
    rows: Sequence[PictureRow]
    channels: int  # 1, or 3 in colour
    read: Callable[[], Iterator[Pixels | CorpusError]]  # in the order of `rows`; an error in place of what cannot be read
    notes: tuple[str, ...] = ()


Numbered = tuple[int, str, str]  # class number, part and path of a picture in a file with others


def name_rows(numbered: Sequence[Numbered], classes: Sequence[str]) -> list[PictureRow]:
    """Name pictures by their part and their place in it, as `test/00042`."""
    counts: dict[str, int] = {}
    rows = []
    for number, part, path in numbered:
        index = counts[part] = counts.get(part, -1) + 1
        rows.append(PictureRow(id="/".join(filter(None, (part, f"{index:05}"))), label=classes[number], part=part, path=path))
    return rows


def check_source(source: PictureSource) -> None:
    """Check the number of pictures, and names of classes that a table, a contest and a reader can tell apart.

    Raises:
        CorpusError: the first rule that is broken.
    """
    if not 1 <= len(source.rows) <= MAX_PICTURES:
        raise CorpusError(f"{source.place} holds {len(source.rows):,} pictures, not 1 to {MAX_PICTURES:,}; give a part of it")
    if not 2 <= len(source.classes) <= MAX_CLASSES:
        n = len(source.classes)
        raise CorpusError(f"pictures have 2 to {MAX_CLASSES:,} classes, and {source.place} has {n:,}; give those of one task")
    first: dict[object, str] = {}
    for label in source.classes:
        if label.casefold() in _NO_NAME or label != label.strip() or not label.isprintable() or len(label) > _MAX_NAME:
            rule = f"1 to {_MAX_NAME} printable characters, none of them blank at an end, and no table's column"
            raise CorpusError(f"the name of a class has {rule}, not {label[:_MAX_NAME]!r}; rename it")
        if marks := set(label) & set(',;"'):
            raise CorpusError(
                f"the name of a class holds no comma, semicolon or quote, which tables need, not {label!r}; "
                f"write it without {' '.join(sorted(marks))}"
            )
        twin = first.setdefault(_read(label), label)
        if twin != label:
            raise CorpusError(f"classes {twin!r} and {label!r} read alike, and a contest would mix them up; rename one")


def _read(label: str) -> object:
    try:
        return float(label)
    except ValueError:
        return label.casefold()


def sort_names(names: Sequence[str] | set[str]) -> tuple[str, ...]:
    """Sort names of classes as people do: 2 before 10."""

    def key(name: str) -> list[tuple[int, int, str]]:
        pieces = re.split(r"(\d{1,18})", name)
        return [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in pieces]

    return tuple(sorted(names, key=lambda name: (key(name), name)))
