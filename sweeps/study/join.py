"""Folders for studies that another machine made in a database: each holds its URL and this machine's paths."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.base.suggest import did_you_mean
from cnn.errors import CnnError
from cnn.files import write_json
from sweeps.errors import StudyError
from sweeps.study.folder import StudyFolder, check_name, load_database, resolve_storage
from sweeps.study.paths import PATHS, change_paths
from sweeps.training import configuration


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalPaths:
    """This machine's paths; None: those of an earlier join or, if they are here too, of the machine that made the study."""

    tiles: Path | None = None
    runs: Path | None = None


def join_all_studies(studies_dir: Path, storage: str) -> None:
    """Create folders for all studies in a database, to look at them; raises StudyError as `join_studies` does."""
    for name in load_database(storage).list_names():
        folder, content = _read(studies_dir, storage, name)
        _write(folder, {**content, **_choose_paths(folder, content, LocalPaths())})


def join_studies(studies_dir: Path, storage: str, names: Sequence[str], paths: LocalPaths, say: Callable[[str], None]) -> None:
    """Create or update the folders of studies that another machine made in a database, to train their trials here.

    Nothing is written unless all of them can be trained.

    Raises:
        StudyError: the database has no such study or cannot be reached, the folder holds another study, or agents at work
            here use other paths.
        CnnError: no tiles, tiles of other recordings or settings, or run folders that cannot be written.
    """
    contents: list[tuple[StudyFolder, dict[str, Any]]] = []
    for name in names:
        folder, content = _read(studies_dir, storage, name)
        local = _choose_paths(folder, content, paths)
        tiles = configuration.find_tiles_folder(Path(local["tiles"]), say).resolve()
        configuration.check_study_tiles(name, content["base"], tiles)
        configuration.check_runs(Path(local["runs"]))
        content = {**content, **local, "tiles": str(tiles)}
        with change_paths(folder.path, folder.read_content(), content):
            contents.append((folder, content))
    for folder, content in contents:
        _write(folder, content)


def _read(studies_dir: Path, storage: str, name: str) -> tuple[StudyFolder, dict[str, Any]]:
    """Return the folder of a study and its content in the database, with the database's URL."""
    check_name(name)
    folder, database = StudyFolder(studies_dir / name), load_database(storage)
    content = database.read_content(name)
    if content is None:
        names = database.list_names()
        hint = did_you_mean(name, names) if names else "; `arena sweep run --storage` makes one"
        raise StudyError(f"no study {name!r} in {database}{hint}")
    resolve_storage(folder, storage)
    return folder, {**content, "storage": storage}


def _choose_paths(folder: StudyFolder, content: dict[str, Any], paths: LocalPaths) -> dict[str, str]:
    old = folder.read_content()
    return {
        key: str(path.resolve()) if path else old.get(key) or _guess_path(key, content[f"first_{key}"])
        for key, path in zip(PATHS, (paths.tiles, paths.runs), strict=True)
    }


def _guess_path(key: str, first: str) -> str:
    """Return the path on the machine that made the study, if it exists here too (a shared folder), or ./tiles or ./runs."""
    path = Path(first if Path(first).exists() else key).resolve()
    if key == "tiles":
        with contextlib.suppress(CnnError):  # whoever only looks needs none
            path = configuration.find_tiles_folder(path, lambda _: None).resolve()
    return str(path)


def _write(folder: StudyFolder, content: dict[str, Any]) -> None:
    with folder.lock_folder():
        old = folder.read_content()
        if content != old:
            with change_paths(folder.path, old, content):
                write_json(folder.path / "study.json", content)
