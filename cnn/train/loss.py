"""Cross-entropy that trains: against smoothed labels, and under `train.balance=weights` with weights of the classes."""

from __future__ import annotations

import torch


def smooth_loss(plain: torch.Tensor, log_probabilities: torch.Tensor, smoothing: float | torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy against smoothed labels (Szegedy et al. 2016), from the one against the labels alone.

    Takes (B, K) and one number; or (B, M, K) and (M,), the loss of each member.
    """
    return (1 - smoothing) * plain - smoothing * log_probabilities.mean(-1).mean(0)


def compute_class_weights(labels: torch.Tensor, n_classes: int) -> torch.Tensor:
    """Return the (K,) weights of scikit-learn's `balanced`, N / (K' N_k) of the K' classes in (N,) labels; 0 of the others."""
    counts = torch.bincount(labels, minlength=n_classes)
    weights = len(labels) / (torch.count_nonzero(counts) * counts.clamp_min(1))
    return weights * (counts > 0)


def weigh_loss(
    log_probabilities: torch.Tensor, truth: torch.Tensor, weights: torch.Tensor, smoothing: float | torch.Tensor
) -> torch.Tensor:
    """Return the same loss as a mean over clips that count as (K,) `weights` of their classes say.

    Takes (B, K), (B,) and one number; or (B, M, K), (B, M) and (M,).
    """
    shares = weights[truth] / weights[truth].sum(0)
    plain = -(shares * log_probabilities.gather(-1, truth.unsqueeze(-1)).squeeze(-1)).sum(0)
    return (1 - smoothing) * plain - smoothing * (shares * log_probabilities.mean(-1)).sum(0)
