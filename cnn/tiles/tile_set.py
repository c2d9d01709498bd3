"""Tiles on disk: the pictures of a corpus, their labels and their settings."""

from __future__ import annotations

import csv
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from arena.base.project import find_project
from cnn import config as cfg
from cnn.config import DENOISED, FILTERS, TILES_FORMAT, WIDE, RunConfig, TilesInfo, compute_digest
from cnn.errors import CnnError, TilesError
from cnn.files import read_json
from cnn.settings.data import DataKind, DataSettings, find_corpus, read_data
from cnn.settings.fields import drop_later_defaults
from cnn.settings.tiles import TileSettings
from cnn.speakers.doubts import SpeakerDoubts, read_doubts
from cnn.tiles import chunks
from cnn.tiles.chunks import Pictures, picture_shape
from cnn.tiles.denoised import check_denoiser, read_denoiser
from cnn.tiles.find import find_folder

CLIP_COLUMNS = ("id", "label", "speaker", "path", "audio_digest", "part", "length_s")
NO_WIDE = "holds no tiles of twice the range, which augment.equaliser reads"  # after the folder's path
PARTS = ("", "train", "val", "test")  # where a corpus says so
_LENGTH = re.compile(r"\d+\.\d+")


@dataclass(frozen=True, kw_only=True, slots=True)
class TileClip:
    """One row of clips.csv; rows have the order of the arrays."""

    id: str
    label: str
    speaker: str
    path: str  # below the corpus folder
    audio_digest: str
    part: str  # one of `PARTS`: what the corpus gives the clip for
    length_s: float  # 0 of a picture
    corpus: str = ""  # where there are several

    @property
    def is_sound(self) -> bool:
        return self.length_s > 0


@dataclass(frozen=True, kw_only=True, slots=True)
class TileSet:
    """An opened folder of tiles."""

    folder: Path
    settings: TileSettings
    data: DataSettings  # kind, labels and channels
    corpus: str  # digest of the recordings or pictures
    corpus_folder: str  # their folder when the tiles were last prepared; of several corpora, the one above all of theirs
    corpora: dict[str, str]  # folders of several corpora by name; empty of one
    clips: tuple[TileClip, ...]
    speakers: dict[str, dict[str, Any]]  # metadata of the corpus by speaker: age, gender, accent
    doubts: SpeakerDoubts  # speakers who may be one person under several names

    def pictures(self, name: str) -> npt.NDArray[np.uint8]:
        """Open (N, F, T) uint8, memory-mapped; (N, 3, F, T) in colour.

        Args:
            name: raw, bilateral or denoised; with `WIDE` behind it of twice the range.

        Raises:
            TilesError: the file is missing or damaged.
        """
        if name == DENOISED and not (self.folder / f"{DENOISED}.npy").exists():
            raise TilesError(f"{self.folder} holds no denoised tiles; make them with `arena data denoise RUN`")
        if name.endswith(WIDE) and not self.has_wide:
            again = _advise(self.folder, self.corpus_folder)
            raise TilesError(f"{self.folder} {NO_WIDE}; make them with {again}, or type augment.equaliser=0")
        try:
            return _pictures(self.folder, name, self.shape)
        except UnusableTilesError as error:
            raise TilesError(_advice(self.folder, error, self.corpus_folder)) from error

    def labels(self) -> npt.NDArray[np.int64]:
        """Return (N,) class numbers, indices in `data.labels`."""
        number = {label: k for k, label in enumerate(self.data.labels)}
        return np.array([number[clip.label] for clip in self.clips], dtype=np.int64)

    @property
    def info(self) -> TilesInfo:
        """Return what a configuration of a training on these tiles takes from them."""
        denoiser = read_denoiser(self.folder)
        digest = denoiser.run if denoiser else ""
        return TilesInfo(corpus=self.corpus, settings=self.settings, data=self.data, denoiser=digest)

    @property
    def has_wide(self) -> bool:
        """False of tiles that were made before there were any of twice the range, and of pictures."""
        return all((self.folder / f"{name}{WIDE}.npy").exists() for name in FILTERS)

    @property
    def corpus_folders(self) -> tuple[str, ...]:
        """The folder of each corpus, also where there is one."""
        return tuple(self.corpora.values()) or (self.corpus_folder,)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of each array: (N, F, T), or (N, 3, F, T)."""
        return picture_shape(len(self.clips), self.settings, self.data.channels)


class UnusableTilesError(Exception):
    """The folder holds no usable tiles; the text continues a sentence that begins with its path."""

    def __init__(self, reason: str, corpus_folder: str = "CORPUS") -> None:
        super().__init__(reason)
        self.corpus_folder = corpus_folder


def open_tiles(folder: Path) -> TileSet:
    """Open the tiles in `folder`, which is named by a digest and holds settings.json.

    Raises:
        TilesError: the folder is missing, damaged, of another version of Arena, or holds no tiles.
    """
    try:
        return read_tiles(folder)
    except UnusableTilesError as error:
        raise TilesError(_advice(folder, error, error.corpus_folder)) from error


def _advice(folder: Path, error: Exception, corpus_folder: str) -> str:
    return f"{folder} {error}; make it anew with {_advise(folder, corpus_folder)}"


def _advise(folder: Path, corpus_folder: str) -> str:
    """Return the command that makes the tiles."""
    project, content = find_project(), read_json_or_empty(folder / "settings.json")
    command = "pictures" if content.get("kind") == DataKind.PICTURES else "prepare"
    corpora: dict[str, str] = content.get("corpora", {})
    corpus_folders = [Path(path) for path in corpora.values() or [corpus_folder]]
    words = [str(project.shorten(path)) if path.exists() else "CORPUS" for path in corpus_folders]
    words += [word for name in corpora for word in ("--name", name)]
    words += project.folder_option("tiles", folder.parent)
    return f"`{shlex.join(['arena', 'data', command, *words])}`"


def read_tiles(folder: Path) -> TileSet:
    content = read_json_or_empty(folder / "settings.json")
    corpus_folder = str(content.get("corpus_folder", "CORPUS"))
    try:
        settings, data = _settings(content)
        clips = tuple(_clips(folder / "clips.csv", data))
        tiles = TileSet(
            folder=folder,
            settings=settings,
            data=data,
            corpus=content["corpus"],
            corpus_folder=corpus_folder,
            corpora=content.get("corpora", {}),
            clips=clips,
            speakers=content.get("speakers", {}),
            doubts=read_doubts(content.get("doubts", {})),
        )
        if content.get("n_clips", len(clips)) != len(clips):
            raise UnusableTilesError(f"is damaged: clips.csv has {len(clips)} rows, not {content['n_clips']}")
        for name in chunks.ARRAYS if tiles.has_wide else FILTERS:
            _pictures(folder, name, tiles.shape)
    except UnusableTilesError as error:
        raise UnusableTilesError(str(error), corpus_folder) from error
    return tiles


def read_json_or_empty(path: Path) -> dict[str, Any]:
    try:
        return read_json(path)
    except CnnError:
        return {}


def _settings(content: dict[str, Any]) -> tuple[TileSettings, DataSettings]:
    if not {"tiles", "corpus"} <= set(content):
        raise UnusableTilesError("is no folder of tiles: its settings.json is missing or damaged")
    if (version := content.get("format", 1)) != TILES_FORMAT:
        raise UnusableTilesError(f"was made by another version of Arena ({cfg.describe_format(version)})")
    try:
        data = read_data(content)
    except (TypeError, ValueError) as error:
        raise UnusableTilesError(f"holds tiles that this version of Arena cannot read: {error}") from error
    try:
        settings = TileSettings(**content["tiles"])
    except (CnnError, TypeError):
        settings = None
    if settings is None or drop_later_defaults(settings) != content["tiles"]:
        raise UnusableTilesError("was made by another version of Arena (its settings are not those of this one)")
    return settings, data


def _clips(path: Path, data: DataSettings) -> Iterator[TileClip]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
    except (OSError, ValueError, csv.Error) as error:
        raise UnusableTilesError("is damaged: its clips.csv cannot be read") from error
    if not rows or tuple(rows[0]) != CLIP_COLUMNS:
        raise UnusableTilesError(f"is damaged: the first line of clips.csv is not {','.join(CLIP_COLUMNS)}")
    labels = frozenset(data.labels)
    for number, row in enumerate(rows[1:], start=2):
        is_whole = len(row) == len(CLIP_COLUMNS) and row[1] in labels and row[5] in PARTS and _LENGTH.fullmatch(row[6])
        if not is_whole:
            raise UnusableTilesError(f"is damaged: clips.csv line {number} is no clip with a known label: {','.join(row)!r}")
        *texts, length_s = row
        corpus = find_corpus(row[0], data.corpora)
        yield TileClip(**dict(zip(CLIP_COLUMNS, texts, strict=False)), length_s=float(length_s), corpus=corpus)


def _pictures(folder: Path, name: str, shape: tuple[int, ...]) -> Pictures:
    try:
        return chunks.open_pictures(folder / f"{name}.npy", shape)
    except (OSError, ValueError, EOFError) as error:
        raise UnusableTilesError(f"is damaged: its {name}.npy is missing or not of {shape[0]} whole tiles") from error


def find_run_tiles(config: RunConfig, folder: Path) -> TileSet:
    """Open the tiles that a run was trained on, in `folder` or below it.

    Raises:
        TilesError: they are not there.
        ConfigError: they were denoised anew since.
    """
    subfolder = folder / compute_digest({"corpus": config.corpus, "tiles": asdict(config.tiles)})
    tiles = open_tiles(subfolder) if (subfolder / "settings.json").exists() else find_tiles(folder)
    if (tiles.corpus, tiles.settings) != (config.corpus, config.tiles):
        raise TilesError(
            f"{tiles.folder} holds other tiles than the run was trained on ({subfolder.name}); name those with --tiles"
        )
    check_denoiser(config, tiles.folder)
    return tiles


def find_tiles(path: Path, say: Callable[[str], None] = lambda line: None) -> TileSet:
    """Open the tiles in `path`, or below it those that `find_folder` chooses.

    Raises:
        TilesError: there are none, or several corpora or settings.
    """
    return open_tiles(path if (path / "settings.json").exists() else find_folder(path, say))
