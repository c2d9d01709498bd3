"""Preview of tiles as one picture: each clip raw, filtered, and both augmented. Rows are digits."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure

from cnn.config import VARIANTS
from cnn.errors import RunError, TilesError
from cnn.settings.augment import AugmentSettings
from cnn.settings.tiles import TileSettings
from cnn.tiles.augment import Augment
from cnn.tiles.tile_set import TileSet

Grey = npt.NDArray[np.floating]  # (F, T) in 0..1

_CELL_INCHES = 1.05
_MASKED = "#3b6ea5"  # outside magma's range, so that a mask is not taken for silence


def draw_preview(tiles: TileSet, out: Path, per_digit: int, augment: AugmentSettings, seed: int) -> int:
    """Write a PNG of `per_digit` clips of each digit on the four variants; return the number of clips.

    Raises:
        TilesError: there is no clip to show.
        RunError: the file cannot be written.
    """
    rows = _choose(tiles, per_digit, seed)
    if not any(rows.values()):
        raise TilesError(f"{tiles.folder} holds no clip; prepare it again")
    n_columns = len(VARIANTS) * per_digit
    figure = Figure(figsize=(0.6 + _CELL_INCHES * n_columns, 0.9 + _CELL_INCHES * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), n_columns, squeeze=False)
    for line, (label, indices) in zip(axes, rows.items(), strict=True):
        for axis in line:
            axis.set_axis_off()
        for column, index in enumerate(indices):
            _draw_clip(line[column * len(VARIANTS) :], tiles, index, augment, seed)
        line[0].text(-0.12, 0.5, label, transform=line[0].transAxes, ha="right", va="center", fontsize=15)
    for column, axis in enumerate(axes[0]):
        axis.set_title(VARIANTS[column % len(VARIANTS)], fontsize=9)
    figure.supxlabel(_caption(tiles.settings), fontsize=8)
    _save(figure, out)
    return sum(len(indices) for indices in rows.values())


def _caption(s: TileSettings) -> str:
    return (
        f"{s.size} x {s.size} cells: {s.length_s:g} s from left to right, {s.f_min_hz:g} to {s.f_max_hz:g} Hz (mel) upwards; "
        f"black is {s.range_db:g} dB below the loudest cell, blue is masked"
    )


def _choose(tiles: TileSet, per_digit: int, seed: int) -> dict[str, list[int]]:
    """Draw clips of each digit by `seed`, from as many different speakers as there are."""
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


def _draw_clip(line: Sequence[Axes], tiles: TileSet, index: int, augment: AugmentSettings, seed: int) -> None:
    for axis, variant in zip(line, VARIANTS, strict=False):
        tile = tiles.pictures(variant.removesuffix("+aug"))[index]
        grey = _augment(tile, Augment([augment], tiles.settings), seed + index) if variant.endswith("+aug") else tile / 255.0
        visible = np.ma.masked_invalid(grey)
        axis.imshow(visible, origin="lower", cmap=_magma(), vmin=0, vmax=1, interpolation="nearest", aspect="auto")
        if variant == VARIANTS[0]:
            axis.text(0.03, 0.03, tiles.clips[index].id, transform=axis.transAxes, fontsize=5, color="white")


def _augment(tile: npt.NDArray[np.uint8], augment: Augment, seed: int) -> Grey:
    """Augment (F, T) uint8 by one draw, to 0..1; masked cells are NaN."""
    changes = augment.draw(1, [torch.Generator().manual_seed(seed)])
    levels = augment.warp(torch.tensor(tile[None]), changes)  # a copy: the tile's file is read-only
    mask = augment.mask(torch.ones_like(levels), changes)
    picture: Grey = levels.masked_fill(mask == 0, float("nan"))[0].numpy()
    return picture


def _magma() -> Colormap:
    return colormaps["magma"].with_extremes(bad=_MASKED)


def _save(figure: Figure, out: Path) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(out, dpi=130)
    except (OSError, ValueError) as error:
        raise RunError(f"cannot write the picture {out}: {error}; choose another with --out, ending in .png") from error
