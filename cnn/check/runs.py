"""Own nets of several trainings: each is tried once, and speaks once, before the first training."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cnn.check.settings import KEYS, explain_unread
from cnn.config import RunConfig
from cnn.errors import ModelError
from cnn.runs.folder import RunFolder, RunState
from cnn.settings.model import ModelSettings, model_defaults

if TYPE_CHECKING:
    from cnn.check.net import NetReport


def check_own_nets(
    configs: Sequence[RunConfig], runs: Path, log: Callable[[str], None], refused: Collection[str] = ()
) -> list[RunConfig]:
    """Try the own nets of unfinished runs, log what they are warned of, and return what is to be trained.

    A setting that a net does not read is left out, so that one net has one run whatever the others take.

    Args:
        refused: keys such as `model.depth` that are not left out but refused.

    Raises:
        ModelError: a net that cannot be trained, or does not read a refused key.
    """
    reports = _try_nets([config for config in configs if config.model.is_plugin], runs)
    for model, report in reports.items():
        if typed := [key for key in KEYS if key in report.unread and f"model.{key}" in refused]:
            raise ModelError(explain_unread(model.name, typed))
    for text in dict.fromkeys(text for report in reports.values() for text in report.warnings):
        log(f"warning: {text}")
    models = {model: _leave_out(model, report.ignored, log) for model, report in reports.items()}
    return [replace(config, model=models.get(config.model, config.model)) for config in configs]


def _try_nets(configs: Sequence[RunConfig], runs: Path) -> dict[ModelSettings, NetReport]:
    reports: dict[ModelSettings, NetReport] = {}
    for config in configs:
        folder = RunFolder(runs / config.digest)
        if config.model not in reports and folder.state() is not RunState.FINISHED:
            from cnn.check.net import try_net  # late: it loads torch
            from cnn.models.own import resolve_source

            reports[config.model] = try_net(resolve_source(config.model, folder.path), config.tiles.size, config.data.n_classes)
    return reports


def _leave_out(model: ModelSettings, ignored: Sequence[str], log: Callable[[str], None]) -> ModelSettings:
    if not ignored:
        return model
    defaults = model_defaults(model.name, model.source)
    read = " and ".join(f"settings.{key}" for key in ignored)
    settings = " and ".join(f"model.{key}={getattr(model, key)}" for key in ignored)
    log(f"{model.label} does not read {read}: it is trained without {settings}")
    return replace(model, **{key: getattr(defaults, key) for key in ignored})
