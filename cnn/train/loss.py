"""Losses: cross-entropy against smoothed labels or hinge, under `train.balance=weights` with classes weighed; and scores.

B clips, M nets, n columns of a net, K classes. Labels are compared with log-probabilities, which differ from a net's outputs by
one number a clip: margins between classes are the same, and a hinge needs no others.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from arena.base.scores import Counts, accuracy, confusion_matrix, find_absent, macro_f1
from cnn.config import RunConfig
from cnn.runs.folder import Score


@dataclass(frozen=True, slots=True)
class Loss:
    """The loss of one net's (B, K) log-probabilities and (B,) labels, or of more answers to each clip.

    Of M nets (B, M, K) and (B, M); of a net's n columns (B, n, K) and (B,), of M nets' (B, M, n, K) and (B, M).
    """

    kind: str  # the value of `train.loss`
    smoothing: float | torch.Tensor = 0.0  # or one for each answer
    weights: torch.Tensor | None = None  # (K,)

    def measure(self, log_probabilities: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """Return the loss that is reported, one for each answer: without label smoothing and weights of classes."""
        if self.kind == "cross_entropy" and log_probabilities.ndim == 2:
            return F.nll_loss(log_probabilities, truth)
        return self._compute_clips(log_probabilities, truth).mean(0)

    def descend(self, plain: torch.Tensor, log_probabilities: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """Return the loss whose gradient trains, one for each answer, beside what `measure` returned."""
        truth = _repeat(truth, log_probabilities)
        smoothing = self.smoothing if self.kind == "cross_entropy" else 0.0
        if self.weights is None:
            return smooth_loss(plain, log_probabilities, smoothing) if self.kind == "cross_entropy" else plain
        shares = self.weights[truth] / self.weights[truth].sum(0)
        weighed = (shares * self._compute_clips(log_probabilities, truth)).sum(0)
        return (1 - smoothing) * weighed - smoothing * (shares * log_probabilities.mean(-1)).sum(0)

    def _compute_clips(self, log_probabilities: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        """Return the loss of each clip and answer."""
        truth = _repeat(truth, log_probabilities)
        right = log_probabilities.gather(-1, truth.unsqueeze(-1)).squeeze(-1)
        return -right if self.kind == "cross_entropy" else compute_hinge(log_probabilities, truth, right)


def _repeat(truth: torch.Tensor, log_probabilities: torch.Tensor) -> torch.Tensor:
    """Return the labels of clips for each answer that columns give."""
    return truth if truth.ndim + 1 == log_probabilities.ndim else truth.unsqueeze(-1).expand(log_probabilities.shape[:-1])


def compute_hinge(scores: torch.Tensor, truth: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Return each clip's max(0, 1 + the best wrong score - the right one) (Crammer and Singer, JMLR 2, 2001)."""
    wrong = scores.scatter(-1, truth.unsqueeze(-1), -torch.inf).amax(-1)
    return (1 + wrong - right).clamp_min(0)


def smooth_loss(plain: torch.Tensor, log_probabilities: torch.Tensor, smoothing: float | torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy against smoothed labels (Szegedy et al. 2016), from the one against the labels alone.

    Takes (B, K) and one number; or (B, ..., K) and (...).
    """
    return (1 - smoothing) * plain - smoothing * log_probabilities.mean(-1).mean(0)


def compute_class_weights(labels: torch.Tensor, n_classes: int) -> torch.Tensor:
    """Return the (K,) weights of scikit-learn's `balanced`, N / (K' N_k) of the K' classes in (N,) labels; 0 of the others."""
    counts = torch.bincount(labels, minlength=n_classes)
    weights = len(labels) / (torch.count_nonzero(counts) * counts.clamp_min(1))
    return weights * (counts > 0)


def count_confusion(truth: torch.Tensor, predicted: torch.Tensor, n_classes: int) -> Counts:
    """Return the confusion (K, K) of (N,) each, on any device."""
    return confusion_matrix(truth.cpu().numpy(), predicted.cpu().numpy(), n_classes)


def compute_score(log_probabilities: torch.Tensor, truth: torch.Tensor, config: RunConfig) -> Score:
    """Score log-probabilities (N, K) against the true labels (N,), indices in `config.data.labels`."""
    labels = config.data.labels
    confusion = count_confusion(truth, log_probabilities.argmax(1), len(labels))
    return Score(
        n=len(truth),
        loss=float(Loss(config.train.loss).measure(log_probabilities, truth)),
        accuracy=accuracy(confusion),
        macro_f1=macro_f1(confusion),
        confusion=confusion.tolist(),
        absent=tuple(labels[k] for k in find_absent(confusion)),
    )
