"""The run folder, and what runs say together."""

from cnn.runs.folder import EpochRow, FitVerdict, Prediction, RunFolder, RunResult, RunState, Score, list_runs, lock_run

__all__ = ["EpochRow", "FitVerdict", "Prediction", "RunFolder", "RunResult", "RunState", "Score", "list_runs", "lock_run"]
