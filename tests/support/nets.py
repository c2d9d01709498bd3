"""Nets that tests run over: each classifier that is written out, and one of those that are no more than a spelling."""

from __future__ import annotations

import torch

from cnn.nets import NETS, SPELLED
from cnn.train.loss import Loss

WRITTEN = [name for name, net in NETS.items() if net.is_classifier and not net.spelling]
KINDS = [*WRITTEN, SPELLED]


def sum_losses(logits: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy of a net in training, summed over clips and columns."""
    return Loss("cross_entropy").measure(logits.log_softmax(-1), truth).sum() * len(truth)
