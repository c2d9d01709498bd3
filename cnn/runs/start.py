"""Runs that a training may begin with: `train.start` takes them by any name that a run has.

Standard library only.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cnn.config import RunConfig
from cnn.errors import CnnError, ConfigError, RunError
from cnn.overrides import config_from_dict
from cnn.runs.folder import list_runs
from cnn.runs.reference import find_run
from cnn.settings.train import TrainSettings
from cnn.start import identify_start


def resolve_start(config: RunConfig, runs: Path) -> RunConfig:
    """Return `config` with a start that was given by a run's name: the run's folder, the SHA-256 of its weights, its labels.

    A run that has begun needs its start no more: one of `runs` that began with this start says what it was.

    Raises:
        ConfigError: no file, no run, or a run without weights.
    """
    train = config.train
    if not train.start or train.start_digest:
        return config
    try:
        path = find_run(train.start, runs).path
    except RunError as error:
        begun = _find_begun(train.start, runs)
        if begun is None:
            rule = f"train.start={train.start} is no file of weights and no run of {runs}"
            raise ConfigError(f"{rule}; `arena runs` lists the runs") from error
        return replace(config, train=replace(train, start_digest=begun.start_digest, start_labels=begun.start_labels))
    resolved = identify_start(replace(train, start=str(path)))
    if not resolved.start_digest:
        raise ConfigError(f"train.start={train.start}: {path} has no weights yet; train it to its end, or choose another")
    return replace(config, train=resolved)


def _find_begun(start: str, runs: Path) -> TrainSettings | None:
    """Return the settings of the run that began with `start`, if all that did agree on what it was."""
    settings: dict[tuple[str, tuple[str, ...]], TrainSettings] = {}
    for run in list_runs(runs):
        try:
            train = config_from_dict(run.config()).train
        except (CnnError, ValueError, TypeError):
            continue  # `arena runs` reports damage
        if train.start and (Path(train.start) == Path(start) or Path(train.start).name.startswith(start)):
            settings[train.start_digest, train.start_labels] = train
    return next(iter(settings.values())) if len(settings) == 1 else None
