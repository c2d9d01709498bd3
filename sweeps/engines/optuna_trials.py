"""Trials of a study in Optuna's storage, and the meaning of Arena's attributes on them."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

import optuna
from optuna.storages import BaseStorage, JournalStorage
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from sweeps.engines.bands import TWIN
from sweeps.engines.optuna_space import make_pruner
from sweeps.study.folder import StudyFolder, StudySpec
from sweeps.study.journal import Journal, ReadOnlyJournal
from sweeps.study.lease import is_held
from sweeps.sweepfile.sweep import Sweep

# Attributes of a trial, beside its lease, which comes last: a running trial with a run but no lease was released,
# or its agent died.
PARAMS, RUN, SECONDS, CAUSE, TAIL = "params", "run", "seconds", "cause", "tail"
RUNS = "runs"  # of a trial of several trainings; `run` is the first

INFEASIBLE = "infeasible"  # a failed trial whose point is not tried again

COMPLETED = (OptunaState.COMPLETE, OptunaState.PRUNED)


def open_to_write(folder: StudyFolder, spec: StudySpec, say: Callable[[str], None]) -> tuple[optuna.Study, BaseStorage]:
    """Return the study, created if need be, and its storage; call it inside `folder.lock()`."""
    database = folder.find_database()
    storage = database.storage if database else JournalStorage(Journal(folder.journal, say))
    study = optuna.create_study(
        study_name=spec.name,
        storage=storage,
        direction=spec.sweep.goal.value,
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
