"""Preparation of a folder of tiles: raw.npy, bilateral.npy, both of twice the range, clips.csv and settings.json.

The arrays are (N, F, T) uint8 and memory-mapped; a tile depends on its own clip only.
The folder is named by the digest of recordings and settings.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from arena.base.locks import hold_lock, try_lock
from cnn import config as cfg
from cnn.config import DENOISED, FILTERS, TILES_FORMAT
from cnn.corpus.scan import Corpus
from cnn.errors import TilesError
from cnn.files import write_csv, write_json
from cnn.processes import WorkOptions
from cnn.settings.data import SPOKEN_DIGITS, DataSettings
from cnn.settings.fields import drop_later_defaults
from cnn.settings.tiles import TileSettings
from cnn.tiles import chunks
from cnn.tiles.chunks import FindPicture, Pictures, Sound, picture_shape
from cnn.tiles.tile_set import CLIP_COLUMNS, NO_WIDE, TileSet, UnusableTilesError, open_tiles, read_json_or_empty, read_tiles

_ALONE = WorkOptions()


def prepare(corpus: Corpus, settings: TileSettings, tiles_dir: Path, options: WorkOptions = _ALONE) -> TileSet:
    """Make the tiles of all clips of `corpus`, or open them if they exist. Resumes after a kill.

    Tiles of the same sound and settings in other folders below `tiles_dir` are copied. A folder that
    is damaged, or of another version of Arena, is made anew, with a message.

    Raises:
        TilesError: the folder cannot be written; finished chunks are kept, incomplete ones are made again.
        RunError: its tables cannot be written.
        CorpusError: a recording changed meanwhile.
    """
    folder = locate_tiles(corpus, settings, tiles_dir)
    try:
        lock = tiles_dir / f".{folder.name}.lock"
        with hold_lock(lock, lambda: options.log("another process is making these tiles; waiting")):
            if folder.exists():
                try:
                    tiles = read_tiles(folder)
                    if not tiles.has_wide:
                        raise UnusableTilesError(NO_WIDE)
                    tiles = _update(tiles, corpus)
                    options.log("these tiles were made before")
                    return tiles
                except UnusableTilesError as error:
                    options.log(f"{folder} {error}: its tiles are made anew")
            _prepare_in(folder, corpus, settings, options)
            _remove_superseded(folder, corpus, settings)
    except OSError as error:
        raise TilesError(f"cannot write tiles into {tiles_dir}: {error.strerror or error}; {_remedy(error)}") from error
    return open_tiles(folder)


def _remedy(error: OSError) -> str:
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    again = "free some space and run the same command again, which goes on with what is done, or " * is_full
    return f"{again}choose another folder with --tiles"


def locate_tiles(corpus: Corpus, settings: TileSettings, tiles_dir: Path) -> Path:
    """Return the folder for the tiles of these recordings with these settings, made or not."""
    return tiles_dir / cfg.compute_digest({"corpus": corpus.digest, "tiles": drop_later_defaults(settings)})


def _update(tiles: TileSet, corpus: Corpus) -> TileSet:
    """Record where the recordings lie now, and touch the folder: it counts as the one prepared last."""
    folder = tiles.folder
    if [clip.path for clip in tiles.clips] != [clip.path.as_posix() for clip in corpus.clips]:
        _write_clips(folder, corpus)
    data = tiles.data
    if not data.mean and os.access(folder, os.W_OK):  # prepared before levels were counted
        data = _count(folder, tiles.shape, corpus)
    if read_json_or_empty(folder / "settings.json") != (content := _content(corpus, tiles.settings, data)):
        write_json(folder / "settings.json", content)
    with contextlib.suppress(PermissionError):  # the folder is another user's
        os.utime(folder / "settings.json")
    return read_tiles(folder)


def _prepare_in(folder: Path, corpus: Corpus, settings: TileSettings, options: WorkOptions) -> None:
    part, replaced = folder.with_name(f".{folder.name}.part"), folder.with_name(f".{folder.name}.old")
    unfinished = {"format": TILES_FORMAT, "chunk": chunks.CHUNK, **_identity(corpus, settings)}
    if {**read_json_or_empty(part / "settings.json"), "corpus_folder": unfinished["corpus_folder"]} != unfinished:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        _write_clips(part, corpus)
        write_json(part / "settings.json", unfinished)
    sounds = [Sound(path=corpus.folder / clip.path, audio_digest=clip.audio_digest) for clip in corpus.clips]
    chunks.make_tiles(part, sounds, settings, _other_pictures(folder.parent, settings), options)
    _write_clips(part, corpus)
    data = _count(part, picture_shape(len(corpus.clips), settings), corpus)
    write_json(part / "settings.json", _content(corpus, settings, data))
    chunks.drop_journal(part)
    shutil.rmtree(replaced, ignore_errors=True)
    if read_json_or_empty(folder / "settings.json").get("format") == TILES_FORMAT:  # of the same raw tiles
        for denoised in sorted(folder.glob(f"{DENOISED}.*")):
            shutil.copy2(denoised, part)
    if folder.exists():
        folder.rename(replaced)
    part.rename(folder)
    shutil.rmtree(replaced, ignore_errors=True)


def _identity(corpus: Corpus, settings: TileSettings) -> dict[str, Any]:
    identity = {"tiles": drop_later_defaults(settings), "corpus": corpus.digest, "corpus_folder": str(corpus.folder.resolve())}
    return identity | ({"corpora": {name: str(path) for name, path in corpus.parts.items()}} if corpus.parts else {})


def _count(folder: Path, shape: tuple[int, ...], corpus: Corpus) -> DataSettings:
    """Return what the tiles show, with the mean and the spread of their raw levels."""
    mean, spread = chunks.count_levels(chunks.open_pictures(folder / f"{FILTERS[0]}.npy", shape))
    return replace(SPOKEN_DIGITS, mean=mean, spread=spread, corpora=tuple(corpus.parts))


def _content(corpus: Corpus, settings: TileSettings, data: DataSettings) -> dict[str, Any]:
    """Return the content of settings.json for finished tiles."""
    about = {"n_clips": len(corpus.clips), "speakers": corpus.speakers, "doubts": corpus.doubts.as_json()}
    return {"format": TILES_FORMAT, **data.to_json(), **_identity(corpus, settings), **about}


def _write_clips(folder: Path, corpus: Corpus) -> None:
    rows = ([c.id, c.label, c.speaker, c.path.as_posix(), c.audio_digest, "", f"{c.length_s:.4f}"] for c in corpus.clips)
    write_csv(folder / "clips.csv", CLIP_COLUMNS, rows)


def _other_pictures(tiles_dir: Path, settings: TileSettings) -> FindPicture:
    """Return a look-up of pictures by their sound's digest in other folders, finished or not."""
    sources: dict[str, tuple[TileSet, int]] = {}
    for folder in sorted(path.parent for path in tiles_dir.glob("*/settings.json")):
        try:
            tiles = read_tiles(folder)
        except UnusableTilesError:
            continue
        if tiles.settings == settings and tiles.has_wide:
            n_clips = len(tiles.clips)
            is_part = folder.name.startswith(".")
            finished = chunks.find_finished_clips(folder, picture_shape(n_clips, settings)) if is_part else range(n_clips)
            sources.update({clip.audio_digest: (tiles, n) for n, clip in enumerate(tiles.clips) if n in finished})
    arrays = {tiles.folder: [tiles.pictures(name) for name in chunks.ARRAYS] for tiles, _ in sources.values()}

    def find_picture(audio_digest: str) -> Pictures | None:
        if audio_digest not in sources:
            return None
        tiles, index = sources[audio_digest]
        return np.stack([array[index] for array in arrays[tiles.folder]])

    return find_picture


def _remove_superseded(folder: Path, corpus: Corpus, settings: TileSettings) -> None:
    """Remove unfinished tiles of earlier versions of these recordings, unless a process makes them now."""
    identity = {"corpora": None, **_identity(corpus, settings), "corpus": ""}
    for part in folder.parent.glob(".*.part"):
        content = read_json_or_empty(part / "settings.json")
        if {**{key: content.get(key) for key in identity}, "corpus": ""} == identity:
            with try_lock(part.with_suffix(".lock")) as is_mine:
                if is_mine:
                    shutil.rmtree(part, ignore_errors=True)
