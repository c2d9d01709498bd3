"""Folder of a study: its specification in study.json, its trials in journal.log, and the file of its lock.

A study for many machines is stored in a database, with its trials and its lock: of study.json only the database's URL and
this machine's paths of tiles and runs are read then.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.base.locks import open_locked
from arena.base.suggest import did_you_mean
from cnn.errors import RunError
from cnn.files import read_json, write_json
from sweeps.errors import StudyError
from sweeps.names import explain_name
from sweeps.study.difference import describe_difference
from sweeps.study.encoding import encode_spec, select_shared
from sweeps.study.lease import utc_now
from sweeps.study.limits import Limits
from sweeps.study.paths import change_paths
from sweeps.study.points import KnownPoint, join_points
from sweeps.sweepfile.settings import SweepSettings
from sweeps.sweepfile.sweep import Sweep, parse

if TYPE_CHECKING:
    from sweeps.study.database import Database


_parse = functools.lru_cache(maxsize=64)(parse)  # agents read study.json before every claim


@dataclass(frozen=True, kw_only=True, slots=True)
class StudySpec:
    """Specification of a study: the content of study.json."""

    name: str
    sweep: Sweep
    base: dict[str, Any]  # the configuration that parameters are set on
    overrides: tuple[str, ...]  # differences of `base` from the model's defaults, as key=value
    tiles: Path  # absolute
    runs: Path  # absolute
    budget: int  # trials that finish or are pruned
    seed: int
    engine: str = "optuna"
    points: tuple[KnownPoint, ...] = ()  # to try before the first draw
    limits: Limits = field(default_factory=Limits)  # those of the last `arena sweep run`
    storage: str = ""  # URL of the database that holds the trials, without a password; empty: the folder's journal
    folds: tuple[dict[str, Any], ...] = ()  # the split of each fold; none where a trial has that of `base`

    @property
    def model(self) -> str:
        return str(self.base["model"]["name"])

    @property
    def directions(self) -> list[str]:
        """Directions of the metric and of the costs that are objectives beside it."""
        return [self.sweep.goal.value, *self.settings.objectives.values()]

    @property
    def variant(self) -> str:
        return str(self.base["variant"])

    @property
    def bases(self) -> tuple[dict[str, Any], ...]:
        """Return the configuration that parameters are set on for each training of a trial: all folds, seed by seed."""
        train, splits = self.base["train"], self.folds or (self.base["split"],)
        seeds = [{**train, "seed": train["seed"] + n} for n in range(self.settings.seeds)]
        return tuple({**self.base, "train": train, "split": split} for train in seeds for split in splits)

    @property
    def settings(self) -> SweepSettings:
        """Return the sweep file's `arena:`, where the command line gave nothing else."""
        return self.sweep.settings


@dataclass(frozen=True, slots=True)
class StudyFolder:
    """Folder `studies/<name>/`."""

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

    def read_spec(self) -> StudySpec:
        """Return the study's specification, the shared part from its database if it has one.

        Raises:
            StudyError: there is no study.json, it is damaged, or the database has no such study.
        """
        if not self.exists:
            names = list_names(self.path.parent)
            hint = did_you_mean(self.name, names) if names else "; `arena sweep run` makes one"
            raise StudyError(f"no study {self.name!r} in {self.path.parent}{hint}")
        content = self.read_content()
        try:
            if database := _find_database(content):
                content = {**content, **self._read_shared(database)}
            return _decode_spec(self.name, content)
        except (KeyError, TypeError, ValueError) as error:
            fault = f"{self.path / 'study.json'} is damaged ({error!r})"
            raise StudyError(f"{fault}; delete {self.path} and run the sweep again") from error

    def _read_shared(self, database: Database) -> dict[str, Any]:
        content = database.read_content(self.name)
        if content is None:
            raise StudyError(f"{database} has no study {self.name!r} any more; delete {self.path} and run the sweep again")
        return content

    def write(self, spec: StudySpec) -> None:
        """Write `spec` to study.json and the database; call it inside `lock`."""
        content = encode_spec(spec)
        with change_paths(self.path, self.read_content(), content):
            if spec.storage:
                load_database(spec.storage).write(spec.name, spec.directions, select_shared(content))
            write_json(self.path / "study.json", content)

    def find_database(self) -> Database | None:
        """Return the database that holds the study; None where its folder does."""
        return _find_database(self.read_content())

    def read_content(self) -> dict[str, Any]:
        """Return study.json as it is, empty where there is none; raises StudyError for a damaged one."""
        try:
            return read_json(self.path / "study.json") if self.exists else {}
        except RunError as error:
            raise StudyError(str(error)) from error

    def now(self) -> datetime:
        """Return the time that leases are measured by: the database's, where machines share one."""
        database = self.find_database()
        return database.now() if database else utc_now()

    def lock(self) -> contextlib.AbstractContextManager[datetime]:
        """Hold the lock of the study, as `lock_in`, in the database that study.json names, or in its folder."""
        return self.lock_in(self.find_database())

    @contextlib.contextmanager
    def lock_in(self, database: Database | None) -> Iterator[datetime]:
        """Hold the lock of the study, which ends with its process; yield the time when it was acquired, as `now` gives it.

        Raises:
            StudyError: the folder cannot be made or written, or the database cannot be reached.
        """
        if database is not None:
            with database.lock(self.name) as now:
                yield now
            return
        with self.lock_folder():
            yield utc_now()

    @contextlib.contextmanager
    def lock_folder(self) -> Iterator[None]:
        """Hold the lock of the folder alone, on machines that see it; raises StudyError where it cannot be written."""
        try:
            lock = open_locked(self.path / ".lock")
        except OSError as error:
            raise StudyError(f"cannot write {self.path}: {error.strerror}; choose another folder with --studies") from error
        with lock:
            yield


def _find_database(content: dict[str, Any]) -> Database | None:
    storage = content.get("storage", "")
    return load_database(storage) if storage else None


def load_database(url: str) -> Database:
    """Return the database at `url`; loads Optuna."""
    from sweeps.study.database import open_database

    return open_database(url)


def _decode_spec(name: str, content: dict[str, Any]) -> StudySpec:
    settings = SweepSettings(**content.get("arena", {}))
    return StudySpec(
        name=name,
        sweep=dataclasses.replace(_parse(content["sweep"], content["file"]), settings=settings),
        base=content["base"],
        overrides=tuple(content["overrides"]),
        tiles=Path(content["tiles"]),
        runs=Path(content["runs"]),
        budget=int(content["budget"]),
        seed=int(content["seed"]),
        engine=content["engine"],
        points=tuple(KnownPoint(**point) for point in content.get("points", ())),
        limits=Limits(**content.get("limits", {})),
        storage=content.get("storage", ""),
        folds=tuple(content.get("folds", ())),
    )


def check_name(name: str) -> None:
    """Refuse a name that could not be a folder; raises StudyError."""
    if reason := explain_name(name):
        raise StudyError(reason)


def list_names(studies_dir: Path) -> list[str]:
    """Return the names of all studies below `studies_dir`, sorted."""
    return sorted(path.parent.name for path in studies_dir.glob("*/study.json"))


def create_or_continue(studies_dir: Path, spec: StudySpec, *, keep_budget: bool = False) -> tuple[StudyFolder, str]:
    """Return the folder of a study, and a note if the study existed already, in files or in the database.

    A study goes on when engine, sweep, base configuration and seed are the same; its budget and paths may change.

    Raises:
        StudyError: a different study has this name, the folder cannot be written, or the database not be reached.
    """
    check_name(spec.name)
    folder = StudyFolder(studies_dir / spec.name)
    with folder.lock_folder():
        spec = dataclasses.replace(spec, storage=resolve_storage(folder, spec.storage))
        with load_database(spec.storage).lock(spec.name) if spec.storage else contextlib.nullcontext():
            return folder, _write_changes(folder, _read_old(folder, spec), spec, keep_budget)


def check_continuation(studies_dir: Path, spec: StudySpec) -> None:
    """Raise the StudyError that `create_or_continue` would, and write nothing."""
    check_name(spec.name)
    folder = StudyFolder(studies_dir / spec.name)
    spec = dataclasses.replace(spec, storage=resolve_storage(folder, spec.storage))
    _refuse_difference(_read_old(folder, spec), spec)
    with change_paths(folder.path, folder.read_content(), encode_spec(spec)):
        pass


def _read_old(folder: StudyFolder, spec: StudySpec) -> StudySpec | None:
    """Return the study that `spec` continues, in a database with the paths of `spec`; None for a new one."""
    if not spec.storage:
        return folder.read_spec() if folder.exists else None
    content = load_database(spec.storage).read_content(spec.name)
    return _decode_spec(spec.name, {**content, **_local_values(spec)}) if content else None


def resolve_storage(folder: StudyFolder, storage: str) -> str:
    """Return the storage of an existing study, or `storage` for a new one; raises StudyError where the two differ."""
    if not folder.exists:
        return storage
    current = str(folder.read_content().get("storage", ""))
    if storage and storage != current:
        location = f"in {load_database(current)}" if current else f"in files in {folder.path}"
        raise StudyError(f"study {folder.name!r} is kept {location}, not in {load_database(storage)}; choose another --name")
    return current


def _local_values(spec: StudySpec) -> dict[str, str]:
    return {"tiles": str(spec.tiles), "runs": str(spec.runs), "storage": spec.storage}


def _refuse_difference(old: StudySpec | None, spec: StudySpec) -> None:
    if old and (difference := describe_difference(old, spec)):
        raise StudyError(f"study {spec.name!r} exists with another {difference}; choose another --name")


def _write_changes(folder: StudyFolder, old: StudySpec | None, spec: StudySpec, keep_budget: bool) -> str:
    """Write the study if it is new or changed; return the note."""
    if old is None:
        folder.write(spec)
        return ""
    budget, points = old.budget if keep_budget else spec.budget, join_points(old.points, spec.points)
    spec = dataclasses.replace(spec, budget=budget, points=points)
    _refuse_difference(old, spec)
    if old != spec or not folder.exists:
        folder.write(spec)
    change = "" if old.budget == spec.budget else f", its budget now {spec.budget} instead of {old.budget}"
    return f"study {spec.name} goes on{change}"
