"""The smoke trial: before a pool's first trial, one batch of each net's first point and of its largest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sweeps.engines import optuna_space
from sweeps.errors import StudyError
from sweeps.study.folder import StudySpec
from sweeps.training import trial
from sweeps.training.trial import Workplace

_SIZES = ("train.batch_size", "model.depth", "model.width")  # what memory and time grow with


def try_studies(specs: Sequence[StudySpec], device: str, is_stopped: Callable[[], bool]) -> None:
    """Train one batch each of the first and the largest point of every net; of studies that share it, on the one that asks
    most: with augmentation. Writes nothing.

    Raises:
        StudyError: the first thing that went wrong, with the point.
    """
    for spec in _one_for_each_net(specs):
        place = Workplace(base=spec.base, tiles=spec.tiles, runs=spec.runs, device=device, study=spec.name)
        first = optuna_space.first_point(spec.sweep, spec.budget, spec.seed)
        for params in (first, largest_point(spec, first)) if largest_point(spec, first) != first else (first,):
            if is_stopped():
                return
            if reason := trial.try_batch(place, params):
                raise StudyError(f"study {spec.name}, one batch before the first trial, {_shown(params)}: {_advised(reason)}")


def _one_for_each_net(specs: Sequence[StudySpec]) -> list[StudySpec]:
    chosen: dict[str, StudySpec] = {}
    for spec in sorted(specs, key=lambda spec: not spec.variant.endswith("+aug")):
        settings = {key: spec.base[key] for key in ("model", "train", "split", "tiles")}
        chosen.setdefault(repr((settings, replace(spec.sweep, text="").parameters, spec.tiles)), spec)
    return list(chosen.values())


def largest_point(spec: StudySpec, first: Mapping[str, object]) -> dict[str, object]:
    """`first` with the largest batch and the deepest and widest net of the space."""
    largest = dict(first)
    for parameter in spec.sweep.parameters:
        numbers = [value for value in parameter.extremes() if isinstance(value, int | float)]
        if parameter.name in _SIZES and numbers:
            largest[parameter.name] = max(numbers)
    return largest


def _shown(params: Mapping[str, object]) -> str:
    return " ".join(f"{key}={value:.4g}" if isinstance(value, float) else f"{key}={value}" for key, value in params.items())


def _advised(reason: str) -> str:
    if reason == "out of memory":
        return f"{reason}; lower the largest train.batch_size or model.depth of the sweep file, or skip this with --no-smoke"
    return reason
