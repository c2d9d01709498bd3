"""Studies that another machine made, as folders here: each names its database and this machine's places."""

from __future__ import annotations

from pathlib import Path

from arena.base.suggest import did_you_mean
from cnn.files import write_json
from sweeps.errors import StudyError
from sweeps.study.folder import StudyFolder, check_name, database_at, storage_of


def join_all(studies_dir: Path, storage: str) -> None:
    """Make folders of all studies in a database; raises StudyError as `join` does."""
    for name in database_at(storage).names():
        join(studies_dir, storage, name)


def join(studies_dir: Path, storage: str, name: str, *, tiles: Path | None = None, runs: Path | None = None) -> StudyFolder:
    """The folder of a study that another machine made in a database, with this machine's own places where they are given.

    Raises:
        StudyError: the database has no such study, cannot be reached, or the folder holds another study.
    """
    check_name(name)
    folder = StudyFolder(studies_dir / name)
    database = database_at(storage)
    content = database.content(name)
    if content is None:
        names = database.names()
        hint = did_you_mean(name, names) if names else "; `arena sweep run --storage` makes one"
        raise StudyError(f"no study {name!r} in {database}{hint}")
    with folder.held():
        storage_of(folder, storage)
        here = folder.content()
        known = {key: here.get(key) or _guess(key, content[f"first_{key}"]) for key in ("tiles", "runs")}
        given = {"tiles": tiles, "runs": runs}
        places = {key: str(path.resolve()) if (path := given[key]) else known[key] for key in given}
        whole = {**content, **places, "storage": storage}
        if whole != here:
            write_json(folder.path / "study.json", whole)
    return folder


def _guess(name: str, first: str) -> str:
    """Where the machine that made the study has it, if that is here too (a shared folder), or ./tiles and ./runs."""
    return first if Path(first).exists() else str(Path(name).resolve())
