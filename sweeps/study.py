"""A study's folder: study.json says what is searched, journal.log what was tried, .lock who may claim."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnn.errors import RunError
from cnn.runs import lock_of, read_json, write_json
from sweeps.errors import StudyError
from sweeps.section import did_you_mean
from sweeps.sweepfile import Sweep, parse

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
        try:
            content = read_json(self.path / "study.json")
            return StudySpec(
                name=self.name,
                sweep=_parse(content["sweep"], content["file"]),
                base=content["base"],
                overrides=tuple(content["overrides"]),
                tiles=Path(content["tiles"]),
                runs=Path(content["runs"]),
                budget=int(content["budget"]),
                seed=int(content["seed"]),
                engine=content["engine"],
            )
        except RunError as error:
            raise StudyError(str(error)) from error
        except (KeyError, TypeError, ValueError) as error:
            what = f"{self.path / 'study.json'} is damaged ({error!r})"
            raise StudyError(f"{what}; delete {self.path} and run the sweep again") from error

    def write(self, spec: StudySpec) -> None:
        content = {
            "engine": spec.engine,
            "budget": spec.budget,
            "seed": spec.seed,
            "tiles": str(spec.tiles),
            "runs": str(spec.runs),
            "overrides": list(spec.overrides),
            "base": spec.base,
            "file": spec.sweep.file,
            "sweep": spec.sweep.text,
        }
        write_json(self.path / "study.json", content)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """The critical section of all agents of the study; it ends with its process, however that ends.

        Raises:
            StudyError: the folder cannot be made or written.
        """
        try:
            lock = lock_of(self.path / ".lock")
        except OSError as error:
            raise StudyError(f"cannot write {self.path}: {error.strerror}; choose another folder with --studies") from error
        with lock:
            yield


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
    """The folder of a study, and a note where there was one already.

    A study goes on when sweep, base configuration and seed are the same; its budget, and where tiles and runs lie, may change.

    Raises:
        StudyError: another sweep or base has this name, or the folder cannot be written.
    """
    check_name(wanted.name)
    folder = StudyFolder(studies_dir / wanted.name)
    with folder.locked():
        if not folder.exists:
            folder.write(wanted)
            return folder, ""
        old = folder.spec()
        difference = _difference(old, wanted)
        if keep_budget:
            wanted = dataclasses.replace(wanted, budget=old.budget)
        if difference:
            fix = "choose another --name"
            raise StudyError(f"study {wanted.name!r} exists with another {difference}; {fix}")
        if old != wanted:
            folder.write(wanted)
    change = "" if old.budget == wanted.budget else f", its budget now {wanted.budget} instead of {old.budget}"
    return folder, f"study {wanted.name} goes on{change}"


def _difference(old: StudySpec, new: StudySpec) -> str:
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
