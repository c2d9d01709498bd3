"""Choice of how many trainings to fuse: as many as still raise the throughput and fit into the device's memory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from cnn.config import RunConfig
from cnn.tiles.batches import count_steps
from cnn.train.failure import is_out_of_memory
from cnn.train.fused.stack import FusedStack
from cnn.train.fused.stacked_layers import Formulation
from cnn.train.trainer import Trainer
from cnn.train.training_run import SplitData

SIZES = (4, 8, 16, 32, 64, 128)
_N_STEPS = 12  # timed, after as many that are not
_WORTH = 1.1  # times as many clips a second, or the size before stays


@dataclass(frozen=True, kw_only=True, slots=True)
class FusionPlan:
    """Number of members, and formulation of their convolutions."""

    n_members: int
    formulation: Formulation = Formulation.GROUPED


def choose_fusion(config: RunConfig, material: SplitData, n_most: int, sizes: Sequence[int] = SIZES) -> FusionPlan:
    """Return the fastest plan for nets of `config` on the device of `material`, `n_most` at most; 1 where fusing does not pay.

    Takes seconds on a GPU.
    """
    best, rate = FusionPlan(n_members=1), measure_throughput([Trainer(config, material.device)], material)
    for n in (n for n in sizes if n <= n_most):
        try:
            formulation, throughput = choose_formulation(config, material, n)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            break
        if throughput < _WORTH * rate:
            break
        best, rate = FusionPlan(n_members=n, formulation=formulation), throughput
    return best


def choose_formulation(config: RunConfig, material: SplitData, n: int) -> tuple[Formulation, float]:
    """Return the fastest formulation of the convolutions of `n` members, and its clips a second."""
    fits = [Trainer(replace(config, train=replace(config.train, seed=seed)), material.device) for seed in range(n)]
    rates = {formulation: measure_throughput(fits, material, formulation) for formulation in Formulation}
    return max(rates.items(), key=lambda item: item[1])


def measure_throughput(fits: Sequence[Trainer], material: SplitData, formulation: Formulation = Formulation.GROUPED) -> float:
    """Measure clips a second of all members together, augmentation included; the members are trained by it."""
    stack = FusedStack(fits)
    stack.set_formulation(formulation)
    clips = material.learnt
    size = len(clips) // count_steps(len(clips), fits[0].config.train.batch_size)
    n = min(_N_STEPS, count_steps(len(clips), fits[0].config.train.batch_size))
    stack.train_epoch(clips, n)
    _wait(material.device)
    started = time.perf_counter()
    stack.train_epoch(clips, n)
    _wait(material.device)
    return n * size * len(fits) / (time.perf_counter() - started)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
