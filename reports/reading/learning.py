"""Trainings that differ in optimiser, batch size or normalisation alone, beside learning rate and seed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnn.errors import RunError
from cnn.overrides import flatten
from cnn.plugin import shorten_name
from cnn.runs.folder import RunFolder, RunState, list_runs
from cnn.runs.looks import read_looks
from reports.facts.learning import LearningCurve, LearningFacts, LearningPoint, Reach, Spread

_AXES = {
    "optimizer": ("train.optimizer", "train.momentum", "train.nesterov"),
    "batch_size": ("train.batch_size",),
    "normalise": ("train.normalise",),
}
_FREE = ("train.learning_rate", "train.seed", "train.looks_every")
_LEAST_SEEDS, _MOST_VALUES = 2, 6  # an interval needs two; there are six colours


@dataclass(frozen=True, kw_only=True, slots=True)
class _Training:
    folder: RunFolder
    config: Mapping[str, object]
    has_failed: bool

    @property
    def rate(self) -> float:
        return float(str(self.config["train.learning_rate"]))

    def name(self, axis: str) -> str:
        """Return the value of an axis; sgd says its momentum, and plain sgd none."""
        value = str(self.config.get(_AXES[axis][0], ""))
        momentum = float(str(self.config.get("train.momentum", 0.9)))
        if axis != "optimizer" or value != "sgd" or not momentum:
            return value
        return f"sgd, {'Nesterov ' if self.config.get('train.nesterov', 1) else 'momentum '}{momentum:g}"

    def others(self, axis: str) -> str:
        """Return all other settings as a text; what the data are, the corpus says."""
        free = (*_AXES[axis], *_FREE)
        others = {key: value for key, value in self.config.items() if key not in free and not key.startswith("data.")}
        return json.dumps(others, sort_keys=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Point:
    updates: int
    seconds: float
    loss: float
    f1: float


def read_learning(runs_dir: Path | None, corpus: str, score: float) -> tuple[LearningFacts, ...]:
    """Return the largest set of trainings on the corpus for each axis that has one; damaged folders are left out."""
    trainings = [] if runs_dir is None else [training for folder in list_runs(runs_dir) if (training := _open(folder, corpus))]
    return tuple(facts for axis in _AXES if (facts := _read_axis(axis, trainings, score)))


def _open(folder: RunFolder, corpus: str) -> _Training | None:
    try:
        config, state = flatten(folder.config()), folder.state()
    except (RunError, ValueError, KeyError, TypeError):
        return None
    if config.get("corpus") != corpus or state not in (RunState.FINISHED, RunState.FAILED) or folder.is_autoencoder:
        return None
    return _Training(folder=folder, config=config, has_failed=state is RunState.FAILED)


def _read_axis(axis: str, trainings: Sequence[_Training], score: float) -> LearningFacts | None:
    sets: dict[str, list[_Training]] = {}
    for training in trainings:
        sets.setdefault(training.others(axis), []).append(training)
    several = [group for group in map(_drop_twins, sets.values()) if len({training.name(axis) for training in group}) > 1]
    for group in sorted(several, key=len, reverse=True):
        curves = _read_curves(axis, group, score)
        if len({curve.value for curve in curves}) > 1:
            config = group[0].config
            return LearningFacts(
                axis=axis,
                model=shorten_name(str(config["model.name"])),
                variant=str(config["variant"]),
                n_epochs=int(str(config["train.epochs"])),
                n_trainings=len(group),
                score=score,
                curves=curves,
            )
    return None


def _drop_twins(group: Sequence[_Training]) -> list[_Training]:
    """Keep one of trainings that differ in how often they looked alone, one with looks: the others repeat its seed."""
    looked = sorted(group, key=lambda training: not training.config.get("train.looks_every"))
    twins = {json.dumps({**training.config, "train.looks_every": 0}, sort_keys=True): training for training in reversed(looked)}
    return [training for training in group if training in twins.values()]


def _read_curves(axis: str, group: Sequence[_Training], score: float) -> tuple[LearningCurve, ...]:
    cells: dict[tuple[str, float], list[_Training]] = {}
    for training in group:
        cells.setdefault((training.name(axis), training.rate), []).append(training)
    curves = [_read_curve(*key, cell, score) for key, cell in cells.items() if len(cell) >= _LEAST_SEEDS]
    curves.sort(key=lambda curve: (*_order(curve.value), curve.rate))
    values = list(dict.fromkeys(curve.value for curve in curves))[:_MOST_VALUES]
    return tuple(curve for curve in curves if curve.value in values)


def _order(value: str) -> tuple[float, str]:
    """Order numbers by size, and 0, which is all clips, behind them."""
    return (float(value) or float("inf"), "") if value.isdigit() else (0.0, value)


def _read_curve(value: str, rate: float, cell: Sequence[_Training], score: float) -> LearningCurve:
    complete = [training for training in cell if not training.has_failed]
    ways = [way for training in complete if (way := _read_points(training.folder))]
    per_epoch = next((n for training in complete if (n := training.folder.epochs()[0].updates)), 0) if ways else 0
    columns = list(zip(*ways, strict=False))
    reached = [next((point for point in way if point.f1 >= score), None) for way in ways]
    arrivals = [point for point in reached if point]
    reach = None
    if arrivals and len(arrivals) == len(cell):
        updates = _mean([point.updates for point in arrivals])
        seconds = _mean([point.seconds for point in arrivals])
        reach = Reach(epochs=updates / per_epoch, updates=updates, seconds=seconds)
    losses = [min(way, key=lambda point: point.loss).updates / per_epoch for way in ways]
    return LearningCurve(
        value=value,
        rate=rate,
        points=tuple(_join(column, per_epoch) for column in columns),
        n_failed=len(cell) - len(ways),
        n_updates=per_epoch,
        epoch_s=_mean([way[-1].seconds * per_epoch / way[-1].updates for way in ways]) if ways else 0.0,
        reach=reach,
        least_loss=spread(losses) if losses else None,
    )


def _read_points(folder: RunFolder) -> list[_Point]:
    """Return the validations of a training by their updates, those between epochs among them; none of files of old."""
    epochs = folder.epochs()
    times = itertools.accumulate(row.seconds for row in epochs)
    points = {
        row.updates: _Point(updates=row.updates, seconds=time, loss=row.val_loss, f1=row.val_macro_f1)
        for row, time in zip(epochs, times, strict=True)
        if row.updates
    }
    for look in read_looks(folder):
        points.setdefault(
            look.updates, _Point(updates=look.updates, seconds=look.seconds, loss=look.val_loss, f1=look.val_macro_f1)
        )
    return [points[updates] for updates in sorted(points)]


def _join(column: Sequence[_Point], per_epoch: int) -> LearningPoint:
    return LearningPoint(
        epochs=column[0].updates / per_epoch,
        updates=column[0].updates,
        seconds=_mean([point.seconds for point in column]),
        f1=spread([point.f1 for point in column]),
    )


def spread(values: Sequence[float]) -> Spread:
    """Return mean, lowest and highest."""
    return Spread(mean=_mean(values), low=min(values), high=max(values), n=len(values))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
