"""Index of run folders: a line each, newest first.

Standard library only.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from arena.base.texts import name_labels, note_absent
from cnn.config import TILES_FORMAT, read_format
from cnn.errors import RunError
from cnn.plugin import shorten_name
from cnn.runs.folder import PART_NAMES, RunFolder, RunResult, RunState, list_runs
from cnn.runs.marks import TrialMark, read_label, read_trial_mark
from cnn.settings.data import DataKind
from cnn.settings.split import FOLDED_KINDS, SplitSettings

# Beside the states of a run:
DAMAGED = "damaged"  # its files cannot be read
RUNNING = "running"  # unfinished, and a process trains it
STATES = (*(state.value for state in RunState), RUNNING, DAMAGED)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunLine:
    """One run in a list of runs."""

    digest: str
    state: str  # one of STATES
    name: str = ""
    tags: tuple[str, ...] = ()
    corpus: str = ""  # digest of the recordings
    model: str = ""
    variant: str = ""
    split: str = ""  # its kind, and the keys that differ from the default
    n_epochs: int = 0  # trained so far
    epochs: int = 0  # train.epochs
    val_macro_f1: float | None = None
    test_macro_f1: float | None = None
    val_mse: float | None = None  # an autoencoder's, which has no macro-F1
    test_mse: float | None = None
    changed_at: str = ""  # UTC, ISO 8601: finished, or last written
    trial: TrialMark | None = None
    cause: str = ""  # one line, if failed or damaged
    tiles_format: int = TILES_FORMAT

    @property
    def is_trial(self) -> bool:
        """True of a sweep's trial that nobody has chosen."""
        return self.trial is not None and not self.trial.is_chosen

    @property
    def net(self) -> str:
        """Net and variant, as `lenet5.raw+aug`; empty for a damaged run."""
        return f"{shorten_name(self.model)}.{self.variant}" if self.model else ""


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
    lines = [read_line(run) for run in list_runs(runs_dir)]
    return sorted(lines, key=lambda line: line.changed_at, reverse=True)


def read_line(run: RunFolder) -> RunLine:
    """Read the line of one run."""
    try:
        return _line(run)
    except (RunError, ValueError, KeyError, TypeError) as error:
        cause = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        return RunLine(digest=run.digest, state=DAMAGED, changed_at=_written_at(run), cause=cause)


def _line(run: RunFolder) -> RunLine:
    config, result, label = run.config(), run.result(), read_label(run)
    scores = {split: score.macro_f1 for split, score in result.scores.items()} if result else {}
    errors = {}
    if result and result.reconstruction:
        errors = {split: score.mse for split, score in result.reconstruction.scores.items()}
    return RunLine(
        digest=run.digest,
        state=result.state.value if result else RUNNING if run.is_in_use() else RunState.UNFINISHED.value,
        name=label.name,
        tags=label.tags,
        corpus=str(config["corpus"]),
        model=str(config["model"]["name"]),
        variant=str(config["variant"]),
        split=describe_split(config["split"]),
        n_epochs=result.n_epochs if result and result.n_epochs else len(run.epochs()),
        epochs=int(config["train"]["epochs"]),
        val_macro_f1=scores.get("val"),
        test_macro_f1=scores.get("test"),
        val_mse=errors.get("val"),
        test_mse=errors.get("test"),
        changed_at=(result.finished_at if result else "") or _written_at(run),
        trial=read_trial_mark(run),
        cause=result.cause if result else "",
        tiles_format=read_format(config),
    )


def describe_split(split: dict[str, Any]) -> str:
    """Describe a split by its kind and the keys that differ from the default; equal splits have equal descriptions."""
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


def list_notes(results: Sequence[RunResult], kind: DataKind) -> list[str]:
    """Return one note for each set of labels that parts of some runs lack, and for each that was tested without training."""
    parts: dict[tuple[tuple[str, ...], int], dict[str, None]] = {}  # names of parts, in order
    untrained: dict[tuple[str, ...], None] = {}
    for result in results:
        for part, score in result.scores.items():
            parts.setdefault((score.absent, len(result.labels) - len(score.absent)), {})[PART_NAMES[part]] = None
        if train := result.scores.get("train"):
            others = [set(score.absent) for part, score in result.scores.items() if part != "train"]
            untrained[tuple(label for label in train.absent if any(label not in absent for absent in others))] = None
    notes = [
        note_absent(absent, n, f"the {_list_parts(list(names))}{kind.items}", kind.label)
        for (absent, n), names in parts.items()
    ]
    notes += [f"{name_labels(labels, kind.label)} scored and never trained on: the F1 is 0" for labels in untrained if labels]
    return [note for note in notes if note]


def _list_parts(names: Sequence[str]) -> str:
    """Return `validation and test `; nothing of all three."""
    return "" if len(names) == len(PART_NAMES) else f"{' and '.join(names)} "
