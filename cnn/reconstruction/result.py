"""Scores of an autoencoder as result.json holds them, and reconstructions.csv. Standard library only."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnn.files import write_csv

TABLE_NAME = "reconstructions.csv"
# A few tiles, uint8 (P, C, F, T): tiles, inputs, answers and pca; ids and labels (P,); kind, sound or pictures.
PAIRS_NAME = "reconstructions.npz"
_LEAST_MSE = 1e-12  # 120 dB: a tile that comes back whole has no finite ratio
_COLUMNS = ("id", "error", "truth", "speaker", "split")


@dataclass(frozen=True, kw_only=True, slots=True)
class PartScore:
    """Mean squared errors of the cells, in 0..1, over the tiles of one part; each is against the tile itself."""

    n: int
    mse: float
    psnr_db: float  # peak signal-to-noise ratio, 10 log10(1 / mse)
    pca_mse: float  # PCA with as many numbers a tile, given the same input
    input_mse: float | None = None  # the noisy input; enlarged bilinearly, where it has half the size
    filter_mse: float | None = None  # the noisy input through the bilateral filter


@dataclass(frozen=True, kw_only=True, slots=True)
class ReconstructionResult:
    """Scores by part, and what both they and PCA were given."""

    latent: int  # numbers a tile
    n_cells: int  # a tile's, all channels
    compression: float  # n_cells / latent
    n_pca: int  # training tiles that PCA was computed from: a random part of them, where there are more
    scores: dict[str, PartScore] = field(default_factory=dict)  # train, val, test; of a trial without test


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconstruction:
    """One line of reconstructions.csv."""

    id: str
    error: float  # mean squared error of its cells
    truth: str
    speaker: str
    split: str  # train, val or test


def compute_psnr(mse: float) -> float:
    """Return the peak signal-to-noise ratio in dB of cells in 0..1."""
    return -10 * math.log10(max(mse, _LEAST_MSE))


def parse_result(content: Mapping[str, Any]) -> ReconstructionResult:
    """Return what result.json has below `reconstruction`."""
    scores = {part: PartScore(**score) for part, score in content["scores"].items()}
    return ReconstructionResult(**{**content, "scores": scores})


def write_reconstructions(folder: Path, rows: Sequence[Reconstruction]) -> None:
    """Write reconstructions.csv into a run folder."""
    lines = ([row.id, f"{row.error:.9g}", row.truth, row.speaker, row.split] for row in rows)
    write_csv(folder / TABLE_NAME, _COLUMNS, lines)


def read_reconstructions(folder: Path) -> list[Reconstruction]:
    """Read all rows; none of a run that has no such table."""
    path = folder / TABLE_NAME
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [Reconstruction(**{**row, "error": float(row["error"])}) for row in csv.DictReader(file)]  # type: ignore[arg-type]
