"""Folders of tiles as the page reads them: pictures of single clips, paths of their recordings, and speakers.

Reads the files that the contract names (settings.json, clips.csv, raw.npy, bilateral.npy) by itself: the room that writes them
starts torch.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.config import TilesInfo, config_to_dict, read_format
from cnn.errors import RunError
from cnn.files import read_json
from cnn.runs import DataKind


@dataclass(frozen=True, kw_only=True, slots=True)
class TileFolder:
    """The tiles that some runs were trained on."""

    folder: Path
    kind: DataKind
    corpus_folder: Path  # where the recordings lay when the tiles were made
    rows: dict[str, int]  # row of each clip in the pictures
    paths: dict[str, str]  # path of each clip's recording, below the corpus folder
    speakers: dict[str, dict[str, Any]]  # what the corpus says of them: age, gender, accent
    doubts: dict[str, Any]  # speakers who may be one person under several names
    sources: tuple[dict[str, str], ...]  # citation and licence of each public corpus
    _pictures: dict[str, NDArray[np.uint8]] = field(default_factory=dict, repr=False)

    def picture(self, filter_name: str, clip: str) -> NDArray[np.uint8] | None:
        """Return (F, T) uint8, low frequencies first, (3, F, T) in colour; None where there is none of this clip."""
        if clip not in self.rows:
            return None
        if filter_name not in self._pictures:
            try:
                self._pictures[filter_name] = np.load(self.folder / f"{filter_name}.npy", mmap_mode="r")
            except (OSError, ValueError):
                return None
        pictures = self._pictures[filter_name]
        row = self.rows[clip]
        return np.asarray(pictures[row]) if pictures.ndim in (3, 4) and row < len(pictures) else None

    def recording(self, clip: str) -> Path | None:
        """Return the path of the clip's recording; None of a picture."""
        return self.corpus_folder / self.paths[clip] if clip in self.paths and self.kind is DataKind.SOUND else None


def find_tile_folder(tiles_dir: Path, config: dict[str, Any]) -> TileFolder | None:
    """Find the tiles of a run's config.json, in `tiles_dir` or below it; None where there are none that can be read."""
    below = sorted(tiles_dir.iterdir()) if tiles_dir.is_dir() else []
    for folder in (tiles_dir, *below):
        try:
            settings = read_json(folder / "settings.json")
            if _match_tiles(settings, config):
                return _read(folder, settings)
        except (RunError, OSError, ValueError, KeyError):
            continue
    return None


def _match_tiles(settings: dict[str, Any], config: dict[str, Any]) -> bool:
    """Return True if a run was trained on the tiles: they have its corpus, format and settings, defaults left out or not."""
    expected, actual = dict(config.get("tiles") or {}), settings.get("tiles") or {}
    expected.pop("format", None)
    defaults = config_to_dict(TilesInfo().settings)
    same = {key: actual.get(key, defaults.get(key)) for key in expected} == expected and actual.keys() <= expected.keys()
    return same and (settings.get("corpus"), settings.get("format")) == (config.get("corpus"), read_format(config))


def _read(folder: Path, settings: dict[str, Any]) -> TileFolder:
    with (folder / "clips.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    speakers = settings.get("speakers", {})
    corpus_folder = Path(str(settings.get("corpus_folder", "")))
    corpora = [Path(str(path)) for path in settings.get("corpora", {}).values()] or [corpus_folder]
    return TileFolder(
        folder=folder,
        kind=DataKind(settings.get("kind", DataKind.SOUND)),
        corpus_folder=corpus_folder,
        rows={row["id"]: n for n, row in enumerate(rows)},
        paths={row["id"]: row["path"] for row in rows},
        speakers={name: facts for name, facts in speakers.items() if isinstance(facts, dict)},
        doubts=settings.get("doubts", {}),
        sources=tuple(filter(None, map(_read_source, corpora))),
    )


def _read_source(corpus_folder: Path) -> dict[str, str]:
    """Read citation and licence that `arena data get` wrote beside the recordings; empty if they are not all there."""
    try:
        content = read_json(corpus_folder / "SOURCE.json")
        return {key: str(content[key]) for key in ("citation", "licence", "licence_url")}
    except (RunError, OSError, ValueError, KeyError):
        return {}
