"""What plain `wandb agent` starts for one run: W&B's arguments and signals, and a study on a machine that has none."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import yaml

from arena.base.processes import handle_signals
from sweeps.errors import StudyError
from sweeps.pool.agent_options import Say
from sweeps.study.folder import StudyFolder, StudySpec, create_or_continue
from sweeps.sweepfile import lint
from sweeps.sweepfile.sweep import parse
from sweeps.training import configuration, trial
from sweeps.training.trial import Step, TrialState
from sweeps.wandb_sweeps.link import Link, config_at_wandb, link_of, write_link
from sweeps.wandb_sweeps.trial import Asker, WandbStudy

_SEARCH_KEYS = ("method", "metric", "parameters", "early_terminate", "run_cap", "name")


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """The options of `arena wandb trial`."""

    study: str
    model: str
    variant: str
    tiles: Path
    runs: Path
    studies: Path
    device: str
    stops: bool  # the sweep stops weak runs
    overrides: tuple[str, ...]
    params: Mapping[str, str]


def split_arguments(words: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Settings of all trials (`train.epochs=8`), and the parameters of this one (`--train.learning_rate=0.01`).

    Raises:
        StudyError: a word that is neither.
    """
    overrides, params = [], {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise StudyError(
                f"`wandb agent` passes --key=value and settings are key=value, unlike {word!r}; use ${{args}} in `command`"
            )
        if key.startswith("--"):
            params[key.removeprefix("--")] = value
        else:
            overrides.append(word)
    return tuple(overrides), params


@dataclass(slots=True)
class _Signals:
    """SIGTERM is how `wandb agent` stops a run: that is W&B's early stopping where the sweep has one. Ctrl-C only pauses."""

    prunes: bool
    step: Step = Step.CONTINUE
    _number: int = field(default=0)

    def install(self) -> None:
        handle_signals(self._on_signal)

    def stop(self) -> None:
        self.step = Step.PRUNE

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self._number == number == signal.SIGINT:
            os._exit(128 + number)
        self._number = number
        self.step = Step.PRUNE if number == signal.SIGTERM and self.prunes else Step.PAUSE


def train_one(command: Command, environment: Mapping[str, str], say: Say) -> int:
    """Train the run that `wandb agent` handed out; the exit code.

    Raises:
        SweepError: not started by `wandb agent`, or the sweep is none of ours.
        CnnError: tiles or device are not here.
    """
    run, sweep = environment.get("WANDB_RUN_ID"), environment.get("WANDB_SWEEP_ID")
    if not run or not sweep:
        raise StudyError("`arena wandb trial` is what `wandb agent ENTITY/PROJECT/SWEEP` starts; start that")
    link = Link(entity=environment.get("WANDB_ENTITY", ""), project=environment.get("WANDB_PROJECT", ""), sweep=sweep, url="")
    folder = _folder(command, link, say)
    study = WandbStudy(folder, link, command.device, say)
    signals = _Signals(prunes=command.stops)
    signals.install()
    trial.check_place(study.place)
    result = study.train(command.params, run, Asker(step=lambda: signals.step, on_stop=signals.stop))
    if result is None or result.state in (TrialState.FINISHED, TrialState.PRUNED):
        return 0
    for line in result.tail:
        say(f"  {line}")
    say(f"error: {result.cause}" if result.state is TrialState.FAILED else "paused; its run folder goes on from the last epoch")
    return 1


def _folder(command: Command, link: Link, say: Say) -> StudyFolder:
    """The study's folder; on a machine that has none, one is made of what W&B knows of the sweep."""
    folder = StudyFolder(command.studies / command.study)
    if folder.exists:
        known = link_of(folder)
        if known.sweep != link.sweep:
            raise StudyError(
                f"study {folder.name!r} in {command.studies} is W&B's sweep {known.sweep}, not {link.sweep}; move it away"
            )
        return folder
    config = config_at_wandb(link.path if link.entity and link.project else link.sweep)
    if config.get("method") == "custom":  # the points come from `wandb sweep-scheduler`
        config["method"] = "tpe"
    text = yaml.safe_dump({key: config[key] for key in _SEARCH_KEYS if key in config}, sort_keys=False)
    sweep = parse(text, f"{command.study}.yaml")
    lint.check_sweep(sweep)
    tiles = configuration.find_tiles_folder(command.tiles, say).resolve()
    spec = StudySpec(
        name=command.study,
        sweep=sweep,
        base=configuration.base_configuration(tiles, command.model, command.variant, command.overrides),
        overrides=command.overrides,
        tiles=tiles,
        runs=command.runs.resolve(),
        budget=sweep.run_cap or lint.compute_budget(sweep, None)[0],
        seed=0,
        engine="wandb",
    )
    made, _ = create_or_continue(command.studies, spec)
    write_link(made, link)
    return made
