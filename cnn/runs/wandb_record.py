"""wandb.json in a run folder: the address of its copy at W&B, and whether W&B has all of it.

Standard library only.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from cnn.errors import RunError
from cnn.files import read_json, write_json
from cnn.runs.folder import RunFolder, list_runs

_NAME = "wandb.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """One run's copy."""

    mode: str  # online or offline: how it was made
    id: str
    project: str
    entity: str  # empty: the account's own
    group: str
    job_type: str
    url: str = ""
    sent: bool = False  # W&B has all of it


@dataclass(frozen=True, kw_only=True, slots=True)
class Copies:
    """Runs of a folder by how much of them W&B has."""

    unsent: list[tuple[RunFolder, Copy]]  # ended, but missing or incomplete at W&B
    n_sent: int
    n_unfinished: int  # sent when they end
    n_without: int  # trained with --wandb off


def read_copy(folder: RunFolder) -> Copy | None:
    """Read where the copy of a run is; None if it was trained with --wandb off.

    Raises:
        RunError: wandb.json is damaged.
    """
    path = folder.path / _NAME
    if not path.exists():
        return None
    try:
        return Copy(**read_json(path))
    except TypeError as error:
        raise RunError(f"{path} is damaged ({error}); delete it") from error


def write_copy(folder: RunFolder, copy: Copy) -> None:
    write_json(folder.path / _NAME, dataclasses.asdict(copy))


def list_copies(path: Path) -> Copies:
    """List the copies of a folder of runs, or of one run folder, by what W&B has.

    Raises:
        RunError: `path` is neither, or a file in it is damaged.
    """
    runs = [RunFolder(path)] if (path / "config.json").exists() else list_runs(path)
    if not runs:
        raise RunError(f"no runs in {path}; name the folder that `arena train` or `arena sweep run` wrote into")
    pairs = [(run, read_copy(run)) for run in runs]
    copied = [(run, copy) for run, copy in pairs if copy]
    waiting = [(run, copy) for run, copy in copied if not copy.sent]
    ended = [(run, copy) for run, copy in waiting if run.state().is_finished]
    return Copies(
        unsent=ended,
        n_sent=len(copied) - len(waiting),
        n_unfinished=len(waiting) - len(ended),
        n_without=len(pairs) - len(copied),
    )
