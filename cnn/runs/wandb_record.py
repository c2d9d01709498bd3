"""wandb.json in a run folder: the address of its copy at W&B, and whether W&B has all of it.

Standard library only.
"""

from __future__ import annotations

import dataclasses
import secrets
from dataclasses import dataclass
from pathlib import Path

from cnn.config import RunConfig, config_to_dict
from cnn.errors import RunError
from cnn.files import read_json, write_json
from cnn.keys import keys, shorten_key
from cnn.overrides import flatten
from cnn.runs.folder import RunFolder, list_runs
from cnn.runs.marks import read_trial_mark

_NAME = "wandb.json"
_MAX_NAME = 128  # characters; W&B's server refuses more


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """One run's copy."""

    mode: str  # online or offline: how it was made
    id: str
    project: str
    entity: str  # empty: the account's own
    group: str
    job_type: str
    name: str = ""  # for people; empty in records of old
    url: str = ""
    sent: bool = False  # W&B has all of it


@dataclass(frozen=True, kw_only=True, slots=True)
class Copies:
    """Runs of a folder by how much of them W&B has."""

    unsent: list[tuple[RunFolder, Copy]]  # ended, but missing or incomplete at W&B
    complete: list[tuple[RunFolder, Copy]]
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


def make_id(digest: str) -> str:
    """Return a new id: the same configuration trained in two folders is two runs at W&B."""
    return f"{digest}-{secrets.token_hex(4)}"


def find_id(folder: RunFolder) -> str:
    """Return the id of a folder's copy at W&B, or a new one.

    The digest alone was the id of old, which others share: it stays where all was sent under it.

    Raises:
        RunError: wandb.json is damaged.
    """
    copy = read_copy(folder)
    return copy.id if copy and (copy.sent or copy.id != folder.digest) else make_id(folder.digest)


def format_name(prefix: str, config: RunConfig, base: RunConfig) -> str:
    """Return a run's name at W&B: `prefix`, then the settings that differ from `base`."""
    values, defaults = (flatten(config_to_dict(settings)) for settings in (config, base))
    differing = (f"{shorten_key(key)}={_format_value(values[key])}" for key in keys() if values[key] != defaults[key])
    return " ".join([prefix, *differing])[:_MAX_NAME]


def _format_value(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def list_copies(path: Path) -> Copies:
    """List the copies of a folder of runs, or of one run folder, by what W&B has.

    Raises:
        RunError: `path` is neither, or a file in it is damaged.
    """
    pairs = [(run, read_copy(run)) for run in _list_runs(path)]
    copied = [(run, copy) for run, copy in pairs if copy]
    complete = [(run, copy) for run, copy in copied if copy.sent]
    waiting = [(run, copy) for run, copy in copied if not copy.sent]
    ended = [(run, copy) for run, copy in waiting if run.state().is_finished]
    return Copies(
        unsent=ended,
        complete=complete,
        n_unfinished=len(waiting) - len(ended),
        n_without=len(pairs) - len(copied),
    )


def _list_runs(path: Path) -> list[RunFolder]:
    runs = [RunFolder(path)] if (path / "config.json").exists() else list_runs(path)
    if not runs:
        raise RunError(f"no runs in {path}; name the folder that `arena train` or `arena sweep run` wrote into")
    return runs


def list_files(path: Path) -> dict[str, Path]:
    """Return wandb's own files of runs, by age, each by a name such as wandb gives to its folders: time, then the run's name.

    Args:
        path: as of `list_copies`.

    Raises:
        RunError: there are no runs, none has such a file, or a file of theirs is damaged.
    """
    files: dict[str, Path] = {}
    for run in _list_runs(path):
        copy = read_copy(run)
        name = str(read_trial_mark(run) or (copy and copy.name) or "training").replace("/", "_")
        for file in _list_newest(run):
            files[f"{_read_time(file)}-{name} {run.digest[:4]}"] = file
    if not files:
        raise RunError(f"no run in {path} has a copy in W&B's format: --wandb off keeps none, --wandb offline keeps one here")
    return dict(sorted(files.items()))


def _list_newest(run: RunFolder) -> list[Path]:
    """List the newest file that was written offline, which holds all epochs before it, and what was written later."""
    files = sorted(run.path.glob("wandb/*run-*/run-*.wandb"), key=_read_time)
    offline = [i for i, file in enumerate(files) if file.parent.name.startswith("offline-")]
    return files[max(offline, default=0) :]


def _read_time(file: Path) -> str:
    """Return the time of a run's start, such as 20261130_160756, from the folder's name."""
    return file.parent.name.partition("run-")[2].partition("-")[0]
