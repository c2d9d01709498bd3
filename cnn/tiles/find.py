"""Which of several folders of tiles is meant: the newest of one corpus, or none of several. Reads settings.json alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cnn.config import TILES_FORMAT, digest_of
from cnn.errors import CnnError, TilesError
from cnn.files import read_json


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    folder: Path
    corpus_folder: str
    n_clips: int | None
    settings: dict[str, Any]
    prepared_s: float  # since 1970; preparing again what is there counts
    is_current: bool  # of this version of Arena

    @property
    def kind(self) -> str:
        """Equal for the folders that one command made of one corpus as its recordings changed."""
        return digest_of([self.corpus_folder, self.settings])

    @property
    def prepared(self) -> str:
        return datetime.fromtimestamp(self.prepared_s, UTC).strftime("%Y-%m-%d %H:%M UTC")


def find_folder(path: Path, say: Callable[[str], None]) -> Path:
    """The folder of tiles below `path`. Where several differ in their recordings alone, it is the one prepared last, and `say`
    hears of that; others than those of this version count where there are no better ones.

    Raises:
        TilesError: there are none, or of several corpora or settings.
    """
    found = [_found(p.parent) for p in path.glob("*/settings.json") if not p.parent.name.startswith(".")]
    if not found:
        raise TilesError(f"no tiles in {path}; make some with `arena data prepare CORPUS --tiles {path}`")
    found = [one for one in found if one.is_current] or found
    newest, *older = sorted(found, key=lambda one: (-one.prepared_s, one.folder.name))
    if not older:
        return newest.folder
    if any(one.kind != newest.kind for one in older):
        lines = "".join(f"\n  {line}" for line in _lines([newest, *older]))
        raise TilesError(f"{path} holds {len(found)} folders of tiles; choose one with --tiles:{lines}")
    say(
        f"note: {path} holds {len(found)} folders of tiles of {newest.corpus_folder}, whose recordings changed; "
        f"taken is the one prepared last, {newest.folder.name} of {newest.prepared}"
    )
    return newest.folder


def _found(folder: Path) -> _Found:
    try:
        content = read_json(folder / "settings.json")
    except CnnError:
        content = {}
    settings, n_clips = content.get("tiles"), content.get("n_clips")
    return _Found(
        folder=folder,
        corpus_folder=str(content.get("corpus_folder", "")),
        n_clips=n_clips if isinstance(n_clips, int) else None,
        settings=settings if isinstance(settings, dict) else {},
        prepared_s=(folder / "settings.json").stat().st_mtime,
        is_current=content.get("format") == TILES_FORMAT,
    )


def _lines(found: Sequence[_Found]) -> list[str]:
    """What each is, and of its settings those that differ."""
    names = sorted({name for one in found for name in one.settings} - {"size"})
    differing = [name for name in names if len({str(one.settings.get(name)) for one in found}) > 1]
    lines = []
    for one in found:
        size = one.settings.get("size", "?")
        clips = "clips not counted" if one.n_clips is None else f"{one.n_clips:,} clip{'s' * (one.n_clips != 1)}"
        facts = [clips, f"{size} x {size} cells"]
        facts += [f"{name} {one.settings.get(name)}" for name in differing]
        facts += [f"prepared {one.prepared}", f"corpus {one.corpus_folder or 'unknown'}"]
        lines.append(f"{one.folder}: {', '.join(facts)}")
    return lines
