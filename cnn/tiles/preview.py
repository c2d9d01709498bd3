"""Preview of tiles as one picture: each clip raw, filtered, and both augmented. Rows are classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from cnn.config import VARIANTS, RunConfig, default_config
from cnn.errors import RunError, TilesError
from cnn.nets import PAIR
from cnn.settings.augment import AugmentSettings
from cnn.tiles.augment import Augment
from cnn.tiles.inputs import make_augment, to_channels
from cnn.tiles.tile_set import TileSet

Levels = npt.NDArray[np.floating]  # in 0..1

_CELL_INCHES = 1.05
_MASKED = "#3b6ea5"  # outside magma's range, so that a mask is not taken for silence, nor for black


def draw_preview(tiles: TileSet, out: Path, per_digit: int, augment: AugmentSettings, seed: int) -> int:
    """Write a PNG of `per_digit` clips of each class on the four variants; return the number of clips.

    Raises:
        TilesError: there is no clip to show.
        RunError: the file cannot be written.
    """
    rows = _choose(tiles, per_digit, seed)
    config = replace(default_config(tiles.info, PAIR[0], VARIANTS[0]), augment=augment)
    if not any(rows.values()):
        raise TilesError(f"{tiles.folder} holds no clip; prepare it again")
    n_columns = len(VARIANTS) * per_digit
    figure = Figure(figsize=(0.6 + _CELL_INCHES * n_columns, 0.9 + _CELL_INCHES * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), n_columns, squeeze=False)
    for line, (label, indices) in zip(axes, rows.items(), strict=True):
        for axis in line:
            axis.set_axis_off()
        for column, index in enumerate(indices):
            _draw_clip(line[column * len(VARIANTS) :], tiles, index, config, seed)
        line[0].text(-0.12, 0.5, label, transform=line[0].transAxes, ha="right", va="center", fontsize=15)
    for column, axis in enumerate(axes[0]):
        axis.set_title(VARIANTS[column % len(VARIANTS)], fontsize=9)
    figure.supxlabel(_caption(tiles, augment), fontsize=8)
    _save(figure, out)
    return sum(len(indices) for indices in rows.values())


def _caption(tiles: TileSet, augment: AugmentSettings) -> str:
    s = tiles.settings
    if not tiles.data.is_sound:
        return f"{s.size} x {s.size} cells{'; blue is blanked' if augment.erase else ''}"
    return (
        f"{s.size} x {s.size} cells: {s.length_s:g} s from left to right, {s.f_min_hz:g} to {s.f_max_hz:g} Hz (mel) upwards; "
        f"black is {s.range_db:g} dB below the loudest cell, blue is masked"
    )


def _choose(tiles: TileSet, per_digit: int, seed: int) -> dict[str, list[int]]:
    """Draw clips of each class by `seed`, from as many different speakers as there are."""
    rng = np.random.default_rng(seed)
    rows: dict[str, list[int]] = {}
    for label in tiles.data.labels:
        indices = rng.permutation([n for n, clip in enumerate(tiles.clips) if clip.label == label]).tolist()
        seen: set[str] = set()
        new: list[int] = []
        again: list[int] = []
        for index in indices:
            speaker = tiles.clips[index].speaker
            (again if speaker in seen else new).append(index)
            seen.add(speaker)
        if indices:
            rows[label] = (new + again)[:per_digit]
    return rows


def _draw_clip(line: Sequence[Axes], tiles: TileSet, index: int, config: RunConfig, seed: int) -> None:
    augment = make_augment([config])
    for axis, variant in zip(line, VARIANTS, strict=False):
        name = replace(config, variant=variant).training_pictures
        tile = to_channels(torch.tensor(tiles.pictures(name)[index][None]))  # (1, C, F, T)
        levels, mask = (
            _augment(tile, augment, seed + index) if variant.endswith("+aug") else (tile / 255, torch.ones_like(tile))
        )
        painted = _paint(levels[0].numpy(), mask[0, 0].numpy() == 0, is_sound=tiles.data.is_sound)
        axis.imshow(painted, origin="lower" if tiles.data.is_sound else "upper", interpolation="nearest", aspect="auto")
        if variant == VARIANTS[0]:
            axis.text(0.03, 0.03, tiles.clips[index].id, transform=axis.transAxes, fontsize=5, color="white")


def _augment(tile: torch.Tensor, augment: Augment, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Augment (1, C, F, T) uint8 by one draw, to 0..1; beside it 0 where a cell is masked, else 1."""
    changes = augment.draw(1, [torch.Generator().manual_seed(seed)])
    levels = augment.warp(tile, changes)
    return levels, augment.mask(torch.ones_like(levels), changes)


def _paint(levels: Levels, is_masked: npt.NDArray[np.bool_], *, is_sound: bool) -> Levels:
    """Return (F, T, 3) in 0..1 of (C, F, T): sound in magma, pictures in their own colours."""
    if is_sound:
        painted: Levels = colormaps["magma"](levels[0])[..., :3]
    else:
        painted = np.broadcast_to(levels, (3, *levels.shape[1:])).transpose(1, 2, 0)
    return np.where(is_masked[..., None], to_rgb(_MASKED), painted)


def _save(figure: Figure, out: Path) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(out, dpi=130)
    except (OSError, ValueError) as error:
        raise RunError(f"cannot write the picture {out}: {error}; choose another with --out, ending in .png") from error
