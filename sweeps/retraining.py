"""Trainings of a chosen trial's settings with other seeds: the records in the study's folder, and the scores that they had.

The best of many trials is chosen for its luck too; what its settings are worth is told by trainings that nobody chose.
"""

from __future__ import annotations

import dataclasses
import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from arena.base.project import find_project
from cnn.errors import RunError
from cnn.files import read_json, write_json
from cnn.runs.folder import RunFolder
from sweeps.errors import StudyError

if TYPE_CHECKING:
    from arena.base.scores import Interval

_NAME = "retraining.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class RetrainingRecord:
    """An entry of retraining.json in a study's folder: one `arena sweep best --train`."""

    trial: int
    overrides: tuple[str, ...]  # settings that the trial did not have, as key=value
    split: str  # that of the trainings, as `arena runs` shows it; or the study's folds
    is_equal: bool  # to the finished trial in settings, so that their values can be compared
    seeds: tuple[int, ...]
    runs: tuple[tuple[str, ...], ...]  # digests, by seed and fold


@dataclass(frozen=True, kw_only=True, slots=True)
class RetrainedRun:
    """The finished trainings of one seed."""

    seed: int
    runs: tuple[str, ...]  # digests, by fold
    value: float  # the study's metric of the best epoch; over folds the mean, as the test score is
    test_macro_f1: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Retraining:
    """Outcome of trainings with other seeds."""

    record: RetrainingRecord
    trial_value: float | None  # metric by which the trial was chosen
    runs: tuple[RetrainedRun, ...]  # those that are finished
    mean: float  # average of the values
    sd: float | None  # None with one seed
    optimism: float | None  # by how much the trial's value is better than the mean at equal settings
    test_mean: float
    test_sd: float | None
    test_interval: Interval  # interval of the mean, if other speakers or clips had been recorded


def format_best_command(studies: Path, name: str, trial: int | None, record: RetrainingRecord | None = None) -> str:
    """Return the command that trains a trial's settings anew, the best's where it is None; or the one of a record."""
    words = ["arena", "sweep", "best", name, *find_project().folder_option("studies", studies)]
    words += ["--trial", str(trial)] if trial is not None else []
    words += ["--train", *(("--seeds", str(len(record.seeds))) if record else ())]
    return shlex.join([*words, *(record.overrides if record else ())])


def write_retraining(study: Path, record: RetrainingRecord) -> None:
    """Record in a study's folder which trainings belong to it, after those of other settings or seeds."""
    records = [other for other in read_records(study) if other != record]
    write_json(study / _NAME, {"retrainings": [dataclasses.asdict(each) for each in (*records, record)]})


def read_records(study: Path) -> tuple[RetrainingRecord, ...]:
    """Read the records, the latest last.

    Raises:
        StudyError: they are damaged.
    """
    path = study / _NAME
    if not path.exists():
        return ()
    try:
        content = read_json(path)
        return tuple(_parse_record(entry) for entry in content.get("retrainings", [content]))  # one, before Arena kept all
    except (RunError, KeyError, TypeError) as error:
        raise StudyError(f"{path} is damaged; delete it, and `arena sweep best {study.name} --train` writes it anew") from error


def _parse_record(entry: dict[str, Any]) -> RetrainingRecord:
    lists = {name: tuple(entry[name]) for name in ("overrides", "seeds")}
    return RetrainingRecord(**entry | lists | {"runs": tuple(map(tuple, entry["runs"]))})


def choose_record(study: Path, runs_dir: Path, trial: int | None) -> RetrainingRecord | None:
    """Choose the record that tells most of a trial: its own, of its own settings, the latest; None where none has a result.

    Raises:
        StudyError: as `read_records`.
    """
    finished = [record for record in read_records(study) if _list_finished(record, runs_dir)]
    return max(reversed(finished), key=lambda record: (record.trial == trial, record.is_equal), default=None)


def _list_finished(record: RetrainingRecord, runs_dir: Path) -> dict[int, list[RunFolder]]:
    folders = {seed: [RunFolder(runs_dir / run) for run in runs] for seed, runs in zip(record.seeds, record.runs, strict=True)}
    return {seed: runs for seed, runs in folders.items() if all(run.is_whole for run in runs)}


def read_retraining(
    record: RetrainingRecord, runs_dir: Path, metric: str, values: dict[int, float], sign: int
) -> Retraining | None:
    """Read the trainings of a record and what they came to; None where none is finished.

    Args:
        values: those of the study's trials, by number.
        sign: 1 where a higher value is better, else -1.

    Raises:
        RunError: a run folder is damaged.
    """
    finished = _list_finished(record, runs_dir)
    if not finished:
        return None
    runs = tuple(_read_runs(seed, folds, metric, sign) for seed, folds in finished.items())
    chosen = values.get(record.trial)
    tests = [run.test_macro_f1 for run in runs]
    validated = [run.value for run in runs]
    return Retraining(
        record=record,
        trial_value=chosen,
        runs=runs,
        mean=mean(validated),
        sd=_compute_sd(validated),
        optimism=sign * (chosen - mean(validated)) if record.is_equal and chosen is not None else None,
        test_mean=mean(tests),
        test_sd=_compute_sd(tests),
        test_interval=_compute_interval([run for folds in finished.values() for run in folds]),
    )


def _read_runs(seed: int, folds: Sequence[RunFolder], metric: str, sign: int) -> RetrainedRun:
    results = [result for run in folds if (result := run.result())]
    return RetrainedRun(
        seed=seed,
        runs=tuple(run.digest for run in folds),
        value=mean(_find_best(run, metric, sign) for run in folds),
        test_macro_f1=mean(result.scores["test"].macro_f1 for result in results),
    )


def _find_best(folder: RunFolder, metric: str, sign: int) -> float:
    values = [float(getattr(row, metric)) for row in folder.epochs()]
    return max((value for value in values if math.isfinite(value)), key=lambda value: sign * value, default=math.nan)


def _compute_sd(values: Sequence[float]) -> float | None:
    return stdev(values) if len(values) > 1 else None


def _compute_interval(folders: Sequence[RunFolder]) -> Interval:
    """Return the interval of the mean macro-F1 on the test clips, all trainings scored on the same draws."""
    import numpy as np

    from arena.base.resamples import Truth, resample_rows
    from cnn.runs.evaluation import read_labels

    labels = read_labels(folders)
    number = {label: k for k, label in enumerate(labels)}
    by_run = [
        sorted((row for row in folder.predictions() if row.split == "test"), key=lambda row: row.id) for folder in folders
    ]
    truth = Truth(
        classes=np.array([number[row.truth] for row in by_run[0]], dtype=np.intp),
        groups=np.array([row.speaker for row in by_run[0]]),
        n_classes=len(labels),
    )
    draws = resample_rows(truth)
    predicted = np.array([[number[row.label] for row in rows] for rows in by_run], dtype=np.intp)
    return draws.interval(draws.macro_f1(predicted).mean(axis=1))
