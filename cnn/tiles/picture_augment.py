"""Augmentation of batches of pictures, drawn anew for each. B batch, C channels, F rows, T columns, M nets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch.nn import functional as F

from cnn.settings.augment import AugmentSettings

_FULL_SIZE = 64  # shifts and squares are given for tiles of this size
_N_DRAWS = 7


class PictureChanges(NamedTuple):
    """The augmentation drawn for each of B pictures."""

    maps: torch.Tensor  # (B, 2, 3) from a cell's place to that which it is read from, along T and F, -1 to 1
    rows: torch.Tensor  # (B, F) True where the blank square lies
    columns: torch.Tensor  # (B, T)

    def part(self, start: int, stop: int) -> PictureChanges:
        """Return the changes of the pictures from `start` to before `stop`."""
        return PictureChanges(*(column[start:stop] for column in self))


class PictureAugment:
    """Mirror, turn and shift of each picture, drawn at random; then a blank square (random erasing, Zhong et al. 2020).

    The gap beside a picture that moved is filled with its edge: a background goes on there, whatever its colour, where
    black would tell the net how far it was moved. The square has the value 0 of a normalised picture, the mean, which
    speaks for no class.
    """

    def __init__(self, settings: Sequence[AugmentSettings], size: int) -> None:
        """`settings` has one for each of M nets."""
        scale = size / _FULL_SIZE
        self._size = size
        self._strengths = torch.tensor([[s.flip, math.radians(s.rotate), s.shift * scale, s.erase * scale] for s in settings])
        self._moves = any(s.flip or s.rotate or s.shift for s in settings)

    def draw(self, n_clips: int, generators: Sequence[torch.Generator]) -> PictureChanges:
        """Draw the changes of `n_clips` pictures for each of M nets, from the nets' own generators."""
        device = generators[0].device
        draws = [torch.rand((n_clips, _N_DRAWS), generator=generator, device=device) for generator in generators]
        unit = torch.stack(draws, 1).flatten(0, 1)  # (B M, draws)
        mirror, turn, along, down, side, left, top = unit.unbind(1)
        flip, rotate, shift, erase = self._strengths.to(device).repeat(n_clips, 1).unbind(1)
        sign = torch.where(mirror < flip, -1.0, 1.0)
        angle = (2 * turn - 1) * rotate
        cosine, sine = angle.cos(), angle.sin()
        # Whole cells: between two, all edges would be blurred.
        x, y = (((2 * unit - 1) * shift).round() * 2 / self._size for unit in (along, down))
        maps = torch.stack([sign * cosine, -sine, x, sign * sine, cosine, y], 1).view(-1, 2, 3)
        side = side * erase
        rows, columns = (self._span(start * (self._size - side), side) for start in (top, left))
        return PictureChanges(maps=maps, rows=rows, columns=columns)

    def warp(self, pictures: torch.Tensor, changes: PictureChanges) -> torch.Tensor:
        """Mirror, turn and shift (B, C, F, T) uint8, to 0..1."""
        levels = pictures.float().div_(255)
        if not self._moves:
            return levels
        grid = F.affine_grid(changes.maps, list(levels.shape), align_corners=False)
        return F.grid_sample(levels, grid, mode="bilinear", padding_mode="border", align_corners=False)

    def mask(self, batch: torch.Tensor, changes: PictureChanges) -> torch.Tensor:
        """Set a square of each of (B, C, F, T) to 0, in place."""
        return batch.masked_fill_((changes.rows.unsqueeze(2) & changes.columns.unsqueeze(1)).unsqueeze(1), 0)

    def _span(self, starts: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return (B, size): True from (B,) starts on, as many cells as `lengths`."""
        cells = torch.arange(self._size, device=starts.device)
        return (cells >= starts.unsqueeze(1)) & (cells < (starts + lengths).unsqueeze(1))
