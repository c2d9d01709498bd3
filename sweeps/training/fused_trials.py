"""The door to fused training: trials of one mould that are trained as one net (cnn/fused.py)."""

from __future__ import annotations

import sys
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

from sweeps.errors import SweepError
from sweeps.training.trial import Listener, Task, TrialResult, Workplace, failure_of, result_of

if TYPE_CHECKING:
    from cnn.config import RunConfig
    from cnn.runs.folder import RunFolder
    from cnn.train.fused.autotune import FusionPlan as FusionPlan
    from cnn.train.fused.group import MemberResult


Key = tuple[str, int]  # of a trial: its study and its number


def mould_of(place: Workplace, params: Mapping[str, object]) -> Hashable:
    """What trials must have in common to be trained together."""
    from cnn.train.fused import group as fused

    return place.tiles, place.runs, place.device, fused.compute_stack_key(_config(place, params))


def suiting(place: Workplace, params: Mapping[str, object], n: int, n_most: int) -> FusionPlan:
    """How to train trials like this one together on the device: `n` of them, or with 0 as many as are fastest.

    On a CPU fusing was measured not to pay: 0 becomes 1 there.
    """
    from cnn.tiles.tile_set import open_tiles
    from cnn.train.device import resolve_device
    from cnn.train.fused.autotune import FusionPlan, choose_formulation, choose_fusion
    from cnn.train.training_run import SplitData

    device, config = resolve_device(place.device), _config(place, params)
    if device.type == "cpu":
        return FusionPlan(n_members=n or 1)
    material = SplitData(open_tiles(place.tiles), config, device)
    if n:
        return FusionPlan(n_members=n, formulation=choose_formulation(config, material, n)[0])
    return choose_fusion(config, material, n_most)


def why_not(place: Workplace, params: Mapping[str, object]) -> str:
    """Why this net cannot be fused; empty where it can."""
    import torch

    from cnn.config import LABELS
    from cnn.errors import ModelError
    from cnn.models.registry import build_net
    from cnn.train.fused.stacked_layers import stack_nets

    config = _config(place, params)
    with torch.random.fork_rng(devices=[]):
        try:
            stack_nets([build_net(config.model, config.tiles.size, len(LABELS))] * 2)
        except ModelError as error:
            return str(error)
    return ""


class Crowd:
    """Trials that are trained together, an epoch at a time."""

    def __init__(self, place: Workplace, params: Mapping[str, object], fusing: FusionPlan) -> None:
        """For trials of the mould of `params`.

        Raises:
            CnnError: the tiles, the split or the device cannot be used.
        """
        from cnn.tiles.tile_set import open_tiles
        from cnn.train.device import resolve_device
        from cnn.train.fused.group import TrainingGroup
        from cnn.train.training_run import SplitData

        self._tiles = open_tiles(place.tiles)
        material = SplitData(self._tiles, _config(place, params), resolve_device(place.device))
        self._group = TrainingGroup(material, place.runs, fusing.formulation, self._close)
        self._members: dict[str, tuple[Key, Workplace, Task]] = {}  # by digest of the run

    def __len__(self) -> int:
        return len(self._group)

    def has(self, run: str) -> bool:
        """Another study's trial of the same run is in work here."""
        return run in self._members

    def join(self, place: Workplace, task: Task, on_epoch: Listener) -> TrialResult | None:
        """Take a trial in; its result, where there is nothing to train.

        Raises:
            SweepError: what `on_epoch` raised.
        """
        from cnn.runs.folder import RunFolder
        from cnn.runs.index import TrialMark, mark_trial
        from cnn.train.training_run import Decision

        config = _config(place, task.params)
        self._members[config.digest] = ((place.study, task.number), place, task)
        try:
            mark_trial(RunFolder(place.runs / config.digest), TrialMark(study=place.study, number=task.number))
            ended = self._group.join(config, lambda row: Decision(on_epoch(row).value))
        except SweepError:
            raise
        except Exception as error:
            self._members.pop(config.digest)
            return failure_of(error)
        return self._result(ended)[1] if ended else None

    def epoch(self) -> list[tuple[Key, TrialResult]]:
        """Train one epoch of all; the results of those that end. What stops all of them is the result of each.

        Raises:
            SweepError: what a listener raised.
        """
        try:
            return [self._result(ended) for ended in self._group.run_epoch()]
        except SweepError:
            raise
        except Exception as error:
            self._group.pause()
            found = failure_of(error)
            keys = [key for key, _, _ in self._members.values()]
            self._members.clear()
            return [(key, found) for key in keys]

    def pause(self) -> None:
        """All leave unfinished."""
        self._group.pause()
        self._members.clear()

    def _result(self, ended: MemberResult) -> tuple[Key, TrialResult]:
        key, _, task = self._members.pop(ended.config.digest)
        return key, failure_of(ended.error) if ended.error else result_of(ended.folder, task.metric)

    def _close(self, config: RunConfig, folder: RunFolder) -> None:
        """Copies of fused trials are made when they end, offline: sending each would hold all others up."""
        from cnn.runs.wandb_mirror import Destination, Mirror

        _, place, _ = self._members[config.digest]
        if place.wandb == "off" or not folder.state().is_finished:
            return
        destination = Destination(mode="offline", group=place.study, job_type="trial")
        mirror = Mirror(destination, config, folder.path, lambda text: print(text, file=sys.stderr, flush=True))
        mirror.open()
        mirror.finish(folder)


def _config(place: Workplace, params: Mapping[str, object]) -> RunConfig:
    from cnn.overrides import apply_values, config_from_dict

    return apply_values(config_from_dict(place.base), params)
