"""Weights that a training begins with, `train.start`: where they lie, and what they are, whatever that place is called.

Standard library only.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from cnn.errors import ConfigError
from cnn.settings.data import read_data
from cnn.settings.train import TrainSettings


def locate_weights(start: str) -> Path:
    """Return the file of weights: model.pt of a run's folder, or the file itself."""
    path = Path(start)
    return path / "model.pt" if path.is_dir() else path


def identify_start(train: TrainSettings) -> TrainSettings:
    """Return settings with the SHA-256 and the labels of their start; with none where no file lies at that path."""
    path = locate_weights(train.start)
    if not train.start or not path.is_file():
        return replace(train, start_digest="", start_labels=())
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return replace(train, start_digest=digest, start_labels=_read_labels(path.with_name("config.json")))


def check_start(train: TrainSettings) -> None:
    """Refuse a start that is no file: nobody can say which run it would make. Raises ConfigError."""
    if train.start and not train.start_digest:
        rule = f"train.start={train.start} is no file of weights and no run's folder"
        raise ConfigError(f"{rule}; the path is read from {Path.cwd()}")


def _read_labels(config: Path) -> tuple[str, ...]:
    """Return the labels of the run whose config.json lies beside its weights; none of a file that somebody brought."""
    with suppress(OSError, ValueError, TypeError, AttributeError):
        return read_data(json.loads(config.read_text(encoding="utf-8")).get("data") or {}).labels
    return ()
