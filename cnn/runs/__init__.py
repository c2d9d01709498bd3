"""The run folder, and what runs say together."""

from cnn.runs.folder import EpochRow, Prediction, RunFolder, RunResult, RunState, Score, Verdict, list_runs, locked

__all__ = ["EpochRow", "Prediction", "RunFolder", "RunResult", "RunState", "Score", "Verdict", "list_runs", "locked"]
