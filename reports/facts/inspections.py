"""What `arena inspect` found in a run's net, as plain frozen values beside its arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True, slots=True)
class InspectedClip:
    """A clip that was looked into."""

    id: str
    speaker: str
    truth: str
    label: str
    probability: float  # of the label

    @property
    def is_wrong(self) -> bool:
        return self.label != self.truth


@dataclass(frozen=True, kw_only=True, slots=True)
class InspectedLayer:
    """A layer whose maps were kept."""

    name: str
    n_channels: int
    n_bins: int
    n_frames: int
    n_kept: int


@dataclass(frozen=True, kw_only=True, slots=True)
class PlacedClip:
    """A clip among the embeddings."""

    id: str
    truth: str
    label: str
    speaker: str
    x: float
    y: float


@dataclass(frozen=True, kw_only=True, slots=True)
class InspectionFacts:
    """One inspection. Its arrays, by the names that docs/report.md lists: N clips, C channels, F mel bins, T frames."""

    run: str  # digest
    model: str
    variant: str
    length_s: float  # of a picture
    split: str
    clips: tuple[InspectedClip, ...]
    filter_layer: str  # empty: no convolution
    n_filters: int
    layers: tuple[InspectedLayer, ...]
    n_mapped: int  # of the first clips the maps were kept
    placed: tuple[PlacedClip, ...]
    n_placed_of: int  # clips of the split
    feature_layer: str
    n_features: int
    perplexity: float
    seed: int
    arrays: dict[str, NDArray[np.generic]] = field(default_factory=dict, repr=False, compare=False)

    def array(self, name: str) -> NDArray[Any]:
        return self.arrays[name]
