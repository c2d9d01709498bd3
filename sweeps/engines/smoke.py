"""Smoke test before a pool's first trial: one batch of each net's first point and of its largest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sweeps.engines import optuna_space
from sweeps.errors import StudyError
from sweeps.study.folder import StudySpec
from sweeps.training import trial
from sweeps.training.trial import TrialContext

_SIZES = ("train.batch_size", "model.depth", "model.width")  # memory and time grow with these


def try_studies(specs: Sequence[StudySpec], device: str, is_stopped: Callable[[], bool]) -> None:
    """Train one batch of the first and of the largest point of every net; write nothing.

    Of studies that share a net, the one with augmentation is tried: it needs the most.

    Raises:
        StudyError: a batch failed; the text names the point.
    """
    for spec in _hardest_per_net(specs):
        context = TrialContext(bases=spec.bases, tiles=spec.tiles, runs=spec.runs, device=device, study=spec.name)
        first = optuna_space.choose_first_point(spec)
        for params in (first, largest_point(spec, first)) if largest_point(spec, first) != first else (first,):
            if is_stopped():
                return
            if reason := trial.try_point(context, params):
                raise StudyError(
                    f"study {spec.name}, one batch before the first trial, {_format_point(params)}: {_with_advice(reason)}"
                )


def _hardest_per_net(specs: Sequence[StudySpec]) -> list[StudySpec]:
    hardest: dict[str, StudySpec] = {}
    for spec in sorted(specs, key=lambda spec: not spec.variant.endswith("+aug")):
        settings = {key: spec.base[key] for key in ("model", "train", "split", "tiles")}
        hardest.setdefault(repr((settings, replace(spec.sweep, text="").parameters, spec.tiles)), spec)
    return list(hardest.values())


def largest_point(spec: StudySpec, first: Mapping[str, object]) -> dict[str, object]:
    """Return `first` with the largest batch and the deepest and widest net of the space."""
    largest = dict(first)
    for parameter in spec.sweep.parameters:
        numbers = [value for value in parameter.extremes() if isinstance(value, int | float)]
        if parameter.name in _SIZES and numbers:
            is_whole = parameter.name == "train.batch_size" and 0 in numbers  # 0 is all clips
            largest[parameter.name] = 0 if is_whole else max(numbers)
    return largest


def _format_point(params: Mapping[str, object]) -> str:
    return " ".join(f"{key}={value:.4g}" if isinstance(value, float) else f"{key}={value}" for key, value in params.items())


def _with_advice(reason: str) -> str:
    if reason == "out of memory":
        return f"{reason}; lower the largest train.batch_size or model.depth of the sweep file, or skip this with --no-smoke"
    return reason
