"""Trial counts of a study, read from its journal without Optuna and incrementally.

A journal of 100,000 trials has a million operations: agents save the counts up to an offset in `counts.json` beside it now
and then, and every reader starts from there.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cnn.errors import RunError
from cnn.files import read_json, write_json
from sweeps.engines.objectives import COSTS, dominates, is_feasible, list_losses
from sweeps.errors import UnreachableError
from sweeps.study import clock
from sweeps.study.folder import StudyFolder, StudySpec
from sweeps.study.lease import is_held, utc_now
from sweeps.study.limits import Limits
from sweeps.sweepfile.metric import Goal

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial


_SAVE_EVERY_BYTES = 1 << 20  # growth of the journal between two saves: some 20 ms to read
_CREATE, _END, _EPOCH, _ATTRIBUTE = 4, 6, 7, 8  # operations of Optuna's journal
_RUNNING, _COMPLETE, _PRUNED, _FAILED, _WAITING = range(5)  # states of Optuna's trials
# attributes: optuna_trials and study.lease name them
_STORED = ("params", "run", "lease", "duplicate_of", "seconds", "cause", COSTS)


@dataclass(frozen=True, kw_only=True, slots=True)
class BestTrial:
    """The best finished trial."""

    number: int
    value: float
    run: str
    params: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class StudyCounts:
    """Counts of a study's trials by state."""

    finished: int = 0
    pruned: int = 0
    running: int = 0
    interrupted: int = 0  # unfinished, and without a living agent
    failed: int = 0
    duplicate: int = 0
    best: BestTrial | None = None  # among the feasible ones, by the metric
    front: tuple[int, ...] = ()  # numbers of the trials on the Pareto front, of a study with several objectives
    epochs: int = 0  # trained so far, by all trials
    epochs_completed: int = 0  # trained by finished and pruned trials
    last_cause: str = ""  # cause of the last failure
    running_steps: tuple[int, ...] = ()  # epochs, or whole trainings, of each running trial

    @property
    def n_completed(self) -> int:
        """Finished and pruned trials: the budget counts these."""
        return self.finished + self.pruned

    @property
    def n_begun(self) -> int:
        """Completed and unfinished trials: the part of the budget that is spent or in work."""
        return self.n_completed + self.running + self.interrupted


@dataclass(slots=True)
class _Tally:
    """Sum of the operations up to byte `offset`; the fields are the keys of counts.json."""

    offset: int = 0
    n_trials: int = 0
    finished: int = 0
    pruned: int = 0
    failed: int = 0
    duplicate: int = 0
    epochs: int = 0
    epochs_settled: int = 0
    last_cause: str = ""
    best: dict[str, Any] | None = None
    front: dict[str, list[float]] = field(default_factory=dict)  # losses of the trials on it, by number
    open: dict[str, dict[str, Any]] = field(default_factory=dict)  # trials that may still change, by number

    def apply(self, log: dict[str, Any], spec: StudySpec) -> None:
        operation = log["op_code"]
        if operation == _CREATE:
            self.open[str(self.n_trials)] = {"state": log.get("state", _RUNNING), "epochs": []}
            self.n_trials += 1
            return
        trial = self.open.get(str(log.get("trial_id")))
        if trial is None:
            return
        if operation == _EPOCH:
            if "duplicate_of" not in trial and log["step"] not in trial["epochs"]:
                trial["epochs"].append(log["step"])
                self.epochs += 1
        elif operation == _ATTRIBUTE:
            trial.update((key, value) for key, value in log["user_attr"].items() if key in _STORED)
        elif operation == _END:
            trial["state"] = log["state"]
            if log["state"] not in (_RUNNING, _WAITING):
                self._close(log["trial_id"], log["values"], spec)

    def add(self, trial: FrozenTrial, spec: StudySpec) -> None:
        """Count a trial as Optuna reads it."""
        stored = {key: value for key, value in trial.user_attrs.items() if key in _STORED}
        self.open[str(trial.number)] = {"state": trial.state.value, "epochs": list(trial.intermediate_values), **stored}
        self.epochs += len(trial.intermediate_values) if "duplicate_of" not in stored else 0
        if trial.state.is_finished():
            self._close(trial.number, trial.values, spec)

    def counts(self, now: datetime) -> StudyCounts:
        """Return the counts; running trials whose agents are dead at `now` count as interrupted."""
        working = [trial for trial in self.open.values() if trial["state"] == _RUNNING and "duplicate_of" not in trial]
        running = sum(is_held(trial, now) for trial in working)
        return StudyCounts(
            finished=self.finished,
            pruned=self.pruned,
            running=running,
            interrupted=len(working) - running,
            failed=self.failed,
            duplicate=self.duplicate,
            best=BestTrial(**self.best) if self.best else None,
            front=tuple(sorted(map(int, self.front))),
            epochs=self.epochs,
            epochs_completed=self.epochs_settled,
            last_cause=self.last_cause,
            running_steps=tuple(len(trial["epochs"]) for trial in working if is_held(trial, now)),
        )

    def _close(self, number: int, values: list[float] | None, spec: StudySpec) -> None:
        trial = self.open.pop(str(number))
        if "duplicate_of" in trial:
            self.duplicate += 1
        elif trial["state"] == _FAILED:
            self.failed += 1
            self.last_cause = trial.get("cause", "")
        else:
            self.epochs_settled += len(trial["epochs"])
            if trial["state"] == _PRUNED:
                self.pruned += 1
            else:
                self.finished += 1
                self._compare(number, trial, values, spec)

    def _compare(self, number: int, trial: dict[str, Any], values: list[float] | None, spec: StudySpec) -> None:
        if not values or not is_feasible(spec, trial):
            return
        best = {"number": number, "value": values[0], "run": trial.get("run", ""), "params": trial.get("params", {})}
        sign = -1 if spec.sweep.goal is Goal.MAXIMIZE else 1
        if self.best is None or (sign * best["value"], number) < (sign * self.best["value"], self.best["number"]):
            self.best = best
        losses = list_losses(spec, values)
        if spec.settings.objectives and not any(dominates(other, losses) for other in self.front.values()):
            self.front = {key: other for key, other in self.front.items() if not dominates(losses, other)}
            self.front[str(number)] = losses


class StudyCounter(Protocol):
    """Reader of a study's counts that is called again and again."""

    def read(self) -> StudyCounts:
        """Return the counts as of now; raises StudyError where the study is damaged or cannot be reached."""

    def save(self) -> None:
        """Save the counts for the next reader, if many trials were added; call it inside `folder.lock()`."""


def explain_end(folder: StudyFolder, spec: StudySpec, counts: StudyCounts) -> str:
    """Return the reason that no trial of a study begins any more before its budget is reached; empty where one may."""
    if counts.n_completed >= spec.budget or spec.limits == Limits():
        return ""
    hours = clock.read_hours(folder) if spec.limits.hours is not None else 0.0
    best = counts.best.value if counts.best else None
    return spec.limits.explain_end(hours, best, maximize=spec.sweep.goal is Goal.MAXIMIZE)


def open_counter(folder: StudyFolder, spec: StudySpec) -> StudyCounter:
    """Return the counter of a study in files or in a database."""
    return DatabaseCounter(folder, spec) if folder.find_database() else JournalCounter(folder, spec)


class DatabaseCounter:
    """Counter of a study in a database, whose trials Optuna reads."""

    def __init__(self, folder: StudyFolder, spec: StudySpec) -> None:
        from sweeps.engines.optuna_trials import TrialReader

        self._reader = TrialReader(folder)
        self._spec = spec
        self._last: StudyCounts | None = None

    def read(self) -> StudyCounts:
        try:
            self._last = self._read()
        except UnreachableError:
            if self._last is None:
                raise
        return self._last  # while the database is away, the last counts: agents wait for it too

    def _read(self) -> StudyCounts:
        tally = _Tally()
        for trial in self._reader.trials():
            tally.add(trial, self._spec)
        return tally.counts(self._reader.now())

    def save(self) -> None:
        return  # the database has them


class JournalCounter:
    """Counter of a study in files; each call reads only what was appended to the journal."""

    def __init__(self, folder: StudyFolder, spec: StudySpec) -> None:
        self._folder = folder
        self._spec = spec
        self._tally = _load(folder)
        self._saved_offset = self._tally.offset

    def read(self) -> StudyCounts:
        self._catch_up()
        return self._tally.counts(utc_now())

    def save(self) -> None:
        try:
            if self._folder.journal.stat().st_size - self._saved_offset < _SAVE_EVERY_BYTES:
                return
            self._catch_up()
            write_json(_path(self._folder), dataclasses.asdict(self._tally))
        except (OSError, RunError):
            return  # only a cache
        self._saved_offset = self._tally.offset

    def _catch_up(self) -> None:
        journal = self._folder.journal
        size = journal.stat().st_size if journal.exists() else 0
        if size < self._tally.offset:  # another journal
            self._tally = _Tally()
        for length, log in _read_operations(journal, self._tally.offset, size):
            if log is None:
                self._refuse_damage()
                return
            self._tally.apply(log, self._spec)
            self._tally.offset += length

    def _refuse_damage(self) -> None:
        """Raise if sound lines follow the damage; the next writer sets a damaged tail aside."""
        from sweeps.engines.optuna_trials import TrialReader

        TrialReader(self._folder).trials()


def _read_operations(journal: Path, offset: int, size: int) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Yield length and content of each whole line from `offset` on; None for a line that is no operation."""
    if size <= offset:
        return
    with journal.open("rb") as file:
        file.seek(offset)
        for line in file:
            if not line.endswith(b"\n"):
                return
            try:
                log = json.loads(line)
            except ValueError:
                log = None
            yield len(line), log if isinstance(log, dict) else None


def _path(folder: StudyFolder) -> Path:
    return folder.path / "counts.json"


def _load(folder: StudyFolder) -> _Tally:
    """Return the saved counts; empty ones where there are none, or of another version."""
    try:
        return _Tally(**read_json(_path(folder)))
    except (RunError, TypeError, FileNotFoundError):
        return _Tally()
