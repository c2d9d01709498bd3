"""Sweep configuration of a study for W&B, with the command that plain `wandb agent` runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sweeps.errors import StudyError
from sweeps.study.folder import StudySpec
from sweeps.sweepfile.metric import MetricRules
from sweeps.sweepfile.space import Distribution, Parameter
from sweeps.sweepfile.stopping import EarlyTerminate, Stopping
from sweeps.sweepfile.sweep import Sweep

METHODS = ("random", "grid", "bayes")  # search methods of W&B's server


def check_trainings(spec: StudySpec) -> None:
    """Check that trials are not to end training by training, as only Optuna's engine does; raises StudyError."""
    early = spec.sweep.early_terminate
    if early and early.type is Stopping.WILCOXON:
        rule = "early_terminate: wilcoxon is Optuna's, and W&B ends no trial of several trainings"
        raise StudyError(f"{spec.sweep.file}: {rule}; remove it, or leave W&B out")


def check_supported(spec: StudySpec) -> None:
    """Check that W&B's server can run the study's sweep; raises StudyError."""
    check_trainings(spec)
    sweep = spec.sweep
    if sweep.method.value not in METHODS:
        raise StudyError(
            f"{sweep.file}: method {sweep.method} is Optuna's, W&B has {', '.join(METHODS)}; write `method: bayes`, "
            "or `arena wandb sweep-file FILE --scheduler` for Optuna's samplers under W&B"
        )
    if sweep.stopping and sweep.stopping.type is Stopping.MEDIAN:
        raise StudyError(
            f"{sweep.file}: W&B stops by hyperband alone; write `early_terminate: {{type: hyperband, min_iter: 3}}`"
        )
    if spec.seed:
        raise StudyError("--seed is of Optuna's samplers, and W&B's server takes none; leave it out")


def make_sweep_config(spec: StudySpec, command: Sequence[str]) -> dict[str, Any]:
    """Return the configuration of `spec` for `wandb.sweep`.

    Every distribution is named: from bounds alone, W&B would guess it. Parameters keep their dotted names, so that an agent
    passes `--train.learning_rate=0.01` and W&B shows them as it shows the configuration of a run. There is no run_cap: W&B
    would count failed and repeated points too, and never let it grow. Arena's agents count.
    """
    sweep = spec.sweep
    config: dict[str, Any] = {
        "name": spec.name,
        "method": sweep.method.value,
        "metric": _metric(sweep),
        "parameters": {parameter.name: _parameter(parameter) for parameter in sweep.parameters},
        "program": "arena",
        "command": list(command),
    }
    if sweep.stopping and sweep.stopping.type is Stopping.HYPERBAND:
        config["early_terminate"] = _stopping(sweep.stopping)
    return config


def _metric(sweep: Sweep) -> dict[str, Any]:
    rules = {key: value for key, value in asdict(sweep.rules).items() if value != getattr(MetricRules(), key)}
    return {"name": sweep.metric, "goal": sweep.goal.value, **rules}


def _stopping(early: EarlyTerminate) -> dict[str, Any]:
    bands = {"max_iter": early.max_iter, "s": early.s} if early.max_iter else {"min_iter": early.min_iter}
    return {"type": "hyperband", **bands, "eta": early.eta, "strict": early.strict}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    distribution = parameter.distribution
    if distribution is Distribution.CONSTANT:
        value = parameter.values[0]
        return {"value": list(value) if isinstance(value, tuple) else value}
    if distribution is Distribution.CATEGORICAL:
        return {"distribution": "categorical", "values": list(parameter.values)}
    if distribution is Distribution.CATEGORICAL_W_PROBABILITIES:
        chances = {"values": list(parameter.values), "probabilities": list(parameter.shape)}
        return {"distribution": distribution.value, **chances}
    if distribution.is_shaped:
        names = ("a", "b") if distribution.endswith("beta") else ("mu", "sigma")
        shape = {"distribution": distribution.value, **dict(zip(names, parameter.shape, strict=True))}
        return {**shape, "q": parameter.q} if distribution.is_quantized else shape
    bounds: dict[str, Any] = {"distribution": distribution.value, "min": parameter.low, "max": parameter.high}
    return {**bounds, "q": parameter.q} if distribution.is_quantized else bounds


def _shorten(path: Path) -> str:
    """Return `path` relative to the working folder if it lies below it: other machines have other home folders."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative


def agent_command(spec: StudySpec, studies_dir: Path) -> list[str]:
    """Return the command of each run, valid on any machine with the tiles; ${args} become its parameters.

    They stand behind `--`: of a resumed run W&B passes all of its configuration, `--variant=raw` too.
    """
    words = ["${env}", "arena", "wandb", "trial", spec.name, "--variant", spec.variant, "--model", spec.model]
    words += ["--tiles", _shorten(spec.tiles), "--runs", _shorten(spec.runs), "--studies", _shorten(studies_dir.resolve())]
    stops = ["--stops"] if spec.sweep.stopping and spec.sweep.stopping.type is Stopping.HYPERBAND else []
    trainings = (("--folds", spec.settings.folds), ("--seeds", spec.settings.seeds))
    repeats = [word for option, n in trainings if n > 1 for word in (option, str(n))]
    return [*words, *stops, *repeats, *spec.overrides, "--", "${args}"]
