"""A study's folder: study.json says what is searched, journal.log what was tried, .lock who may claim.

A study for many machines is kept in a database instead: its study.json names it, and says where this machine's tiles and
runs are; all else of the study is read there, and there agents take turns.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.base.locks import open_locked
from arena.base.suggest import did_you_mean
from cnn.errors import RunError
from cnn.files import read_json, write_json
from sweeps.errors import StudyError
from sweeps.study.lease import utc_now
from sweeps.sweepfile.sweep import Sweep, parse

if TYPE_CHECKING:
    from sweeps.study.database import Database


_parse = functools.lru_cache(maxsize=64)(parse)  # agents look at study.json before every claim

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


@dataclass(frozen=True, kw_only=True, slots=True)
class StudySpec:
    """What is searched: the content of study.json."""

    name: str
    sweep: Sweep
    base: dict[str, Any]  # the configuration that parameters are set on
    overrides: tuple[str, ...]  # how `base` differs from the model's defaults, as key=value
    tiles: Path  # absolute
    runs: Path  # absolute
    budget: int  # trials that finish or are pruned
    seed: int
    engine: str = "optuna"
    storage: str = ""  # URL of the database that holds the trials, without a password; empty: the folder's journal

    @property
    def model(self) -> str:
        return str(self.base["model"]["name"])

    @property
    def variant(self) -> str:
        return str(self.base["variant"])


@dataclass(frozen=True, slots=True)
class StudyFolder:
    """One `studies/<name>/`."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def journal(self) -> Path:
        return self.path / "journal.log"

    @property
    def exists(self) -> bool:
        return (self.path / "study.json").exists()

    def spec(self) -> StudySpec:
        """The content of study.json.

        Raises:
            StudyError: there is none, or it is damaged.
        """
        if not self.exists:
            names = list_names(self.path.parent)
            hint = did_you_mean(self.name, names) if names else "; `arena sweep run` makes one"
            raise StudyError(f"no study {self.name!r} in {self.path.parent}{hint}")
        content = self.content()
        try:
            if database := _database_of(content):
                content = {**content, **self._kept_in(database)}
            return _spec_of(self.name, content)
        except (KeyError, TypeError, ValueError) as error:
            what = f"{self.path / 'study.json'} is damaged ({error!r})"
            raise StudyError(f"{what}; delete {self.path} and run the sweep again") from error

    def _kept_in(self, database: Database) -> dict[str, Any]:
        content = database.content(self.name)
        if content is None:
            raise StudyError(f"{database} has no study {self.name!r} any more; delete {self.path} and run the sweep again")
        return content

    def write(self, spec: StudySpec) -> None:
        """Call it inside `locked`."""
        content = _content_of(spec)
        if spec.storage:
            database_at(spec.storage).put(spec.name, spec.sweep.goal.value, _shared(content))
        write_json(self.path / "study.json", content)

    def database(self) -> Database | None:
        """The database that holds the study; None where its folder does."""
        return _database_of(self.content())

    def content(self) -> dict[str, Any]:
        """Return study.json as it is, empty where there is none; raises StudyError for a damaged one."""
        try:
            return read_json(self.path / "study.json") if self.exists else {}
        except RunError as error:
            raise StudyError(str(error)) from error

    def now(self) -> datetime:
        """The time that leases go by: the database's, where machines share one."""
        database = self.database()
        return database.now() if database else utc_now()

    @contextlib.contextmanager
    def locked(self) -> Iterator[datetime]:
        """The critical section of all agents of the study, and the time when it began, as `now` has it; it ends with its
        process, however that ends.

        Raises:
            StudyError: the folder cannot be made or written, or the database cannot be reached.
        """
        database = self.database()
        if database is not None:
            with database.turn(self.name) as now:
                yield now
            return
        with self.held():
            yield utc_now()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """The folder alone, on the machines that see it; raises StudyError where it cannot be made or written."""
        try:
            lock = open_locked(self.path / ".lock")
        except OSError as error:
            raise StudyError(f"cannot write {self.path}: {error.strerror}; choose another folder with --studies") from error
        with lock:
            yield


def _database_of(content: dict[str, Any]) -> Database | None:
    storage = content.get("storage", "")
    return database_at(storage) if storage else None


def database_at(url: str) -> Database:
    """The database behind `url`; loads Optuna."""
    from sweeps.study.database import open_database

    return open_database(url)


_OF_ONE_MACHINE = ("tiles", "runs", "storage")


def _shared(content: dict[str, Any]) -> dict[str, Any]:
    """What holds for all machines; where the first one has its tiles and runs is kept as a hint."""
    places = {f"first_{key}": content[key] for key in ("tiles", "runs")}
    return {**{key: value for key, value in content.items() if key not in _OF_ONE_MACHINE}, **places}


def _content_of(spec: StudySpec) -> dict[str, Any]:
    return {
        "engine": spec.engine,
        "budget": spec.budget,
        "seed": spec.seed,
        "storage": spec.storage,
        "tiles": str(spec.tiles),
        "runs": str(spec.runs),
        "overrides": list(spec.overrides),
        "base": spec.base,
        "file": spec.sweep.file,
        "sweep": spec.sweep.text,
    }


def _spec_of(name: str, content: dict[str, Any]) -> StudySpec:
    return StudySpec(
        name=name,
        sweep=_parse(content["sweep"], content["file"]),
        base=content["base"],
        overrides=tuple(content["overrides"]),
        tiles=Path(content["tiles"]),
        runs=Path(content["runs"]),
        budget=int(content["budget"]),
        seed=int(content["seed"]),
        engine=content["engine"],
        storage=content.get("storage", ""),
    )


def check_name(name: str) -> None:
    """Refuse a name that could not be a folder; raises StudyError."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise StudyError(
            f"a study's name begins with a letter or digit and goes on with those and . _ + -, up to 100, unlike {name!r}"
        )


def list_names(studies_dir: Path) -> list[str]:
    """The names of all studies below `studies_dir`, sorted."""
    return sorted(path.parent.name for path in studies_dir.glob("*/study.json"))


def create_or_continue(studies_dir: Path, wanted: StudySpec, *, keep_budget: bool = False) -> tuple[StudyFolder, str]:
    """The folder of a study, and a note where there was one already, here or in the database.

    A study goes on when sweep, base configuration and seed are the same; its budget, and where tiles and runs lie, may change.

    Raises:
        StudyError: another sweep or base has this name, the folder cannot be written, or the database not be reached.
    """
    check_name(wanted.name)
    folder = StudyFolder(studies_dir / wanted.name)
    with folder.held():
        wanted = dataclasses.replace(wanted, storage=storage_of(folder, wanted.storage))
        if not wanted.storage:
            return folder, _go_on(folder, folder.spec() if folder.exists else None, wanted, keep_budget)
        database = database_at(wanted.storage)
        with database.turn(wanted.name):
            content = database.content(wanted.name)
            known = _spec_of(wanted.name, {**content, **_places(wanted)}) if content else None
            return folder, _go_on(folder, known, wanted, keep_budget)


def storage_of(folder: StudyFolder, wanted: str) -> str:
    """Where the study of `folder` is kept or, if there is none, is to be; raises StudyError where that is elsewhere."""
    if not folder.exists:
        return wanted
    storage = str(folder.content().get("storage", ""))
    if wanted and wanted != storage:
        kept = f"in {database_at(storage)}" if storage else f"in files in {folder.path}"
        raise StudyError(f"study {folder.name!r} is kept {kept}, not in {database_at(wanted)}; choose another --name")
    return storage


def _places(spec: StudySpec) -> dict[str, str]:
    return {"tiles": str(spec.tiles), "runs": str(spec.runs), "storage": spec.storage}


def _go_on(folder: StudyFolder, old: StudySpec | None, wanted: StudySpec, keep_budget: bool) -> str:
    """Write what has changed; the note."""
    if old is None:
        folder.write(wanted)
        return ""
    wanted = dataclasses.replace(wanted, budget=old.budget if keep_budget else wanted.budget)
    difference = _difference(old, wanted)
    if difference:
        raise StudyError(f"study {wanted.name!r} exists with another {difference}; choose another --name")
    if old != wanted or not folder.exists:
        folder.write(wanted)
    change = "" if old.budget == wanted.budget else f", its budget now {wanted.budget} instead of {old.budget}"
    return f"study {wanted.name} goes on{change}"


def _difference(old: StudySpec, new: StudySpec) -> str:
    if old.engine != new.engine:
        return f"engine ({old.engine}, not {new.engine})"
    if old.sweep != new.sweep:
        return "sweep file"
    for section in sorted({*old.base, *new.base}):
        before, after = old.base.get(section), new.base.get(section)
        if before == after:
            continue
        if isinstance(before, dict) and isinstance(after, dict):
            key = next(key for key in sorted({*before, *after}) if before.get(key) != after.get(key))
            return f"{section}.{key} ({before.get(key)}, not {after.get(key)})"
        return f"{section} ({before}, not {after})"
    return f"seed ({old.seed}, not {new.seed})" if old.seed != new.seed else ""
