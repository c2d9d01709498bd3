"""Choice among folders of tiles: the newest of one corpus, an error for several corpora."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cnn.config import TILES_FORMAT, compute_digest
from cnn.corpus.listing import is_audio, walk_files
from cnn.errors import CnnError, TilesError
from cnn.files import read_json


@dataclass(frozen=True, kw_only=True, slots=True)
class _Folder:
    path: Path
    corpus: str  # its folder, or those of several corpora
    name: str  # the corpus's, of pictures
    n_clips: int | None
    settings: dict[str, Any]
    prepared_s: float  # since 1970; also a repeated command counts
    has_current_format: bool

    @property
    def kind(self) -> str:
        """Digest of corpus and settings: equal for folders that differ in recordings alone."""
        return compute_digest([self.corpus, self.settings])

    @property
    def prepared(self) -> str:
        return datetime.fromtimestamp(self.prepared_s, UTC).strftime("%Y-%m-%d %H:%M UTC")


def find_folder(path: Path, say: Callable[[str], None]) -> Path:
    """Find the folder of tiles below `path`.

    Of several that differ in their recordings alone, it is the one prepared last, with a note through
    `say`. Folders of another version of Arena count only where there are no others.

    Raises:
        TilesError: there are none, or several corpora or settings.
    """
    folders = [_read_folder(p.parent) for p in path.glob("*/settings.json") if not p.parent.name.startswith(".")]
    if not folders:
        if any(is_audio(inner) for inner in walk_files(path, [])):
            raise TilesError(f"{path} holds recordings, no tiles; make some with `arena data prepare {path}`")
        raise TilesError(f"no tiles in {path}; make some with `arena data prepare CORPUS --tiles {path}`")
    folders = [folder for folder in folders if folder.has_current_format] or folders
    newest, *older = sorted(folders, key=lambda folder: (-folder.prepared_s, folder.path.name))
    if not older:
        return newest.path
    if any(folder.kind != newest.kind for folder in older):
        lines = "".join(f"\n  {line}" for line in _describe([newest, *older]))
        raise TilesError(f"{path} holds {len(folders)} folders of tiles; choose one with --tiles:{lines}")
    say(
        f"note: {path} holds {len(folders)} folders of tiles of {newest.corpus}, whose recordings changed; "
        f"taken is the one prepared last, {newest.path.name} of {newest.prepared}"
    )
    return newest.path


def _read_folder(folder: Path) -> _Folder:
    try:
        content = read_json(folder / "settings.json")
    except CnnError:
        content = {}
    settings, n_clips = content.get("tiles"), content.get("n_clips")
    return _Folder(
        path=folder,
        corpus=", ".join(content.get("corpora", {}).values()) or str(content.get("corpus_folder", "")),
        name=str(content.get("name", "")),
        n_clips=n_clips if isinstance(n_clips, int) else None,
        settings=settings if isinstance(settings, dict) else {},
        prepared_s=(folder / "settings.json").stat().st_mtime,
        has_current_format=content.get("format") == TILES_FORMAT,
    )


def _describe(folders: Sequence[_Folder]) -> list[str]:
    """Describe each folder, with the settings that differ."""
    names = sorted({name for folder in folders for name in folder.settings} - {"size"})
    differing = [name for name in names if len({str(folder.settings.get(name)) for folder in folders}) > 1]
    lines = []
    for folder in folders:
        size = folder.settings.get("size", "?")
        noun = "picture" if folder.name else "clip"
        clips = f"{noun}s not counted" if folder.n_clips is None else f"{folder.n_clips:,} {noun}{'s' * (folder.n_clips != 1)}"
        facts = [*filter(None, [folder.name]), clips, f"{size} x {size} cells"]
        facts += [f"{name} {folder.settings.get(name)}" for name in differing]
        facts += [f"prepared {folder.prepared}", f"corpus {folder.corpus or 'unknown'}"]
        lines.append(f"{folder.path}: {', '.join(facts)}")
    return lines
