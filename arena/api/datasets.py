"""Tiles as a torch Dataset, for a training loop of one's own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from cnn.config import RunConfig
from cnn.tiles.inputs import Inputs, to_channels
from cnn.tiles.tile_set import TileSet

Item = tuple[torch.Tensor, int]


class TileDataset(Dataset[Item]):
    """Clips of a split on a variant: (channels, mel bins, frames) float32 as nets take them, and the class number.

    Augmentation is drawn anew whenever a clip is asked for, from torch's random state: `torch.manual_seed` repeats it, and each
    worker of a `DataLoader` has its own. A `DataLoader` asks for a whole batch at once, which is then drawn at once.
    """

    def __init__(self, tiles: TileSet, config: RunConfig, indices: Sequence[int]) -> None:
        """`config` says variant, augmentation and normalisation."""
        self.variant = config.variant
        self.indices = np.asarray(indices, dtype=np.int64)  # into the clips of the tiles
        self.labels = tiles.labels()[self.indices]  # (N,)
        self._tiles = tiles
        self._inputs = Inputs([config])
        self._name = config.training_pictures
        self._pictures: npt.NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Item:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Item]:
        """Return several clips; a DataLoader asks for a batch by this."""
        if self._pictures is None:
            self._pictures = self._tiles.pictures(self._name)
        pictures = to_channels(torch.from_numpy(self._pictures[self.indices[list(indices)]]))  # (B, C, F, T)
        labels = self.labels[list(indices)].tolist()
        return list(zip(self._transform(pictures), labels, strict=True))

    def _transform(self, pictures: torch.Tensor) -> torch.Tensor:
        if self._inputs.augment is None:
            return self._inputs.plain(pictures)
        return self._inputs.augmented(pictures, self._inputs.augment.draw(len(pictures), [torch.default_generator]))

    def __getstate__(self) -> dict[str, object]:
        """Leave the memory-mapped pictures out: each worker of a DataLoader opens them itself."""
        return {**self.__dict__, "_pictures": None}

    def __repr__(self) -> str:
        items = self._tiles.data.kind.items
        return f"TileDataset({len(self):,} {items} of {self._tiles.folder}, {self.variant})"
