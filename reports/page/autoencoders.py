"""Section on autoencoders: a row for each training, its tiles as small PNGs, its latent space as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arena.base.media import colour_png, palette_png, png_uri
from cnn.runs import DataKind
from reports.facts.autoencoders import AutoencoderFacts
from reports.figures.embeddings import embedding_by_digit
from reports.figures.media import to_colour
from reports.page.inspections import mosaic
from reports.wording.autoencoders import format_psnr
from reports.wording.page_texts import Texts

_ROWS = ("tiles", "inputs", "answers", "pca")
_MOST_PICTURES = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class AutoencoderPage:
    """One training; the PSNR are texts."""

    facts: AutoencoderFacts
    psnr: str
    pca_psnr: str
    input_psnr: str
    rows: tuple[tuple[str, str], ...]  # name of a row of tiles, and its picture
    latent: str  # SVG; empty where the run is not inspected


def autoencoder_pages(runs: Sequence[AutoencoderFacts], t: Texts) -> tuple[AutoencoderPage, ...]:
    return tuple(
        AutoencoderPage(
            facts=run,
            psnr=format_psnr(run.test.mse),
            pca_psnr=format_psnr(run.test.pca_mse),
            input_psnr=format_psnr(run.test.input_mse),
            rows=_draw_rows(run) if number < _MOST_PICTURES else (),
            latent=embedding_by_digit(run.inspection, t) if run.inspection and run.inspection.embedding else "",
        )
        for number, run in enumerate(runs)
    )


def _draw_rows(run: AutoencoderFacts) -> tuple[tuple[str, str], ...]:
    names = [name for name in _ROWS if name in run.pairs and (name != "inputs" or run.given != "same")]
    return tuple((name, _draw_row(run.pairs[name], run.kind)) for name in names)


def _draw_row(tiles: NDArray[Any], kind: DataKind) -> str:
    """Draw (P, C, F, T) tiles side by side."""
    if kind is DataKind.SOUND:
        return png_uri(palette_png(mosaic(tiles[:, 0], len(tiles))))
    pictures = np.stack([to_colour(tile if len(tile) == 3 else tile[0]) for tile in tiles])  # (P, F, T, 3)
    return png_uri(colour_png(mosaic(pictures, len(tiles))[::-1]))
