"""Section on inspections: kernels, maps and attention as small PNGs, embeddings as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

from arena.base.media import colour_png, palette_png, png_uri
from cnn.runs import DataKind
from reports.facts.inspections import InspectedClip, InspectedLayer, InspectionFacts
from reports.figures.embeddings import embedding_by_digit, embedding_by_speaker
from reports.figures.media import tile_uri, to_colour
from reports.wording.page_texts import Texts

_KERNELS_ACROSS = 16
_MOST_KERNELS = 32
_HEAT_SHARE = 0.75  # share of a cell's colour where the heat is greatest
_LEAST_FALL = 0.02  # smallest fall of a probability for which an occlusion map is stretched; below it stays pale


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerRow:
    """The maps of one layer for one clip, in one picture."""

    layer: InspectedLayer
    maps: str  # data URI


@dataclass(frozen=True, kw_only=True, slots=True)
class MappedClip:
    """A clip beside its maps, layer by layer."""

    clip: InspectedClip
    picture: str
    rows: tuple[LayerRow, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Attention:
    """Grad-CAM and occlusion maps of a clip: data URIs, empty where there is none."""

    clip: InspectedClip
    picture: str
    cam_label: str
    cam_truth: str  # only of a mistake
    occlusion: str
    fall: float  # largest fall of the answer's probability


@dataclass(frozen=True, kw_only=True, slots=True)
class InspectionPage:
    """One training's inspection."""

    facts: InspectionFacts
    filters: str
    n_filters_shown: int
    mapped: tuple[MappedClip, ...]
    attention: tuple[Attention, ...]
    digits: str  # SVG
    speakers: str  # empty where no speaker is known


def inspection_pages(inspections: Sequence[InspectionFacts], t: Texts) -> tuple[InspectionPage, ...]:
    return tuple(_page(facts, t) for facts in inspections)


def _page(facts: InspectionFacts, t: Texts) -> InspectionPage:
    kernels = _upright(facts, "filters")[:_MOST_KERNELS] if facts.filter_layer else np.zeros((0, 1, 1), dtype=np.float32)
    return InspectionPage(
        facts=facts,
        filters=kernels_uri(kernels) if len(kernels) else "",
        n_filters_shown=len(kernels),
        mapped=tuple(_mapped(facts, number) for number in range(facts.n_mapped)),
        attention=tuple(_attention(facts, number) for number in range(len(facts.clips))),
        digits=embedding_by_digit(facts, t) if facts.embedding else "",
        speakers=embedding_by_speaker(facts, t) if any(clip.speaker for clip in facts.embedding) else "",
    )


def kernels_uri(kernels: NDArray[Any]) -> str:
    """Draw (C, F, T) weights as one picture: blue below zero, white at zero, orange above, each kernel on its own scale."""
    largest = np.abs(kernels).max(axis=(1, 2), keepdims=True)
    shares = kernels / np.where(largest > 0, largest, 1)  # -1..1
    cells = colormaps["PuOr_r"](0.5 + shares / 2, bytes=True)  # (C, F, T, 4)
    return png_uri(colour_png(mosaic(np.asarray(cells), _KERNELS_ACROSS)))


def mosaic(tiles: NDArray[Any], n_across: int) -> NDArray[Any]:
    """Set (N, F, T, ...) tiles side by side, `n_across` in a row with a cell of zeros between.

    Pictures begin at the bottom, so the first row of tiles has the largest F.
    """
    n, high, wide = tiles.shape[:3]
    n_across = min(n, n_across)
    n_rows = -(-n // n_across)
    grid = np.zeros((n_rows * (high + 1) - 1, n_across * (wide + 1) - 1, *tiles.shape[3:]), dtype=tiles.dtype)
    for number, tile in enumerate(tiles):
        row, column = n_rows - 1 - number // n_across, number % n_across
        grid[row * (high + 1) : row * (high + 1) + high, column * (wide + 1) : column * (wide + 1) + wide] = tile
    return grid


def _upright(facts: InspectionFacts, name: str) -> NDArray[Any]:
    """Return an array (..., F, T) with the row first that a picture has at the bottom: the last one, unless it is of sound."""
    array = facts.array(name)
    return array if facts.kind is DataKind.SOUND else array[..., ::-1, :]


def _mapped(facts: InspectionFacts, number: int) -> MappedClip:
    rows = tuple(
        LayerRow(
            layer=layer,
            maps=png_uri(
                palette_png(mosaic(np.maximum(_upright(facts, f"maps_{n}")[number], 1), layer.n_stored), "viridis", gap=True)
            ),
        )
        for n, layer in enumerate(facts.layers)
    )
    return MappedClip(clip=facts.clips[number], picture=tile_uri(facts.array("pictures")[number], facts.kind), rows=rows)


def _attention(facts: InspectionFacts, number: int) -> Attention:
    clip, picture = facts.clips[number], _upright(facts, "pictures")[number]
    falls = _upright(facts, "occlusion")[number].astype(np.float64)
    largest = float(np.abs(falls).max())
    cams = {name: _upright(facts, name)[number].astype(np.float64) for name in ("cam_label", "cam_truth") if facts.layers}
    return Attention(
        clip=clip,
        picture=tile_uri(facts.array("pictures")[number], facts.kind),
        cam_label=heat_uri(picture, cams["cam_label"]) if cams else "",
        cam_truth=heat_uri(picture, cams["cam_truth"]) if cams and clip.is_wrong else "",
        occlusion=heat_uri(picture, falls / max(largest, _LEAST_FALL)),
        fall=float(falls.max()),
    )


def heat_uri(picture: NDArray[np.uint8], heat: NDArray[np.float64]) -> str:
    """Draw a tile in its colours or in grey under heat of -1..1: orange above zero, blue below, stronger with its size."""
    grey = to_colour(picture) * 0.8  # a little dark, so that colour stands out
    colour = np.where(heat[:, :, None] > 0, (255.0, 140.0, 30.0), (70.0, 150.0, 255.0))
    share = np.clip(np.abs(heat), 0, 1)[:, :, None] * _HEAT_SHARE
    return png_uri(colour_png(np.round(grey * (1 - share) + colour * share).astype(np.uint8)))
