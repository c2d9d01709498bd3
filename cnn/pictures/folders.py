"""Folders per class of picture files, with or without folders for training, validation and test above them."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from cnn.config import PICTURE_SUFFIXES
from cnn.corpus.listing import FileProblem, count_kinds, describe_kinds, escape_unprintable, walk_files
from cnn.corpus.recordings import SourceKind
from cnn.errors import CorpusError
from cnn.pictures.image_file import is_in_colour, read_image
from cnn.pictures.source import PictureRow, PictureSource, Pixels, sort_names

_PARTS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


def read_folders(folder: Path) -> PictureSource | None:
    """Read the rows of the picture files below a folder, whose names say the class; None if there are none.

    Raises:
        CorpusError: no picture lies in a folder of a class.
    """
    problems: list[FileProblem] = []
    everything = sorted(walk_files(folder, problems))
    paths = [path for path in everything if is_picture(path)]
    if not paths:
        return None
    has_parts = any(path.parts[0].casefold() in _PARTS for path in paths if len(path.parts) > 2)
    depth = 2 if has_parts else 1
    inside = [path for path in paths if len(path.parts) > depth and (not has_parts or path.parts[0].casefold() in _PARTS)]
    if not inside:
        rule = "picture files lie in a folder per class, such as cat/1.png or train/cat/1.png"
        raise CorpusError(f"{rule}, and those of {folder} do not (the first is {paths[0]}); sort them into folders")
    notes = [f"warning: {problem.path} {problem.reason}" for problem in problems]
    if n_outside := len(paths) - len(inside):
        first = next(path for path in paths if path not in set(inside))
        notes.append(
            f"warning: {n_outside:,} picture files lie in no folder of a class and are left out (the first is {first})"
        )
    if others := count_kinds(path for path in everything if path.suffix.lower() not in PICTURE_SUFFIXES):
        notes.append(f"note: {describe_kinds(others)}")
    channels = 3 if any(is_in_colour(folder / path) for path in inside) else 1
    rows = _name_rows(inside, has_parts)
    return PictureSource(
        place=folder,
        name="",
        classes=sort_names({row.label for row in rows}),
        rows=rows,
        channels=channels,
        read=partial(_read_files, folder, inside, channels),
        notes=tuple(notes),
    )


def is_picture(path: PurePosixPath) -> bool:
    """Return whether a file is a picture by its suffix; hidden files are none."""
    return not path.name.startswith(".") and path.suffix.lower() in PICTURE_SUFFIXES


PICTURES = SourceKind(noun="picture", answer="class", belongs=is_picture)


def _name_rows(paths: list[PurePosixPath], has_parts: bool) -> list[PictureRow]:
    """Name each picture by its path, without the suffix where no other has the same name."""
    stems = Counter(str(path.with_suffix("")) for path in paths)
    rows = []
    for path in paths:
        name = str(path.with_suffix("") if stems[str(path.with_suffix(""))] == 1 else path)
        rows.append(
            PictureRow(
                id=unicodedata.normalize("NFC", name),
                label=unicodedata.normalize("NFC", path.parts[1 if has_parts else 0]),
                part=_PARTS[path.parts[0].casefold()] if has_parts else "",
                path=str(path),
            )
        )
    return rows


def _read_files(folder: Path, paths: list[PurePosixPath], channels: int) -> Iterator[Pixels | CorpusError]:
    for path in paths:
        try:
            if escape_unprintable(str(path)) != str(path):
                raise CorpusError("has a name that cannot be printed; rename it")
            yield read_image(folder / path, channels)
        except CorpusError as error:
            yield CorpusError(f"{folder / escape_unprintable(str(path))} {error}")
