"""Draws that depend on a seed alone, whoever draws: torch, numpy's global generator or Python's own."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def seed_generators(seed: int, device: torch.device) -> Iterator[None]:
    """The global random states, as `seed` sets them; afterwards they are as they were.

    Args:
        device: whose generator is set too, where it is a GPU.
    """
    of_python, of_numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed % 2**32)
        try:
            yield
        finally:
            random.setstate(of_python)
            np.random.set_state(of_numpy)
