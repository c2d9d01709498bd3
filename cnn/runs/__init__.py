"""Run folders, evaluations over folds, and the W&B mirror."""

from cnn.runs.folder import EpochRow, FitVerdict, Prediction, RunFolder, RunResult, RunState, Score, list_runs
from cnn.runs.lock import lock_run

__all__ = ["EpochRow", "FitVerdict", "Prediction", "RunFolder", "RunResult", "RunState", "Score", "list_runs", "lock_run"]
