"""Tiles of pictures: raw.npy, bilateral.npy, clips.csv and settings.json, as those of recordings.

They are made in a folder of their own, which is renamed when it is whole: a killed command loses its work and nothing else.
C channels, F rows and T columns of a tile.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np

from arena.base.locks import hold_lock
from cnn.config import FILTERS, TILES_FORMAT, compute_digest
from cnn.errors import CorpusError, TilesError
from cnn.files import write_csv, write_json
from cnn.pictures.fit import fit_picture, scale_side
from cnn.pictures.notes import describe_duplicates, describe_left_out, describe_shapes
from cnn.pictures.source import PictureRow, PictureSource, Pixels, check_source
from cnn.processes import WorkOptions
from cnn.settings.data import DataKind, DataSettings
from cnn.settings.fields import drop_later_defaults
from cnn.settings.tiles import TileSettings
from cnn.speakers.doubts import SpeakerDoubts
from cnn.tiles.chunks import picture_shape
from cnn.tiles.tile_set import CLIP_COLUMNS, TileSet, UnusableTilesError, open_tiles, read_tiles

_TOGETHER = 256  # pictures between two steps of the progress bar
_ALONE = WorkOptions()


def prepare_pictures(source: PictureSource, settings: TileSettings, tiles_dir: Path, options: WorkOptions = _ALONE) -> TileSet:
    """Make the tiles of a source, or open them if they exist; say through `options.log` what the pictures are like.

    Raises:
        CorpusError: the source cannot be used.
        TilesError: the folder cannot be written.
    """
    check_source(source)
    key = compute_digest([str(source.place.resolve()), drop_later_defaults(settings)])
    part = tiles_dir / f".pictures-{key}.part"
    try:
        with hold_lock(
            part.with_suffix(".lock"), lambda: options.log("another process makes tiles of these pictures; waiting")
        ):
            shutil.rmtree(part, ignore_errors=True)  # a killed command's
            part.mkdir()
            try:
                folder = _finish(part, source, settings, _write_arrays(part, source, settings, options), options)
            finally:
                shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        rule = f"cannot write tiles into {tiles_dir}: {error.strerror or error}"
        raise TilesError(f"{rule}; free some space or choose another folder with --tiles") from error
    return open_tiles(folder)


@dataclass(kw_only=True, slots=True)
class _Content:
    """The rows that were written, and what their pictures are like."""

    rows: list[PictureRow] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)  # SHA-256 of shape and pixels
    problems: list[CorpusError] = field(default_factory=list)
    sums: np.ndarray = field(default_factory=lambda: np.zeros((2, 1)))  # levels, and their squares, by channel
    n_cells: int = 0  # by channel, which were summed
    shapes: dict[tuple[int, ...], int] = field(default_factory=lambda: defaultdict(int))


def _write_arrays(part: Path, source: PictureSource, settings: TileSettings, options: WorkOptions) -> _Content:
    content, channels, stream = _Content(sums=np.zeros((2, source.channels))), source.channels, iter(source.read())
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context((part / f"{name}.npy").open("w+b")) for name in FILTERS]
        for file in files:
            _write_head(file, picture_shape(len(source.rows), settings, channels))
        advance = stack.enter_context(options.bar(len(source.rows)))
        rows = iter(source.rows)
        while block := list(islice(rows, _TOGETHER)):
            pictures = list(_keep(content, block, islice(stream, len(block)), settings.size))
            if pictures:
                tiles = np.stack([fit_picture(pixels, settings.size, channels) for pixels in pictures])
                _count(content, tiles)
                for file, array in zip(files, (tiles, _filter(tiles, settings)), strict=True):
                    file.write((array.transpose(0, 3, 1, 2) if channels == 3 else array).tobytes())
            advance(len(block))
        for file in files:
            _write_head(file, picture_shape(len(content.rows), settings, channels))
            file.flush()
            os.fsync(file.fileno())
    return content


def _write_head(file: IO[bytes], shape: tuple[int, ...]) -> None:
    """Write the head of an array whose rows follow, or already do; numpy leaves room for its first number to change."""
    file.seek(0)
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _keep(content: _Content, rows: Sequence[PictureRow], stream: Iterator[Pixels | CorpusError], size: int) -> Iterator[Pixels]:
    for row, pixels in zip(rows, stream, strict=True):
        if isinstance(pixels, CorpusError):
            content.problems.append(pixels)
            continue
        content.rows.append(row)
        content.digests.append(hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest())
        content.shapes[pixels.shape[:2]] += 1
        yield pixels


def _filter(tiles: Pixels, settings: TileSettings) -> Pixels:
    from cnn.tiles.front_end import smooth_tiles

    return smooth_tiles(tiles, settings)


def _count(content: _Content, tiles: Pixels) -> None:
    """Add the levels of those of the last tiles that are not for test; (n, F, T) or (n, F, T, 3)."""
    parts = [row.part for row in content.rows[-len(tiles) :]]
    levels = tiles[[part != "test" for part in parts]].reshape(-1, content.sums.shape[1]).astype(np.float64)
    content.sums += np.stack([levels.sum(0), np.square(levels).sum(0)])
    content.n_cells += len(levels)


def _finish(part: Path, source: PictureSource, settings: TileSettings, content: _Content, options: WorkOptions) -> Path:
    """Write the tables, name the folder by its digest, and return it; whole tiles of the same name stay as they are."""
    for line in (*source.notes, *describe_left_out(content.problems, len(source.rows))):
        options.log(line)
    if not content.rows:
        raise CorpusError(f"{source.place} holds no picture that can be read; repair or replace them")
    labels = [row.label for row in content.rows]
    is_official = {"train", "test"} <= {row.part for row in content.rows}
    parts = [row.part if is_official else "" for row in content.rows]
    for line in (*describe_shapes(content.shapes, settings.size), *describe_duplicates(content.digests, labels, parts)):
        options.log(line)
    mean, spread = _levels(content)
    data = DataSettings(
        kind=DataKind.PICTURES,
        labels=source.classes,
        channels=source.channels,
        side=max(scale_side(max(shape), max(shape), settings.size) for shape in content.shapes),
        normalisation="corpus",
        mean=mean,
        spread=spread,
        split="official" if is_official else "random",
        name=source.name,
    )
    ids = [[row.id, *rest] for row, *rest in zip(content.rows, labels, parts, content.digests, strict=True)]
    corpus = compute_digest([data.kind, data.labels, data.channels, ids])
    about = {"tiles": drop_later_defaults(settings), "corpus": corpus, "corpus_folder": str(source.place.resolve())}
    doubts = {"n_clips": len(ids), "speakers": {}, "doubts": SpeakerDoubts().as_json()}
    paths = [row.path for row in content.rows]
    rows = ([i, label, "", path, digest, p, "0.0"] for (i, label, p, digest), path in zip(ids, paths, strict=True))
    write_csv(part / "clips.csv", CLIP_COLUMNS, rows)
    write_json(part / "settings.json", {"format": TILES_FORMAT, **data.to_json(), **about, **doubts})
    return _place(part, part.parent / compute_digest({"corpus": corpus, "tiles": about["tiles"]}), options)


def _levels(content: _Content) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation of each channel, of 0..1."""
    mean, square = content.sums / max(content.n_cells, 1) / [[255], [255**2]]
    spread = np.sqrt(np.maximum(square - mean**2, 0))
    return tuple(mean.round(6).tolist()), tuple(spread.round(6).tolist())


def _place(part: Path, folder: Path, options: WorkOptions) -> Path:
    try:
        read_tiles(folder)
    except UnusableTilesError:
        shutil.rmtree(folder, ignore_errors=True)  # damaged, or of another version of Arena
        part.rename(folder)
    else:
        options.log("these tiles were made before")
        for name in ("clips.csv", "settings.json"):  # where the pictures lie now, and their name
            (part / name).replace(folder / name)
    return folder
