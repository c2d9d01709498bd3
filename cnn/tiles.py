"""A folder of tiles: raw.npy and bilateral.npy, (N, F, T) uint8 and memory-mapped, beside clips.csv and settings.json.

The folder is named by the digest of recordings and settings; a tile depends on its own clip only.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import errno
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from arena_locks import hold_lock, try_lock
from cnn import chunks
from cnn import config as cfg
from cnn.chunks import FILTERS, Pictures, Sound, picture_shape
from cnn.config import TILES_FORMAT, TileSettings
from cnn.corpus import Corpus
from cnn.errors import CnnError, TilesError
from cnn.processes import Hands
from cnn.runs import read_json, write_csv, write_json
from cnn.tile_folders import only_folder

_COLUMNS = ("id", "label", "speaker", "path", "audio_digest", "length_s")
_LENGTH = re.compile(r"\d+\.\d+")
_ALONE = Hands()


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
    corpus_folder: str  # where they lay when the tiles were made, or last asked for
    clips: tuple[TileClip, ...]
    speakers: dict[str, dict[str, Any]]  # what the corpus says of them: age, gender, accent

    def pictures(self, filter_name: str) -> npt.NDArray[np.uint8]:
        """(N, F, T) uint8, read from the disk as needed. `filter_name` is raw or bilateral.

        Raises:
            TilesError: the file is missing or damaged.
        """
        try:
            return _pictures(self.folder, filter_name, len(self.clips), self.settings)
        except _UnusableError as error:
            raise TilesError(_advice(self.folder, error, self.corpus_folder)) from error

    def labels(self) -> npt.NDArray[np.int64]:
        """(N,) class numbers, places in `cnn.config.LABELS`."""
        return np.array([cfg.LABELS.index(clip.label) for clip in self.clips], dtype=np.int64)


class _UnusableError(Exception):
    """Why a folder holds no tiles that can be used: the rest of a sentence that begins with its path."""

    def __init__(self, reason: str, corpus_folder: str = "CORPUS") -> None:
        super().__init__(reason)
        self.corpus_folder = corpus_folder


def prepare(corpus: Corpus, settings: TileSettings, tiles_dir: Path, hands: Hands = _ALONE) -> TileSet:
    """The tiles of all clips of `corpus`, made once: the same recordings and settings are answered from their folder.

    What a killed call had finished is kept, and so is every tile of the same sound and settings in other folders below
    `tiles_dir`. A folder that is damaged, or of another version of Arena, is made anew and said to be.

    Raises:
        TilesError: the folder cannot be written; what is finished is kept, and nothing half-written is taken for whole.
        RunError: the same of its tables.
        CorpusError: a recording changed meanwhile.
    """
    folder = folder_of(corpus, settings, tiles_dir)
    try:
        with hold_lock(tiles_dir / f".{folder.name}.lock", lambda: hands.say("another process is making these tiles; waiting")):
            if folder.exists():
                try:
                    found = _brought_up_to_date(_read(folder), corpus)
                    hands.say("these tiles were made before")
                    return found
                except _UnusableError as error:
                    hands.say(f"{folder} {error}: its tiles are made anew")
            _prepare_in(folder, corpus, settings, hands)
            _remove_superseded(folder, corpus, settings)
    except OSError as error:
        raise TilesError(f"cannot write tiles into {tiles_dir}: {error.strerror or error}; {_remedy(error)}") from error
    return open_tiles(folder)


def _remedy(error: OSError) -> str:
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    again = "free some space and run the same command again, which goes on with what is done, or " * is_full
    return f"{again}choose another folder with --tiles"


def folder_of(corpus: Corpus, settings: TileSettings, tiles_dir: Path) -> Path:
    """Where the tiles of these recordings with these settings are, or will be."""
    return tiles_dir / cfg.digest_of({"corpus": corpus.digest, "tiles": dataclasses.asdict(settings)})


def _brought_up_to_date(tiles: TileSet, corpus: Corpus) -> TileSet:
    """The tiles as those of where the recordings lie now; the folder counts as the one prepared last."""
    folder = tiles.folder
    if [clip.path for clip in tiles.clips] != [clip.path.as_posix() for clip in corpus.clips]:
        _write_clips(folder, corpus)
    if _json_in(folder / "settings.json") != (content := _content(corpus, tiles.settings)):
        write_json(folder / "settings.json", content)
    with contextlib.suppress(PermissionError):  # another user's
        os.utime(folder / "settings.json")
    return _read(folder)


def _prepare_in(folder: Path, corpus: Corpus, settings: TileSettings, hands: Hands) -> None:
    part, replaced = folder.with_name(f".{folder.name}.part"), folder.with_name(f".{folder.name}.old")
    make = {"format": TILES_FORMAT, "chunk": chunks.CHUNK, **_identity(corpus, settings)}
    if {**_json_in(part / "settings.json"), "corpus_folder": make["corpus_folder"]} != make:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        _write_clips(part, corpus)
        write_json(part / "settings.json", make)
    sounds = [Sound(path=corpus.folder / clip.path, audio_digest=clip.audio_digest) for clip in corpus.clips]
    chunks.make(part, sounds, settings, _known(folder.parent, settings), hands)
    _write_clips(part, corpus)
    write_json(part / "settings.json", _content(corpus, settings))
    chunks.close(part)
    shutil.rmtree(replaced, ignore_errors=True)
    if folder.exists():
        folder.rename(replaced)
    part.rename(folder)
    shutil.rmtree(replaced, ignore_errors=True)


def _identity(corpus: Corpus, settings: TileSettings) -> dict[str, Any]:
    place = str(corpus.folder.resolve())
    return {"tiles": dataclasses.asdict(settings), "corpus": corpus.digest, "corpus_folder": place}


def _content(corpus: Corpus, settings: TileSettings) -> dict[str, Any]:
    """Of the settings.json of finished tiles."""
    about = {"n_clips": len(corpus.clips), "speakers": corpus.speakers}
    return {"format": TILES_FORMAT, **_identity(corpus, settings), **about}


def _write_clips(folder: Path, corpus: Corpus) -> None:
    rows = ([c.id, c.label, c.speaker, c.path.as_posix(), c.audio_digest, f"{c.length_s:.4f}"] for c in corpus.clips)
    write_csv(folder / "clips.csv", _COLUMNS, rows)


def _known(tiles_dir: Path, settings: TileSettings) -> Callable[[str], Pictures | None]:
    """The picture of a sound that other folders hold, finished or not."""
    sources: dict[str, tuple[TileSet, int]] = {}
    for folder in sorted(path.parent for path in tiles_dir.glob("*/settings.json")):
        try:
            tiles = _read(folder)
        except _UnusableError:
            continue
        if tiles.settings == settings:
            n_clips = len(tiles.clips)
            is_part = folder.name.startswith(".")
            whole = chunks.finished_places(folder, picture_shape(n_clips, settings)) if is_part else range(n_clips)
            sources.update({clip.audio_digest: (tiles, place) for place, clip in enumerate(tiles.clips) if place in whole})
    arrays = {tiles.folder: [tiles.pictures(name) for name in FILTERS] for tiles, _ in sources.values()}

    def known(audio_digest: str) -> Pictures | None:
        if audio_digest not in sources:
            return None
        tiles, place = sources[audio_digest]
        return np.stack([array[place] for array in arrays[tiles.folder]])

    return known


def _remove_superseded(folder: Path, corpus: Corpus, settings: TileSettings) -> None:
    """Unfinished tiles of what these recordings were before, unless somebody is at work on them."""
    mine = {**_identity(corpus, settings), "corpus": ""}
    for part in folder.parent.glob(".*.part"):
        content = _json_in(part / "settings.json")
        if {**{key: content.get(key) for key in mine}, "corpus": ""} == mine:
            with try_lock(part.with_suffix(".lock")) as is_mine:
                if is_mine:
                    shutil.rmtree(part, ignore_errors=True)


def open_tiles(folder: Path) -> TileSet:
    """The tiles in `folder`, which is named by a digest and holds settings.json.

    Raises:
        TilesError: it is missing, damaged, of another version of Arena, or no folder of tiles.
    """
    try:
        return _read(folder)
    except _UnusableError as error:
        raise TilesError(_advice(folder, error, error.corpus_folder)) from error


def _advice(folder: Path, error: Exception, corpus_folder: str) -> str:
    corpus = corpus_folder if Path(corpus_folder).is_dir() else "CORPUS"  # it may have moved
    return f"{folder} {error}; make it anew with `arena data prepare {corpus} --tiles {folder.parent}`"


def _read(folder: Path) -> TileSet:
    content = _json_in(folder / "settings.json")
    corpus_folder = str(content.get("corpus_folder", "CORPUS"))
    try:
        settings = _settings(content)
        clips = tuple(_clips(folder / "clips.csv"))
        tiles = TileSet(
            folder=folder,
            settings=settings,
            corpus=content["corpus"],
            corpus_folder=corpus_folder,
            clips=clips,
            speakers=content.get("speakers", {}),
        )
        if content.get("n_clips", len(clips)) != len(clips):
            raise _UnusableError(f"is damaged: clips.csv has {len(clips)} rows, not {content['n_clips']}")
        for name in FILTERS:
            _pictures(folder, name, len(clips), settings)
    except _UnusableError as error:
        raise _UnusableError(str(error), corpus_folder) from error
    return tiles


def _json_in(path: Path) -> dict[str, Any]:
    try:
        return read_json(path)
    except CnnError:
        return {}


def _settings(content: dict[str, Any]) -> TileSettings:
    if not {"tiles", "corpus"} <= set(content):
        raise _UnusableError("is no folder of tiles: its settings.json is missing or damaged")
    if (made := content.get("format", 1)) != TILES_FORMAT:
        raise _UnusableError(f"was made by another version of Arena (format {made}, not {TILES_FORMAT})")
    try:
        settings = TileSettings(**content["tiles"])
    except (CnnError, TypeError):
        settings = None
    if settings is None or dataclasses.asdict(settings) != content["tiles"]:
        raise _UnusableError("was made by another version of Arena (its settings are not those of this one)")
    return settings


def _clips(path: Path) -> Iterator[TileClip]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise _UnusableError("is damaged: its clips.csv cannot be read") from error
    if not rows or tuple(rows[0]) != _COLUMNS:
        raise _UnusableError(f"is damaged: the first line of clips.csv is not {','.join(_COLUMNS)}")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(_COLUMNS) or row[1] not in cfg.LABELS or not _LENGTH.fullmatch(row[-1]):
            raise _UnusableError(f"is damaged: clips.csv line {number} is no clip with a label of 0..9: {','.join(row)!r}")
        *texts, length_s = row
        yield TileClip(**dict(zip(_COLUMNS, texts, strict=False)), length_s=float(length_s))


def _pictures(folder: Path, name: str, n_clips: int, settings: TileSettings) -> Pictures:
    try:
        return chunks.open_pictures(folder / f"{name}.npy", picture_shape(n_clips, settings))
    except (OSError, ValueError, EOFError) as error:
        raise _UnusableError(f"is damaged: its {name}.npy is missing or not of {n_clips} whole tiles") from error


def find_tiles(path: Path, say: Callable[[str], None] = lambda line: None) -> TileSet:
    """The tiles in `path`, or those below it: the only ones, or of one corpus whose recordings changed the ones prepared last.

    Raises:
        TilesError: there are none, or of several corpora or settings.
    """
    return open_tiles(path if (path / "settings.json").exists() else only_folder(path, say))
