"""Folders for studies that another machine made in a database: each holds its URL and this machine's paths."""

from __future__ import annotations

from pathlib import Path

from arena.base.suggest import did_you_mean
from cnn.files import write_json
from sweeps.errors import StudyError
from sweeps.study.folder import StudyFolder, check_name, load_database, resolve_storage


def join_all_studies(studies_dir: Path, storage: str) -> None:
    """Create folders for all studies in a database; raises StudyError as `join_study` does."""
    for name in load_database(storage).list_names():
        join_study(studies_dir, storage, name)


def join_study(
    studies_dir: Path, storage: str, name: str, *, tiles: Path | None = None, runs: Path | None = None
) -> StudyFolder:
    """Create or update the folder of a study that another machine made in a database; return it.

    `tiles` and `runs` are this machine's paths; without them, those of an earlier join or of the other machine.

    Raises:
        StudyError: the database has no such study, cannot be reached, or the folder holds another study.
    """
    check_name(name)
    folder = StudyFolder(studies_dir / name)
    database = load_database(storage)
    content = database.read_content(name)
    if content is None:
        names = database.list_names()
        hint = did_you_mean(name, names) if names else "; `arena sweep run --storage` makes one"
        raise StudyError(f"no study {name!r} in {database}{hint}")
    with folder.lock_folder():
        resolve_storage(folder, storage)
        old = folder.read_content()
        paths = {
            key: str(path.resolve()) if path else old.get(key) or _guess_path(key, content[f"first_{key}"])
            for key, path in (("tiles", tiles), ("runs", runs))
        }
        new = {**content, **paths, "storage": storage}
        if new != old:
            write_json(folder.path / "study.json", new)
    return folder


def _guess_path(name: str, first: str) -> str:
    """Return the path on the machine that made the study, if it exists here too (a shared folder), or ./tiles or ./runs."""
    return first if Path(first).exists() else str(Path(name).resolve())
