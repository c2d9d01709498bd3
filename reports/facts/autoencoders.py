"""Autoencoders as plain frozen values: errors beside PCA's, a few tiles, and where tiles lie by their latent numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from cnn.runs import DataKind
from reports.facts.inspections import InspectionFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorFacts:
    """Mean squared errors over the tiles of one part; cells lie in 0..1."""

    n: int
    mse: float
    pca_mse: float
    input_mse: float | None  # the net's input, where it has noise or half the size
    filter_mse: float | None  # the noisy input through the bilateral filter


@dataclass(frozen=True, kw_only=True, slots=True)
class AutoencoderFacts:
    """One training of an autoencoder."""

    run: str  # digest
    variant: str
    kind: DataKind
    seed: int
    given: str  # same, noisy or half
    noise: float
    latent: int
    compression: float
    n_pca: int  # training tiles that PCA was computed from
    n_epochs: int
    test: ErrorFacts
    pairs: dict[str, NDArray[Any]] = field(default_factory=dict)  # tiles, inputs, answers, pca: (P, C, F, T) uint8
    inspection: InspectionFacts | None = None
