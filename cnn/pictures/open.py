"""The one door to a source of pictures: a folder or a file, known by its content."""

from __future__ import annotations

import dataclasses
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from cnn.corpus.listing import is_audio, walk_files
from cnn.errors import CorpusError
from cnn.pictures.cifar import read_cifar
from cnn.pictures.folders import is_picture, read_folders
from cnn.pictures.idx import read_idx
from cnn.pictures.npz import read_npz
from cnn.pictures.source import PictureSource

_FORMS = "IDX files, CIFAR batches, an .npz, or a folder of picture files per class"


def open_source(place: Path, name: str = "", labels: Sequence[str] = ()) -> PictureSource:
    """Open a source of pictures; `labels` are names of its classes in their order, where it has numbers or others.

    Raises:
        CorpusError: it holds no pictures that can be read, or another number of classes than `labels`.
    """
    source = _read_place(place)
    names = tuple(labels) or source.classes
    if len(names) != len(source.classes):
        first = ", ".join(source.classes[:10])
        raise CorpusError(f"{len(names)} labels for {len(source.classes)} classes ({first}); give one for each")
    if names != source.classes:
        new = dict(zip(source.classes, names, strict=True))
        rows = [dataclasses.replace(row, label=new[row.label]) for row in source.rows]
        source = dataclasses.replace(source, classes=names, rows=rows, notes=())
    title = name or source.name or place.resolve().stem
    if not title.isprintable() or len(title) > 80:
        raise CorpusError(
            f"the name of a corpus has up to 80 printable characters, not {title[:80]!r}; give another with --name"
        )
    return dataclasses.replace(source, place=place, name=title)


def _read_place(place: Path) -> PictureSource:
    try:
        if place.is_dir():
            return _read_folder(place)
        is_archive = zipfile.is_zipfile(place)
    except OSError as error:
        raise CorpusError(f"{place} cannot be opened: {error.strerror}; give one that you may read") from error
    if is_archive and place.suffix.lower() == ".npz":
        return read_npz(place)
    if not place.exists():
        raise CorpusError(f"{place} does not exist; give {_FORMS}")
    if place.suffix.lower() in (".zip", ".gz", ".tgz", ".tar", ".7z", ".rar"):
        raise CorpusError(f"{place} is packed; unpack it, and give the folder")
    raise CorpusError(f"{place} is no source of pictures; give {_FORMS}")


def _read_folder(folder: Path) -> PictureSource:
    if source := read_idx(folder) or read_cifar(folder):
        return source
    children = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
    archives = [path for path in children if path.suffix.lower() == ".npz"]
    if len(archives) == 1:
        return read_npz(archives[0])
    if len(archives) > 1:
        names = ", ".join(path.name for path in archives[:6])
        raise CorpusError(f"{folder} holds {len(archives)} archives ({names}); give one of them")
    if len(children) == 1 and children[0].is_dir() and not any(map(_is_loose_picture, children[0].iterdir())):
        return _read_folder(children[0])  # what an archive unpacked to
    if source := read_folders(folder):
        return source
    if any(is_audio(path) for path in walk_files(folder, [])):
        raise CorpusError(f"{folder} holds recordings; make tiles of them with `arena data prepare {folder}`")
    raise CorpusError(f"{folder} holds no pictures; give {_FORMS}")


def _is_loose_picture(path: Path) -> bool:
    return path.is_file() and is_picture(PurePosixPath(path.name))
