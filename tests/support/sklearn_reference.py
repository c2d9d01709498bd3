"""scikit-learn's metrics, loaded when the first is asked for: its import takes longer than most tests."""

from __future__ import annotations

from typing import Any

_NAMES = ("accuracy_score", "confusion_matrix", "f1_score", "log_loss", "recall_score")


def __getattr__(name: str) -> Any:
    if name not in _NAMES:  # pytest asks every object in a test file for marks
        raise AttributeError(name)
    import sklearn.metrics

    return getattr(sklearn.metrics, name)
