"""A folder of tiles: raw.npy and bilateral.npy, (N, F, T) uint8 and memory-mapped, beside clips.csv and settings.json.

The folder is named by the digest of recordings and settings; a tile depends on its own clip only.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from arena.base.locks import hold_lock, try_lock
from cnn import config as cfg
from cnn.config import TILES_FORMAT, TileSettings
from cnn.corpus.scan import Corpus
from cnn.errors import TilesError
from cnn.files import write_csv, write_json
from cnn.processes import Hands
from cnn.tiles import chunks
from cnn.tiles.chunks import FILTERS, Pictures, Sound, picture_shape
from cnn.tiles.tile_set import CLIP_COLUMNS, TileSet, UnusableTilesError, open_tiles, read_json_or_empty, read_tiles

_ALONE = Hands()


def prepare(corpus: Corpus, settings: TileSettings, tiles_dir: Path, hands: Hands = _ALONE) -> TileSet:
    """The tiles of all clips of `corpus`, made once: the same recordings and settings are answered from their folder.

    What a killed call had finished is kept, and so is every tile of the same sound and settings in other folders below
    `tiles_dir`. A folder that is damaged, or of another version of Arena, is made anew and said to be.

    Raises:
        TilesError: the folder cannot be written; what is finished is kept, and nothing half-written is taken for whole.
        RunError: the same of its tables.
        CorpusError: a recording changed meanwhile.
    """
    folder = locate_tiles(corpus, settings, tiles_dir)
    try:
        with hold_lock(tiles_dir / f".{folder.name}.lock", lambda: hands.say("another process is making these tiles; waiting")):
            if folder.exists():
                try:
                    found = _brought_up_to_date(read_tiles(folder), corpus)
                    hands.say("these tiles were made before")
                    return found
                except UnusableTilesError as error:
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


def locate_tiles(corpus: Corpus, settings: TileSettings, tiles_dir: Path) -> Path:
    """Where the tiles of these recordings with these settings are, or will be."""
    return tiles_dir / cfg.digest_of({"corpus": corpus.digest, "tiles": dataclasses.asdict(settings)})


def _brought_up_to_date(tiles: TileSet, corpus: Corpus) -> TileSet:
    """The tiles as those of where the recordings lie now; the folder counts as the one prepared last."""
    folder = tiles.folder
    if [clip.path for clip in tiles.clips] != [clip.path.as_posix() for clip in corpus.clips]:
        _write_clips(folder, corpus)
    if read_json_or_empty(folder / "settings.json") != (content := _content(corpus, tiles.settings)):
        write_json(folder / "settings.json", content)
    with contextlib.suppress(PermissionError):  # another user's
        os.utime(folder / "settings.json")
    return read_tiles(folder)


def _prepare_in(folder: Path, corpus: Corpus, settings: TileSettings, hands: Hands) -> None:
    part, replaced = folder.with_name(f".{folder.name}.part"), folder.with_name(f".{folder.name}.old")
    make = {"format": TILES_FORMAT, "chunk": chunks.CHUNK, **_identity(corpus, settings)}
    if {**read_json_or_empty(part / "settings.json"), "corpus_folder": make["corpus_folder"]} != make:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        _write_clips(part, corpus)
        write_json(part / "settings.json", make)
    sounds = [Sound(path=corpus.folder / clip.path, audio_digest=clip.audio_digest) for clip in corpus.clips]
    chunks.make_tiles(part, sounds, settings, _known(folder.parent, settings), hands)
    _write_clips(part, corpus)
    write_json(part / "settings.json", _content(corpus, settings))
    chunks.drop_journal(part)
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
    write_csv(folder / "clips.csv", CLIP_COLUMNS, rows)


def _known(tiles_dir: Path, settings: TileSettings) -> Callable[[str], Pictures | None]:
    """The picture of a sound that other folders hold, finished or not."""
    sources: dict[str, tuple[TileSet, int]] = {}
    for folder in sorted(path.parent for path in tiles_dir.glob("*/settings.json")):
        try:
            tiles = read_tiles(folder)
        except UnusableTilesError:
            continue
        if tiles.settings == settings:
            n_clips = len(tiles.clips)
            is_part = folder.name.startswith(".")
            whole = chunks.find_finished_clips(folder, picture_shape(n_clips, settings)) if is_part else range(n_clips)
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
        content = read_json_or_empty(part / "settings.json")
        if {**{key: content.get(key) for key in mine}, "corpus": ""} == mine:
            with try_lock(part.with_suffix(".lock")) as is_mine:
                if is_mine:
                    shutil.rmtree(part, ignore_errors=True)
