"""Run folders, evaluations over folds, and the W&B mirror."""

from cnn.runs.folder import EpochRow, FitVerdict, Prediction, RunFolder, RunResult, RunState, Score, list_runs
from cnn.runs.marks import lock_run
from cnn.settings.data import DataKind, find_corpus, read_kind

__all__ = [
    "DataKind",
    "EpochRow",
    "FitVerdict",
    "Prediction",
    "RunFolder",
    "RunResult",
    "RunState",
    "Score",
    "find_corpus",
    "list_runs",
    "lock_run",
    "read_kind",
]
