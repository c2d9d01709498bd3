"""Tiles as a torch Dataset, for a training loop of one's own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset

from cnn.settings.augment import AugmentSettings
from cnn.tiles.augment import Augment
from cnn.tiles.batches import normalise, to_input
from cnn.tiles.tile_set import TileSet

Item = tuple[torch.Tensor, int]


class TileDataset(Dataset[Item]):
    """Clips of a split on a variant: (1, mel bins, frames) float32 as nets take them, and the class number.

    Augmentation is drawn anew whenever a clip is asked for, from torch's random state: `torch.manual_seed` repeats it, and each
    worker of a `DataLoader` has its own. A `DataLoader` asks for a whole batch at once, which is then drawn at once.
    """

    def __init__(self, tiles: TileSet, augment: AugmentSettings, variant: str, indices: Sequence[int]) -> None:
        self.variant = variant
        self.indices = np.asarray(indices, dtype=np.int64)  # into the clips of the tiles
        self.labels = tiles.labels()[self.indices]  # (N,)
        self._tiles = tiles
        self._augment = Augment([augment], tiles.settings) if variant.endswith("+aug") else None
        self._pictures: npt.NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> Item:
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[Item]:
        """Return several clips; a DataLoader asks for a batch by this."""
        if self._pictures is None:
            self._pictures = self._tiles.pictures(self.variant.removesuffix("+aug"))
        pictures = torch.from_numpy(self._pictures[self.indices[list(indices)]])  # (B, F, T)
        labels = self.labels[list(indices)].tolist()
        return list(zip(to_input(self._transform(pictures)), labels, strict=True))

    def _transform(self, pictures: torch.Tensor) -> torch.Tensor:
        if self._augment is None:
            return normalise(pictures.float().div_(255))
        changes = self._augment.draw(len(pictures), [torch.default_generator])
        return self._augment.mask(normalise(self._augment.warp(pictures, changes)), changes)

    def __getstate__(self) -> dict[str, object]:
        """Leave the memory-mapped pictures out: each worker of a DataLoader opens them itself."""
        return {**self.__dict__, "_pictures": None}

    def __repr__(self) -> str:
        return f"TileDataset({len(self):,} clips of {self._tiles.folder}, {self.variant})"
