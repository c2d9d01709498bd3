"""CIFAR-10 and CIFAR-100 as published: batches of 32 x 32 cells in colour, binary or pickled by Python.

A pickle is a program, so these are loaded by an unpickler that knows the few names of numpy's arrays, and refuses any other
before anything of it runs. https://www.cs.toronto.edu/~kriz/cifar.html
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cnn.errors import CorpusError
from cnn.pictures.names import name_numbers
from cnn.pictures.source import MAX_CLASSES, Numbered, PictureSource, Pixels, name_rows
from cnn.pictures.streams import reading

_SIDE = 32
_CELLS = 3 * _SIDE * _SIDE
_MOST_BYTES = 1 << 30  # one batch; CIFAR-100's has 155 MB
_PARTS = {"data_batch": "train", "test_batch": "test", "train": "train", "test": "test"}  # by the stem of a batch's name
_META = {"batches.meta.txt": "CIFAR-10", "fine_label_names.txt": "CIFAR-100", "batches.meta": "CIFAR-10", "meta": "CIFAR-100"}
_NUMPY = {(f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("_reconstruct", "scalar")} | {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
}

Batch = tuple[npt.NDArray[np.uint8], list[int]]  # (N, 3072) and N numbers


def read_cifar(folder: Path) -> PictureSource | None:
    """Read the rows of the batches in a folder; None if it holds none.

    Raises:
        CorpusError: a batch is damaged, or would do more than hold pictures.
    """
    batches = [(path, part) for path in sorted(folder.iterdir()) if path.is_file() and (part := _find_part(path))]
    meta = next((folder / name for name in _META if (folder / name).is_file()), None)
    if not batches or not (meta or any(path.stem.startswith(("data_batch", "test_batch")) for path, _ in batches)):
        return None
    batches.sort(key=lambda item: (item[1] == "test", item[0].name))
    numbered: list[Numbered] = []
    for path, part in batches:
        _, numbers = _load_batch(path)
        numbered += [(number, part, path.name) for number in numbers]
    most = max((number for number, *_ in numbered), default=0)
    classes = _read_names(meta) if meta else name_numbers(most + 1)
    if most >= len(classes):
        raise CorpusError(f"{folder} has labels up to {most}, and {meta} names {len(classes)} classes; get both again")
    return PictureSource(
        place=folder,
        name=_META[meta.name] if meta else "",
        classes=classes,
        rows=name_rows(numbered, classes),
        channels=3,
        read=partial(_read_batches, [path for path, _ in batches]),
        notes=() if meta else ("note: classes have numbers for names, as there is no batches.meta; name them with --labels",),
    )


def _find_part(path: Path) -> str:
    stem, _, number = path.stem.rpartition("_")
    return (
        _PARTS.get(stem if stem == "data_batch" and number.isdecimal() else path.stem, "")
        if path.suffix in ("", ".bin")
        else ""
    )


def _read_batches(paths: list[Path]) -> Iterator[Pixels]:
    for path in paths:
        pictures, _ = _load_batch(path)
        yield from pictures.reshape(-1, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1)


def _load_batch(path: Path) -> Batch:
    with reading(path):
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"it has {path.stat().st_size:,} bytes, more than any batch")
        return _split_records(path.read_bytes(), path) if path.suffix == ".bin" else _check_batch(_unpickle(path), path)


def _split_records(content: bytes, path: Path) -> Batch:
    n_labels = 2 if path.stem in ("train", "test") else 1  # CIFAR-100 has a coarse one before the fine one
    size = n_labels + _CELLS
    if not content or len(content) % size:
        raise ValueError(f"its {len(content):,} bytes are no records of {size:,}")
    records = np.frombuffer(content, dtype=np.uint8).reshape(-1, size)
    return records[:, n_labels:], records[:, n_labels - 1].tolist()


def _check_batch(content: Any, path: Path) -> Batch:
    values = content if isinstance(content, dict) else {}
    pictures, numbers = values.get("data"), values.get("fine_labels", values.get("labels"))
    if isinstance(pictures, np.ndarray) and isinstance(numbers, list):
        is_whole = pictures.dtype == np.uint8 and pictures.shape == (len(numbers), _CELLS)
        if is_whole and all(type(number) is int and 0 <= number < MAX_CLASSES for number in numbers):
            return pictures, numbers
    raise CorpusError(f"{path} is no batch of CIFAR: it needs data, uint8 (N, {_CELLS:,}), and N labels; download it again")


class _Unpickler(pickle.Unpickler):
    """An unpickler of numpy's arrays and of plain values."""

    path = Path()

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        if (module, name) in _NUMPY:
            builder: Callable[..., Any] = super().find_class(module.replace("numpy.core", "numpy._core"), name)
            return builder
        if (module, name) == ("_codecs", "encode"):  # how Python 3 writes bytes for Python 2
            return _encode
        raise CorpusError(f"{self.path} wants to run {module}.{name}, which no batch of pictures needs: nothing of it was run")


def _encode(text: str, coding: str) -> bytes:
    if coding != "latin1":
        raise ValueError(f"bytes coded as {coding}")
    return text.encode("latin1")


def _unpickle(path: Path) -> Any:
    unpickler = _Unpickler(io.BytesIO(path.read_bytes()), encoding="latin1")
    unpickler.path = path
    return unpickler.load()


def _read_names(path: Path) -> tuple[str, ...]:
    with reading(path):
        if path.suffix == ".txt":
            return tuple(filter(None, path.read_text(encoding="utf-8").splitlines()))
        content = _unpickle(path)
        names = content.get("fine_label_names", content.get("label_names"))
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError("it names no classes")
        return tuple(names)
