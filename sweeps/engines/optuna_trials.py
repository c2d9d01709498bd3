"""Trials of a study in Optuna's storage, and the meaning of Arena's attributes on them."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import optuna
from optuna.storages import BaseStorage, JournalStorage
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from sweeps.engines.bands import TWIN
from sweeps.engines.optuna_space import encode_point, make_pruner, read_directions
from sweeps.study.folder import StudyFolder, StudySpec
from sweeps.study.journal import Journal, ReadOnlyJournal
from sweeps.study.lease import LEASE, is_held
from sweeps.sweepfile.sweep import Sweep

# Attributes of a trial, beside its lease, which comes last: a running trial with a run but no lease was released,
# or its agent died.
PARAMS, RUN, SECONDS, CAUSE, TAIL = "params", "run", "seconds", "cause", "tail"
RUNS = "runs"  # digests, where a trial has several trainings; `run` is the first
WANDB_RUN = "wandb_run"  # id of the run of W&B's sweep

ORIGIN = "origin"  # source of a point that was not drawn
INFEASIBLE = "infeasible"  # a failed trial whose point is not tried again

_MAX_FAILURES = 2  # a point that fails twice is at fault itself, not memory or disk
COMPLETED = (OptunaState.COMPLETE, OptunaState.PRUNED)


def open_to_write(folder: StudyFolder, spec: StudySpec, say: Callable[[str], None]) -> tuple[optuna.Study, BaseStorage]:
    """Return the study, created if need be, and its storage; call it inside `folder.lock()`."""
    database = folder.find_database()
    storage = database.storage if database else JournalStorage(Journal(folder.journal, say))
    study = optuna.create_study(
        study_name=spec.name,
        storage=storage,
        directions=read_directions(spec),
        pruner=make_pruner(spec.sweep.stopping),
        load_if_exists=True,
    )
    return study, storage


class TrialReader:
    """Read-only access to a study's trials; each call reads only what was added since.

    Every method raises UnreachableError where the study is in a database that cannot be reached.
    """

    def __init__(self, folder: StudyFolder) -> None:
        self._folder = folder
        database = folder.find_database()
        self._storage = database.storage if database else JournalStorage(ReadOnlyJournal(folder.journal))

    def trials(self) -> list[FrozenTrial]:
        with translated_errors(self._folder):
            try:
                return read_trials(self._storage, self._storage.get_study_id_from_name(self._folder.name))
            except KeyError:  # no agent has opened it yet
                return []

    def now(self) -> datetime:
        """Return the clock that leases are measured by."""
        return self._folder.now()


def translated_errors(folder: StudyFolder) -> AbstractContextManager[None]:
    """Translate errors of the study's database, if it has one."""
    database = folder.find_database()
    return database.translate_errors() if database else contextlib.nullcontext()


def read_trials(storage: BaseStorage, study_id: int) -> list[FrozenTrial]:
    """Return all trials by number; not copies, so do not change them."""
    return storage.get_all_trials(study_id, deepcopy=False)


def list_by_run(trials: Sequence[FrozenTrial]) -> dict[str, FrozenTrial]:
    """Return the trial that stands for each run. A point that failed once may be tried again."""
    by_run: dict[str, FrozenTrial] = {}
    failures: dict[str, int] = {}
    for trial in trials:
        run = trial.user_attrs.get(RUN)
        if run is None or LEASE not in trial.user_attrs:  # a duplicate, or not yet claimed
            continue
        failures[run] = failures.get(run, 0) + (trial.state is OptunaState.FAIL)
        is_over = failures[run] >= _MAX_FAILURES or trial.user_attrs.get(INFEASIBLE, False)
        if trial.state is not OptunaState.FAIL or is_over:
            by_run[run] = trial
    return by_run


def enqueue_known_point(
    study: optuna.Study, spec: StudySpec, trials: Sequence[FrozenTrial], find_run: Callable[[Mapping[str, object]], str]
) -> None:
    """Let the next trial have the first known point that no trial has had; one that failed is not tried again."""
    if any(trial.state is OptunaState.WAITING for trial in trials):  # an agent died before it asked for it
        return
    runs = {trial.user_attrs.get(RUN) for trial in trials}
    parameters, constants = spec.sweep.parameters, spec.sweep.constants
    for point in spec.points:
        values = {p.name: constants.get(p.name, point.values.get(p.name)) for p in parameters}
        if find_run(values) not in runs:
            study.enqueue_trial(encode_point(parameters, values), user_attrs={ORIGIN: point.origin})
            return


def is_duplicate(trial: FrozenTrial) -> bool:
    return TWIN in trial.user_attrs


def is_abandoned(trial: FrozenTrial, now: datetime) -> bool:
    """Tell whether a trial is running and no living agent works on it."""
    return trial.state is OptunaState.RUNNING and not is_held(trial.user_attrs, now)


def compute_value(sweep: Sweep, reported: Mapping[int, float]) -> float | None:
    """Return a trial's value from what it reported; None where that holds no finite number.

    It is the metric of the best epoch, or the mean over the trainings of a trial that has several.
    """
    values = [value for value in reported.values() if math.isfinite(value)]
    if not values:
        return None
    return math.fsum(values) / len(values) if sweep.settings.n_trainings > 1 else sweep.goal.best(values)


def attribute(trial: FrozenTrial, name: str, default: Any) -> Any:
    return trial.user_attrs.get(name, default)
