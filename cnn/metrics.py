"""Scores from a confusion matrix of counts: row the truth, column the prediction, K classes."""

from __future__ import annotations

import torch


def confusion_of(truth: torch.Tensor, predicted: torch.Tensor, n_classes: int) -> torch.Tensor:
    """(K, K) int64 counts from two (N,) tensors of class numbers."""
    cells = torch.bincount(truth * n_classes + predicted, minlength=n_classes * n_classes)
    return cells.reshape(n_classes, n_classes)


def accuracy(confusion: torch.Tensor) -> float:
    """The part of all clips on the diagonal; 0 when there are none."""
    return int(confusion.diagonal().sum()) / max(1, int(confusion.sum()))


def macro_f1(confusion: torch.Tensor) -> float:
    """The mean over all classes of 2 TP / (2 TP + FP + FN); a class neither present nor predicted counts 0."""
    counts = confusion.double()
    hits = counts.diagonal()
    sizes = counts.sum(0) + counts.sum(1)
    return float((2 * hits / sizes.clamp_min(1)).mean())
