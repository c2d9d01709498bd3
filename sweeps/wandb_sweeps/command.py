"""Training of one run for plain `wandb agent`, which passes parameters and sends signals in its own way."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import yaml

from arena.base.processes import handle_signals
from sweeps.engines.protocol import Idle
from sweeps.errors import StudyError
from sweeps.linting import lint
from sweeps.linting.settings import override_settings
from sweeps.pool.agent_options import Say
from sweeps.study.folder import StudyFolder, StudySpec, create_or_continue
from sweeps.sweepfile.sweep import parse
from sweeps.training import configuration, trial
from sweeps.training.folds import plan_folds
from sweeps.training.trial import Step, TrialState
from sweeps.wandb_sweeps.link import SweepLink, read_link, read_sweep_config, write_link
from sweeps.wandb_sweeps.trial import StopHooks, WandbStudy

_SEARCH_KEYS = ("method", "metric", "parameters", "early_terminate", "run_cap", "name")


@dataclass(frozen=True, kw_only=True, slots=True)
class WandbTrialOptions:
    """The options of `arena wandb trial`."""

    study: str
    model: str
    variant: str
    tiles: Path
    runs: Path
    studies: Path
    device: str
    stops: bool  # the sweep stops weak runs
    settings: Mapping[str, object]  # entries of `arena:` in the sweep's file
    overrides: tuple[str, ...]
    params: Mapping[str, str]


def split_arguments(words: Sequence[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Split `train.epochs=8` (settings of all trials) from `--train.learning_rate=0.01` (parameters of this one).

    Raises:
        StudyError: a word is neither.
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


class _Signals:
    """Signals of `wandb agent`. Ctrl-C pauses the run after its epoch, and never prunes it.

    SIGTERM is ambiguous: W&B stops a weak run by it, and a second interrupt of the agent sends it too. So it prunes only a run
    that W&B's own rule ends.
    """

    def __init__(self, is_weak: Callable[[], bool]) -> None:
        self._is_weak = is_weak
        self._step = Step.CONTINUE
        self._is_terminated = False

    def install(self) -> None:
        with contextlib.suppress(OSError):  # the group that a terminal sends Ctrl-C to; the agent puts its runs outside
            os.setpgid(0, os.getpgid(os.getppid()))
        handle_signals(self._on_signal)

    def stop(self) -> None:
        """End the run as pruned: Stop was pressed in W&B."""
        self._step = Step.PRUNE

    def step(self) -> Step:
        if self._is_terminated and self._step is Step.CONTINUE:
            self._step = Step.PRUNE if self._is_weak() else Step.PAUSE
        return self._step

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGTERM:
            self._is_terminated = True
        else:
            self._step = Step.PAUSE


def train_wandb_run(options: WandbTrialOptions, environment: Mapping[str, str], say: Say) -> int:
    """Train the run that `wandb agent` handed out; return the exit code.

    Raises:
        SweepError: not started by `wandb agent`, or the sweep is another study's.
        CnnError: tiles or device cannot be used.
    """
    run, sweep = environment.get("WANDB_RUN_ID"), environment.get("WANDB_SWEEP_ID")
    if not run or not sweep:
        raise StudyError("`arena wandb trial` is what `wandb agent ENTITY/PROJECT/SWEEP` starts; start that")
    link = SweepLink(
        entity=environment.get("WANDB_ENTITY", ""),
        project=environment.get("WANDB_PROJECT", ""),
        sweep=sweep,
        url="",
        follows=True,
    )
    folder = _open_folder(options, link, say)
    study = WandbStudy(folder, read_link(folder), options.device, say)
    trial.check_context(study.context)
    claim = study.adopt(options.params, run)
    if isinstance(claim, Idle):
        say(f"study {folder.name}: its {study.engine.spec.budget} trials are done or in work, so run {run} is not trained")
        return 0
    if claim is None:
        return 0
    signals = _Signals(functools.partial(study.is_weak, claim, run) if options.stops else lambda: False)
    signals.install()
    result = study.train(claim, run, StopHooks(step=signals.step, on_stop=signals.stop))
    if result.state in (TrialState.FINISHED, TrialState.PRUNED):
        return 0
    for line in result.tail:
        say(f"  {line}")
    say(f"error: {result.cause}" if result.state is TrialState.FAILED else "paused; its run folder goes on from the last epoch")
    return 1


def _open_folder(options: WandbTrialOptions, link: SweepLink, say: Say) -> StudyFolder:
    """Return the study's folder; create it from the sweep's configuration at W&B where there is none.

    A folder of a sweep that another one replaced at W&B goes on with the new one.
    """
    folder = StudyFolder(options.studies / options.study)
    if folder.exists:
        stored = read_link(folder)
        if stored.sweep == link.sweep:
            return folder
        if not stored.follows:
            raise StudyError(
                f"study {folder.name!r} in {options.studies} is W&B's sweep {stored.sweep}, not {link.sweep}; move it away"
            )
    config = read_sweep_config(link.path if link.entity and link.project else link.sweep)
    if config.get("method") == "custom":  # the points come from `wandb sweep-scheduler`
        config["method"] = "tpe"
    text = yaml.safe_dump({key: config[key] for key in _SEARCH_KEYS if key in config}, sort_keys=False)
    sweep = override_settings(parse(text, f"{options.study}.yaml"), options.settings)
    lint.check_sweep(sweep)
    tiles = configuration.find_tiles_folder(options.tiles, say).resolve()
    base = configuration.base_configuration(tiles, options.model, options.variant, options.overrides)
    configuration.check_objective(base, sweep.metric)
    spec = StudySpec(
        name=options.study,
        sweep=sweep,
        base=base,
        overrides=options.overrides,
        tiles=tiles,
        runs=options.runs.resolve(),
        budget=sweep.run_cap or 1,  # grows with what W&B hands out
        seed=0,
        engine="wandb",
        folds=plan_folds(tiles, base, sweep.settings.folds),
    )
    folder, _ = create_or_continue(options.studies, spec, keep_budget=True)
    write_link(folder, link)
    return folder
