"""A folder of tiles: raw.npy and bilateral.npy, (N, F, T) uint8 and memory-mapped, beside clips.csv and settings.json.

The folder is named by the digest of recordings and settings; a tile depends on its own clip only.
"""

from __future__ import annotations

import csv
import dataclasses
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from cnn import config as cfg
from cnn.config import TileSettings
from cnn.corpus import Corpus
from cnn.errors import CnnError, TilesError
from cnn.runs import lock_of, read_json, write_csv, write_json

FILTERS = ("raw", "bilateral")
_COLUMNS = ("id", "label", "speaker", "path", "audio_digest", "length_s")


class Advance(Protocol):
    def __call__(self, n: int = 1, note: str = "") -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class TileClip:
    """One row of clips.csv; its place is the tile's place in the arrays."""

    id: str
    label: str
    speaker: str
    path: str  # below the corpus folder
    audio_digest: str
    length_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class TileSet:
    """An opened folder of tiles."""

    folder: Path
    settings: TileSettings
    corpus: str  # digest of the recordings
    corpus_folder: str  # where they lay when the tiles were made
    clips: tuple[TileClip, ...]
    speakers: dict[str, dict[str, Any]]  # what the corpus says of them: age, gender, accent

    def pictures(self, filter_name: str) -> npt.NDArray[np.uint8]:
        """(N, F, T) uint8, read from the disk as needed. `filter_name` is raw or bilateral.

        Raises:
            TilesError: the file is missing or of another shape.
        """
        path = self.folder / f"{filter_name}.npy"
        shape = (len(self.clips), self.settings.size, self.settings.size)
        try:
            array: npt.NDArray[np.uint8] = np.load(path, mmap_mode="r")
        except (OSError, ValueError) as error:
            raise TilesError(f"{path} cannot be read: {error}; delete the folder and prepare it again") from error
        if array.shape != shape:
            raise TilesError(f"{path} has shape {array.shape}, not {shape}; delete the folder and prepare it again")
        return array

    def labels(self) -> npt.NDArray[np.int64]:
        """(N,) class numbers, places in `cnn.config.LABELS`."""
        return np.array([cfg.LABELS.index(clip.label) for clip in self.clips], dtype=np.int64)


def prepare(corpus: Corpus, settings: TileSettings, tiles_dir: Path, advance: Advance | None = None) -> TileSet:
    """The tiles of all clips of `corpus`, made once: the same recordings and settings are answered from their folder.

    Raises:
        TilesError: the folder cannot be written; nothing half-written is left.
    """
    folder = folder_of(corpus, settings, tiles_dir)
    try:
        with _locked(tiles_dir, folder.name):
            if not folder.exists():
                _prepare_in(folder, corpus, settings, advance or _silent)
    except OSError as error:
        raise TilesError(
            f"cannot write tiles into {tiles_dir}: {error.strerror or error}; choose another folder with --tiles"
        ) from error
    return open_tiles(folder)


def folder_of(corpus: Corpus, settings: TileSettings, tiles_dir: Path) -> Path:
    """Where the tiles of these recordings with these settings are, or will be."""
    return tiles_dir / cfg.digest_of({"corpus": corpus.digest, "tiles": dataclasses.asdict(settings)})


def _silent(n: int = 1, note: str = "") -> None:
    pass


@contextmanager
def _locked(tiles_dir: Path, digest: str) -> Iterator[None]:
    with lock_of(tiles_dir / f".{digest}.lock"):
        for left_by_a_kill in tiles_dir.glob(f".{digest}.part-*"):
            shutil.rmtree(left_by_a_kill, ignore_errors=True)
        yield


def _prepare_in(folder: Path, corpus: Corpus, settings: TileSettings, advance: Advance) -> None:
    part = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.part-"))
    try:
        _write_pictures(part, corpus, settings, advance)
        rows = ([c.id, c.label, c.speaker, c.path.as_posix(), c.audio_digest, f"{c.length_s:.4f}"] for c in corpus.clips)
        write_csv(part / "clips.csv", _COLUMNS, rows)
        content = {
            "tiles": dataclasses.asdict(settings),
            "corpus": corpus.digest,
            "corpus_folder": str(corpus.folder.resolve()),
            "n_clips": len(corpus.clips),
            "speakers": corpus.speakers,
        }
        write_json(part / "settings.json", content)
        part.chmod(0o755)
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _write_pictures(part: Path, corpus: Corpus, settings: TileSettings, advance: Advance) -> None:
    import torch

    from cnn.audio import read_clip
    from cnn.bilateral import bilateral
    from cnn.spectrogram import tile_of

    shape = (len(corpus.clips), settings.size, settings.size)
    arrays = {name: np.empty(shape, dtype=np.uint8) for name in FILTERS}
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)  # a clip is too little work to share out
    try:
        for place, clip in enumerate(corpus.clips):
            samples, rate_hz = read_clip(corpus.folder / clip.path)
            arrays["raw"][place] = tile_of(samples, rate_hz, settings)
            arrays["bilateral"][place] = bilateral(arrays["raw"][place], settings)
            advance()
    finally:
        torch.set_num_threads(n_threads)
    for name, array in arrays.items():
        _save(part / f"{name}.npy", array)


def _save(path: Path, array: npt.NDArray[np.uint8]) -> None:
    # numpy.save says of a full disk only how many bytes it wanted; a write of Python's own says that it is full.
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        file.write(array.data)
        file.flush()
        os.fsync(file.fileno())


def open_tiles(folder: Path) -> TileSet:
    """The tiles in `folder`, which is named by a digest and holds settings.json.

    Raises:
        TilesError: it is missing, damaged, or no folder of tiles.
    """
    try:
        content = read_json(folder / "settings.json")
        settings = TileSettings(**content["tiles"])
        with (folder / "clips.csv").open(newline="", encoding="utf-8") as file:
            clips = tuple(_clip(row) for row in csv.DictReader(file))
        return TileSet(
            folder=folder,
            settings=settings,
            corpus=content["corpus"],
            corpus_folder=content["corpus_folder"],
            clips=clips,
            speakers=content["speakers"],
        )
    except (CnnError, OSError, KeyError, TypeError, ValueError) as error:
        raise TilesError(f"{folder} is no usable folder of tiles ({error}); make one with `arena data prepare`") from error


def _clip(row: dict[str, Any]) -> TileClip:
    length_s = float(row.pop("length_s"))
    return TileClip(length_s=length_s, **row)


def find_tiles(path: Path) -> TileSet:
    """The tiles in `path`, or the only ones below it.

    Raises:
        TilesError: there are none, or several to choose from.
    """
    if (path / "settings.json").exists():
        return open_tiles(path)
    found = sorted(p.parent for p in path.glob("*/settings.json") if not p.parent.name.startswith("."))
    if not found:
        raise TilesError(f"no tiles in {path}; make some with `arena data prepare CORPUS --tiles {path}`")
    if len(found) > 1:
        names = ", ".join(str(p) for p in found)
        raise TilesError(f"{path} holds {len(found)} folders of tiles; choose one with --tiles: {names}")
    return open_tiles(found[0])
