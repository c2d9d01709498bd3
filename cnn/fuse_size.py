"""How many trainings to fuse: as many as still make the device faster, and fit into its memory."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import torch

from cnn.batches import n_steps
from cnn.config import RunConfig
from cnn.fit import Fit
from cnn.fused import Stack
from cnn.stack import Formulation
from cnn.train import Material

_SIZES = (4, 8, 16, 32, 64, 128)
_N_STEPS = 12  # timed, after as many that are not
_WORTH = 1.1  # times as many clips a second, or the size before stays


def best_size(config: RunConfig, material: Material, n_most: int, sizes: Sequence[int] = _SIZES) -> int:
    """Members of a group for `config`, at most `n_most`; 1 where fusing does not pay. Takes seconds on a GPU."""
    best, rate = 1, clips_per_s([Fit(config, material.device)], material)
    for n in (n for n in sizes if n <= n_most):
        try:
            found = clips_per_s([_member(config, material, seed) for seed in range(n)], material)
        except RuntimeError as error:  # torch's own class is one; on a CPU it is said in words
            if "memory" not in str(error):
                raise
            break
        if found < _WORTH * rate:
            break
        best, rate = n, found
    return best


def best_formulation(fits: Sequence[Fit], material: Material) -> Formulation:
    """How convolutions are faster for these, from a few steps of each."""
    rates = {formulation: clips_per_s(fits, material, formulation) for formulation in Formulation}
    return max(rates, key=rates.__getitem__)


def clips_per_s(fits: Sequence[Fit], material: Material, formulation: Formulation = Formulation.GROUPED) -> float:
    """Clips a second of all members together, augmentation included; the fits are trained by it."""
    stack = Stack(fits)
    stack.formulate(formulation)
    clips = material.clips["train"]
    size = len(clips) // n_steps(len(clips), fits[0].config.train.batch_size)
    n = min(_N_STEPS, n_steps(len(clips), fits[0].config.train.batch_size))
    stack.learn(clips, n)
    _wait(material.device)
    started = time.perf_counter()
    stack.learn(clips, n)
    _wait(material.device)
    return n * size * len(fits) / (time.perf_counter() - started)


def _member(config: RunConfig, material: Material, seed: int) -> Fit:
    return Fit(replace(config, train=replace(config.train, seed=seed)), material.device)


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
