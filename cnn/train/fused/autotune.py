"""How many trainings to fuse: as many as still make the device faster, and fit into its memory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from cnn.config import RunConfig
from cnn.runs.failure import is_out_of_memory
from cnn.tiles.batches import count_steps
from cnn.train.fused.group import Stack
from cnn.train.fused.stacked_layers import Formulation
from cnn.train.trainer import Trainer
from cnn.train.training_run import SplitData

SIZES = (4, 8, 16, 32, 64, 128)
_N_STEPS = 12  # timed, after as many that are not
_WORTH = 1.1  # times as many clips a second, or the size before stays


@dataclass(frozen=True, kw_only=True, slots=True)
class FusionPlan:
    """How trainings are fused on a device."""

    n_members: int
    formulation: Formulation = Formulation.GROUPED


def choose_fusion(config: RunConfig, material: SplitData, n_most: int, sizes: Sequence[int] = SIZES) -> FusionPlan:
    """What suits nets of `config` on the device of `material`, at most `n_most` of them; 1 where fusing does not pay.

    Takes seconds on a GPU.
    """
    best, rate = FusionPlan(n_members=1), measure_throughput([Trainer(config, material.device)], material)
    for n in (n for n in sizes if n <= n_most):
        try:
            formulation, found = choose_formulation(config, material, n)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            break
        if found < _WORTH * rate:
            break
        best, rate = FusionPlan(n_members=n, formulation=formulation), found
    return best


def choose_formulation(config: RunConfig, material: SplitData, n: int) -> tuple[Formulation, float]:
    """How convolutions of `n` members are computed fastest, and their clips a second then."""
    fits = [Trainer(replace(config, train=replace(config.train, seed=seed)), material.device) for seed in range(n)]
    rates = {formulation: measure_throughput(fits, material, formulation) for formulation in Formulation}
    return max(rates.items(), key=lambda item: item[1])


def measure_throughput(fits: Sequence[Trainer], material: SplitData, formulation: Formulation = Formulation.GROUPED) -> float:
    """Clips a second of all members together, augmentation included; the fits are trained by it."""
    stack = Stack(fits)
    stack.set_formulation(formulation)
    clips = material.clips["train"]
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
