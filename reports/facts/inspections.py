"""Results of `arena inspect` on a run's net, as plain frozen values beside its arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnn.runs import DataKind


@dataclass(frozen=True, kw_only=True, slots=True)
class InspectedClip:
    """A clip with maps of the net's attention."""

    id: str
    speaker: str
    truth: str
    label: str
    probability: float  # for `label`

    @property
    def is_wrong(self) -> bool:
        return self.label != self.truth


@dataclass(frozen=True, kw_only=True, slots=True)
class InspectedLayer:
    """A layer whose maps are stored."""

    name: str
    n_channels: int
    n_bins: int
    n_frames: int
    n_stored: int  # channels


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddedClip:
    """A clip as a point of the embedding."""

    id: str
    truth: str
    label: str
    speaker: str
    x: float
    y: float


@dataclass(frozen=True, kw_only=True, slots=True)
class InspectionFacts:
    """One inspection. docs/reference/report.md lists its arrays: N clips, C channels, F mel bins, T frames."""

    run: str  # digest
    model: str
    variant: str
    kind: DataKind = DataKind.SOUND
    length_s: float  # length of a picture
    split: str
    clips: tuple[InspectedClip, ...]
    n_columns: int = 1  # that vote
    filter_layer: str  # empty: no convolution
    n_filters: int
    layers: tuple[InspectedLayer, ...]
    n_mapped: int  # the first clips, whose activations are stored
    embedding: tuple[EmbeddedClip, ...]
    n_clips: int  # in the split, of which the embedding has a sample
    feature_layer: str
    n_features: int
    perplexity: float
    seed: int
    arrays: dict[str, NDArray[np.generic]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def columns(self) -> dict[str, str]:
        """What single columns of a net show, for the text that says so; empty of a net without columns."""
        if self.n_columns == 1:
            return {}
        return {"name": self.model, "filters": self.filter_layer, "cam": self.layers[-1].name, "places": self.feature_layer}

    def array(self, name: str) -> NDArray[Any]:
        return self.arrays[name]
