"""Files for W&B's own commands: a sweep, and a source by which its scheduler runs Optuna's samplers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cnn.errors import RunError
from cnn.files import write_whole
from sweeps.errors import StudyError
from sweeps.study.folder import StudySpec
from sweeps.wandb_sweeps import config as wandb_config

_SOURCE = '''"""Written by `arena wandb sweep-file --scheduler`: Optuna's samplers and pruners for `wandb sweep-scheduler`."""

import optuna

from sweeps.engines import optuna_space
from sweeps.sweepfile.sweep import parse

SWEEP = parse(
    {text!r},
    {file!r},
)


def make_study(_sweep):
    """The study that W&B asks for points; it is made anew, and told what is known, when the scheduler starts again."""
    sampler = optuna_space.make_sampler(SWEEP, {budget}, {seed}, 0)
    pruner = optuna_space.make_pruner({early})
    return optuna.create_study(direction=SWEEP.goal.value, sampler=sampler, pruner=pruner)


def space(trial):
    """One point, as W&B passes it to `arena wandb trial`."""
    return optuna_space.decode_point(SWEEP.parameters, optuna_space.suggest(trial, SWEEP.parameters))
'''


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenFiles:
    """Files for W&B, and the commands that use them, in order."""

    files: tuple[Path, ...]
    commands: tuple[str, ...]


def write_sweep(spec: StudySpec, studies_dir: Path, out: Path) -> WrittenFiles:
    """Write the sweep for W&B's server.

    Raises:
        StudyError: W&B does not support the sweep, or the file cannot be written.
    """
    wandb_config.check_supported(spec)
    _write(out, yaml.safe_dump(_make_config(spec, studies_dir), sort_keys=False))
    return WrittenFiles(files=(out,), commands=_commands(spec, out))


def write_scheduled_sweep(spec: StudySpec, studies_dir: Path, out: Path) -> WrittenFiles:
    """Write the sweep for `wandb sweep-scheduler`: any of Optuna's samplers and pruners.

    Raises:
        StudyError: a rule that ends trials training by training, or a file cannot be written.
    """
    wandb_config.check_trainings(spec)
    source = out.with_name(f"{out.stem.replace('.', '_').replace('-', '_')}_scheduler.py")
    config = _make_config(spec, studies_dir)
    config.pop("early_terminate", None)  # the scheduler prunes
    config["method"] = "custom"
    config["scheduler"] = {"engine": "optuna", "source": source.name, "optimizer": "make_study", "search_space": "space"}
    early = "None" if spec.settings.n_trainings > 1 else "SWEEP.stopping"  # W&B is told the mean of all trainings alone
    text = _SOURCE.format(text=spec.sweep.text, file=spec.sweep.file, budget=spec.budget, seed=spec.seed, early=early)
    _write(source, text)
    _write(out, yaml.safe_dump(config, sort_keys=False))
    return WrittenFiles(files=(out, source), commands=_commands(spec, out, "sweep-scheduler"))


def _make_config(spec: StudySpec, studies_dir: Path) -> dict[str, Any]:
    """Return the configuration with W&B's own cap: plain `wandb agent` counts nothing."""
    return {**wandb_config.make_sweep_config(spec, wandb_config.agent_command(spec, studies_dir)), "run_cap": spec.budget}


def _commands(spec: StudySpec, out: Path, *more: str) -> tuple[str, ...]:
    entity, project = spec.sweep.entity, spec.sweep.project or "arena"
    owner = f"--entity {entity} " if entity else ""
    sweep = f"{entity or 'ENTITY'}/{project}/SWEEP"
    return (f"wandb sweep {owner}--project {project} {out}", *(f"wandb {word} {sweep}" for word in (*more, "agent")))


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text.encode())
    except RunError as error:
        raise StudyError(str(error)) from error
