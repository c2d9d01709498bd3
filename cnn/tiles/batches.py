"""Tiles on the device as one tensor, and its batches. B batch, C channels, F mel bins, T frames, N clips."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch

from cnn.tiles.chunks import release_pages
from cnn.tiles.inputs import Inputs, to_channels

_N_DRAWN = 1024  # clips whose augmentation is drawn together
_MOST_READ = 4096  # clips whose pages may count as memory of this process


class Clips:
    """Some clips of a set of tiles: their pictures (N, C, F, T) uint8 and class numbers (N,) int64.

    A GPU holds all of them. On a CPU they are read from a memory-mapped file that all processes share.
    """

    def __init__(
        self, pictures: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64], indices: Sequence[int], device: torch.device
    ) -> None:
        """`pictures` are all of the tiles, (N, F, T) or (N, 3, F, T)."""
        selection = np.asarray(indices, dtype=np.int64)
        self._all, self._indices = pictures, selection
        self._n_read = 0  # clips since pages were last released
        self._on_device = None if device.type == "cpu" else to_channels(torch.from_numpy(pictures[selection])).to(device)
        self.labels = torch.from_numpy(labels[selection]).to(device)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, key: slice | torch.Tensor) -> torch.Tensor:
        """Return (n, C, F, T) uint8, on the device: the pictures of those clips."""
        if self._on_device is not None:
            return self._on_device[key]
        indices = self._indices[key if isinstance(key, slice) else key.numpy()]
        self._n_read += len(indices)
        if self._n_read > _MOST_READ:
            release_pages(self._all)
            self._n_read = 0
        return to_channels(torch.from_numpy(np.asarray(self._all)[indices]))

    def iterate_batches(
        self, batch_size: int, seeds: Sequence[int], inputs: Inputs, *, is_balanced: bool = False
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield one epoch, shuffled by the seed, in `count_steps` equal batches; a rest sits out.

        `is_balanced`: as many clips as ever, drawn equally often from each class.

        M seeds give M epochs at once, each as with its seed alone: batches of M B clips, the M first
        clips first.
        """
        device = self.labels.device
        order = torch.stack([draw_order(self.labels, seed, is_balanced=is_balanced) for seed in seeds], 1).to(device)  # (N, M)
        generators = [torch.Generator(device=device).manual_seed(seed + 1) for seed in seeds]
        steps = count_steps(len(self), batch_size)
        size = len(self) // steps
        at_once = max(1, _N_DRAWN // size)  # independent of M, so that each member draws as if alone
        for step in range(steps):
            indices = order[step * size : (step + 1) * size].flatten()
            pictures = self[indices]
            if inputs.augment is None:
                batch = inputs.plain(pictures)
            else:
                turn = step % at_once
                if not turn:
                    changes_ahead = inputs.augment.draw(min(at_once, steps - step) * size, generators)
                batch = inputs.augmented(pictures, changes_ahead.part(turn * len(indices), (turn + 1) * len(indices)))
            yield batch, self.labels[indices]


def draw_order(labels: torch.Tensor, seed: int, *, is_balanced: bool = False) -> torch.Tensor:
    """Return an epoch of (N,) clips in random order, on the CPU: each once, or as many of each class but for a rest, and
    every clip of a class before any comes again."""
    generator = torch.Generator().manual_seed(seed)
    if not is_balanced:
        return torch.randperm(len(labels), generator=generator)
    labels = labels.cpu()
    classes = torch.unique(labels)
    share = math.ceil(len(labels) / len(classes))
    draws = []
    for k in classes:
        clips = torch.nonzero(labels == k).flatten()
        rounds = [clips[torch.randperm(len(clips), generator=generator)] for _ in range(math.ceil(share / len(clips)))]
        draws.append(torch.cat(rounds)[:share])
    order = torch.cat(draws)
    return order[torch.randperm(len(order), generator=generator)][: len(labels)]


def count_steps(n_clips: int, batch_size: int) -> int:
    """Return the number of batches in an epoch: of one size, `batch_size` or a little less; one of all clips with 0."""
    return max(1, math.ceil(n_clips / (batch_size or n_clips or 1)))


def derive_seed(*parts: int | str) -> int:
    """Return a seed below 2**62, the hash of `parts`: different for every purpose, run and epoch."""
    text = "/".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 2
