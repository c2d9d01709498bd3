"""Tiles that an autoencoder reconstructs worst, beside controls that say whether its error finds faults at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cnn.reconstruction.result import Reconstruction

N_WORST = 10

Values = npt.NDArray[np.floating]


@dataclass(frozen=True, kw_only=True, slots=True)
class Anomalies:
    """The worst tiles, and the control: how well three errors tell tiles with a planted fault (AUC; 0.5 is chance)."""

    run: str  # digest
    latent: int
    n: int  # tiles in all
    worst: tuple[Reconstruction, ...]
    n_shared: int  # worst tiles that are among PCA's worst, too
    n_planted: int
    n_others: int
    auc: float
    pca_auc: float
    random_auc: float  # a random projection on as many numbers


def compute_auc(faulty: Values, others: Values) -> float:
    """Return the share of pairs in which the faulty tile has the larger error; ties count half (Mann and Whitney 1947)."""
    ordered = np.sort(others)
    below, through = np.searchsorted(ordered, faulty, "left"), np.searchsorted(ordered, faulty, "right")
    return float((below + through).mean() / (2 * len(others)))
