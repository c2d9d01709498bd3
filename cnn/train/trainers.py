"""Choice of the trainer: the net from scratch has its own, and all others share one."""

from __future__ import annotations

import torch

from cnn.config import RunConfig
from cnn.settings.scratch import SCRATCH
from cnn.train.scratch_trainer import ScratchTrainer
from cnn.train.trainer import Trainer


def make_trainer(config: RunConfig, device: torch.device) -> Trainer:
    """Return the trainer of `config`, its net with fresh weights.

    Raises:
        ConfigError, ModelError: a net that cannot be trained with these settings, or there.
    """
    return (ScratchTrainer if config.model.name == SCRATCH else Trainer)(config, device)
