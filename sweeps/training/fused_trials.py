"""Fused training of trials: those with equal stack keys are trained as one net."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnn.runs.folder import BLIND_PARTS
from sweeps.errors import SweepError
from sweeps.training.trial import Listener, Task, TrialContext, TrialResult, make_failure, read_result

if TYPE_CHECKING:
    from cnn.config import RunConfig
    from cnn.runs.folder import RunFolder
    from cnn.train.fused.autotune import FusionPlan as FusionPlan
    from cnn.train.fused.group import MemberResult


TrialKey = tuple[str, int]  # study and number


@dataclass(frozen=True, kw_only=True, slots=True)
class FusedTraining:
    """A training of a trial as the others see it."""

    stack_key: Hashable  # equal for those that can be trained together
    run: str  # digest of its run folder


def describe_training(context: TrialContext, task: Task) -> FusedTraining:
    from cnn.train.fused.stack import compute_stack_key

    config = context.configure(task.params, task.training)
    stack_key = context.tiles, context.runs, context.device, compute_stack_key(config)
    return FusedTraining(stack_key=stack_key, run=config.digest)


def choose_fusing(context: TrialContext, params: Mapping[str, object], n: int, n_most: int) -> FusionPlan:
    """Return how to fuse trials like this one on the device: `n` of them, or with 0 as many as are fastest.

    On a CPU fusing was measured not to pay: 0 becomes 1 there.
    """
    from cnn.tiles.tile_set import open_tiles
    from cnn.train.device import resolve_device
    from cnn.train.fused.autotune import FusionPlan, choose_formulation, choose_fusion
    from cnn.train.training_run import SplitData

    device, config = resolve_device(context.device), context.configure(params)
    if device.type == "cpu" or config.model.is_autoencoder:
        return FusionPlan(n_members=n or 1)
    material = SplitData(open_tiles(context.tiles), config, device, BLIND_PARTS)
    if n:
        return FusionPlan(n_members=n, formulation=choose_formulation(config, material, n)[0])
    return choose_fusion(config, material, n_most)


def explain_unfusable(context: TrialContext, params: Mapping[str, object]) -> str:
    """Return the reason that this net cannot be fused, or an empty text."""
    import torch

    from cnn.errors import ModelError
    from cnn.models.registry import build_net
    from cnn.settings.scratch import SCRATCH
    from cnn.train.fused.stacked_layers import stack_nets

    config = context.configure(params)
    if config.model.name == SCRATCH:
        return "the net from scratch is NumPy and cannot be fused"
    if config.train.frozen:
        return "frozen layers (train.frozen) cannot be fused"
    if config.model.is_autoencoder:
        return "an autoencoder is trained alone, since fused nets answer with classes"
    with torch.random.fork_rng(devices=[]):
        try:
            stack_nets([build_net(config.model, config.tiles.size, config.data.n_classes)] * 2)
        except ModelError as error:
            return str(error)
    return ""


class FusedTrials:
    """Trials that are trained together, an epoch at a time."""

    def __init__(self, context: TrialContext, task: Task, fusing: FusionPlan) -> None:
        """Prepare for trials with the stack key of `task`.

        Raises:
            CnnError: the tiles, the split or the device cannot be used.
        """
        from cnn.tiles.tile_set import open_tiles
        from cnn.train.device import resolve_device
        from cnn.train.fused.group import TrainingGroup
        from cnn.train.training_run import SplitData

        self._tiles = open_tiles(context.tiles)
        material = SplitData(
            self._tiles, context.configure(task.params, task.training), resolve_device(context.device), BLIND_PARTS
        )
        self._group = TrainingGroup(material, context.runs, fusing.formulation, self._close)
        self._members: dict[str, tuple[TrialKey, TrialContext, Task]] = {}  # by digest of the run

    def __len__(self) -> int:
        return len(self._group)

    def has(self, run: str) -> bool:
        """Tell whether a trial of the same run, of another study, is being trained here."""
        return run in self._members

    def join(self, context: TrialContext, task: Task, on_epoch: Listener) -> TrialResult | None:
        """Add a trial; return its result where nothing is left to train, else None.

        Raises:
            SweepError: `on_epoch` raised it.
        """
        from cnn.runs.folder import RunFolder
        from cnn.runs.marks import TrialMark, mark_trial
        from cnn.train.training_run import Decision

        config = context.configure(task.params, task.training)
        self._members[config.digest] = ((context.study, task.number), context, task)
        try:
            mark_trial(RunFolder(context.runs / config.digest), TrialMark(study=context.study, number=task.number))
            member = self._group.join(config, lambda row: Decision(on_epoch(row).value))
        except SweepError:
            raise
        except Exception as error:
            self._members.pop(config.digest)
            return make_failure(error)
        return self._result(member)[1] if member else None

    def train_epoch(self) -> list[tuple[TrialKey, TrialResult]]:
        """Train one epoch of all; return the results of those that end. An error of the group ends all.

        Raises:
            SweepError: a listener raised it.
        """
        try:
            return [self._result(member) for member in self._group.run_epoch()]
        except SweepError:
            raise
        except Exception as error:
            self._group.pause()
            failure = make_failure(error)
            keys = [key for key, _, _ in self._members.values()]
            self._members.clear()
            return [(key, failure) for key in keys]

    def pause(self) -> None:
        """Remove all trials, unfinished."""
        self._group.pause()
        self._members.clear()

    def _result(self, member: MemberResult) -> tuple[TrialKey, TrialResult]:
        key, _, task = self._members.pop(member.config.digest)
        return key, make_failure(member.error) if member.error else read_result(member.folder, task.metric)

    def _close(self, config: RunConfig, folder: RunFolder) -> None:
        """Mirror an ended trial to W&B, offline: sending it now would hold up all others."""
        from cnn.runs.wandb_mirror import Destination, Mirror

        _, context, task = self._members[config.digest]
        if context.wandb == "off" or not folder.state().is_finished:
            return
        name = context.name_run(task, config)
        destination = Destination(mode="offline", group=context.study, job_type="trial", name=name)
        mirror = Mirror(destination, config, folder.path, lambda text: print(text, file=sys.stderr, flush=True))
        mirror.open()
        mirror.finish(folder)
