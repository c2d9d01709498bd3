"""Seeding of torch's, numpy's and Python's global generators for a block."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def seed_generators(seed: int, device: torch.device) -> Iterator[None]:
    """Seed the global generators for the block; afterwards their states are restored.

    Args:
        device: a GPU's generator is seeded too.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed % 2**32)
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)
