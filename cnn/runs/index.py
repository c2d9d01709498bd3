"""Index of run folders: look-up by a prefix of the digest, a list newest first, trial marks.

Standard library only.
"""

from __future__ import annotations

import dataclasses
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cnn.config import FOLDED_KINDS, SplitSettings
from cnn.errors import RunError
from cnn.files import read_json, write_json
from cnn.runs.folder import RunFolder, list_runs, lock_run

DAMAGED = "damaged"  # beside the states of a run: its files cannot be read


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialMark:
    """trial.json: the sweep's trial that made a run."""

    study: str
    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RunLine:
    """One run in a list of runs."""

    digest: str
    state: str  # a RunState's value, or damaged
    model: str = ""
    variant: str = ""
    split: str = ""  # its kind, and the keys that differ from the default
    n_epochs: int = 0  # trained so far
    epochs: int = 0  # train.epochs
    val_macro_f1: float | None = None
    test_macro_f1: float | None = None
    changed_at: str = ""  # UTC, ISO 8601: finished, or last written
    trial: TrialMark | None = None
    cause: str = ""  # one line, if failed or damaged


def mark_trial(folder: RunFolder, mark: TrialMark) -> None:
    """Record that a trial makes this run, unless the run exists: it keeps its origin.

    Raises:
        RunError: the folder cannot be made or written.
    """
    with lock_run(folder):
        if not (folder.path / "config.json").exists():
            write_json(folder.path / "trial.json", dataclasses.asdict(mark))


def read_trial_mark(folder: RunFolder) -> TrialMark | None:
    """Read the trial that made this run; None for a training.

    Raises:
        RunError: trial.json is damaged.
    """
    path = folder.path / "trial.json"
    if not path.exists():
        return None
    content = read_json(path)
    return TrialMark(study=str(content.get("study", "")), number=int(content.get("number", 0)))


def find_run(name: str, runs_dir: Path) -> RunFolder:
    """Find a run by its path, its digest, or a prefix of the digest that is unique.

    Raises:
        RunError: none, or several.
    """
    if (Path(name) / "config.json").exists():
        return RunFolder(Path(name))
    beginning = Path(name).name
    matches = [run for run in list_runs(runs_dir) if beginning and run.digest.startswith(beginning)]
    if len(matches) != 1:
        many = f"{len(matches)} runs begin so" if matches else "there is none"
        raise RunError(f"no single run {name!r} in {runs_dir}: {many}; `arena runs` lists them")
    return matches[0]


def check_writable(runs_dir: Path) -> None:
    """Check before any work is done that run folders can be made in `runs_dir`.

    Raises:
        RunError: they cannot.
    """
    try:
        runs_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=runs_dir) as file:
            file.write(b"x")
    except OSError as error:
        raise RunError(f"cannot write run folders in {runs_dir}: {error.strerror}; choose another with --runs") from error


def list_newest_first(runs_dir: Path) -> list[RunLine]:
    """List all runs below `runs_dir`, equally new ones by name. A damaged run is a line too."""
    lines = [_read_line(run) for run in list_runs(runs_dir)]
    return sorted(lines, key=lambda line: line.changed_at, reverse=True)


def _read_line(run: RunFolder) -> RunLine:
    try:
        return _line(run)
    except (RunError, ValueError, KeyError, TypeError) as error:
        cause = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        return RunLine(digest=run.digest, state=DAMAGED, changed_at=_written_at(run), cause=cause)


def _line(run: RunFolder) -> RunLine:
    config, result = run.config(), run.result()
    scores = {split: score.macro_f1 for split, score in result.scores.items()} if result else {}
    return RunLine(
        digest=run.digest,
        state=run.state().value,
        model=str(config["model"]["name"]),
        variant=str(config["variant"]),
        split=_describe_split(config["split"]),
        n_epochs=result.n_epochs if result and result.n_epochs else len(run.epochs()),
        epochs=int(config["train"]["epochs"]),
        val_macro_f1=scores.get("val"),
        test_macro_f1=scores.get("test"),
        changed_at=(result.finished_at if result else "") or _written_at(run),
        trial=read_trial_mark(run),
        cause=result.cause if result else "",
    )


def _describe_split(split: dict[str, Any]) -> str:
    defaults = dataclasses.asdict(SplitSettings())
    words = [str(split["kind"])]
    for key, value in split.items():
        plain = tuple(value) if isinstance(value, list) else value
        if key != "kind" and (plain != defaults.get(key) or (key == "fold" and split["kind"] in FOLDED_KINDS)):
            words.append(f"{key}={','.join(plain) if isinstance(plain, tuple) else plain}")
    return " ".join(words)


def _written_at(run: RunFolder) -> str:
    files = [path for path in (run.path / "epochs.csv", run.path / "config.json") if path.exists()]
    seconds = max((path.stat().st_mtime for path in files), default=0.0)
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
