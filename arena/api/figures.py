"""Figures of a run, by matplotlib: shown by a notebook as the last value of a cell, and stored by `savefig` anywhere."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_TRAIN, _VAL = "#E69F00", "#0072B2"  # Okabe-Ito
_DARK = 0.6  # a shade above has its count in white
_MOST_LETTERS = 2  # labels that stand side by side


class NotebookFigure(Figure):
    """A figure that a notebook shows once, whichever backend is chosen."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=110)
        return buffer.getvalue()


def draw_confusion(counts: pd.DataFrame, title: str) -> NotebookFigure:
    """Draw a confusion matrix with its counts; shade is the root of a cell's share of its row."""
    figure = NotebookFigure(figsize=(4.6, 4.8), layout="constrained")
    axes = figure.add_subplot()
    shades = [[math.sqrt(n / max(sum(row), 1)) for n in row] for row in counts.to_numpy().tolist()]
    axes.imshow(shades, cmap="Blues", vmin=0, vmax=1.15)
    for (row, column), n in np.ndenumerate(counts.to_numpy()):
        if n:
            colour = "white" if shades[row][column] > _DARK else "black"
            axes.text(column, row, str(n), ha="center", va="center_baseline", color=colour, fontsize=9)
    has_names = max(map(len, counts.columns)) > _MOST_LETTERS
    axes.set_xticks(range(len(counts)), list(counts.columns), rotation=90 if has_names else 0)
    axes.set_yticks(range(len(counts)), list(counts.index))
    axes.set_xlabel("predicted")
    axes.set_ylabel(str(counts.index.name))
    axes.set_title(title, fontsize=10, loc="left")
    axes.spines[:].set_color("#cccccc")
    axes.tick_params(length=0)
    return figure


def draw_curves(curves: pd.DataFrame, best_epoch: int | None, title: str) -> NotebookFigure:
    """Draw loss and macro-F1 by epoch, of training and validation; a line marks the epoch whose weights are stored."""
    figure = NotebookFigure(figsize=(8, 3.2), layout="constrained")
    figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    metrics = {"loss": "loss", "macro_f1": "macro-F1"}
    names = [name for name in metrics if curves[f"val_{name}"].notna().any()]  # an autoencoder has losses alone
    for axes, metric in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        _draw_metric(axes, curves, metric, metrics[metric])
        if best_epoch:
            axes.axvline(best_epoch, color="#999999", linewidth=1, linestyle=":")
    return figure


def draw_reconstructions(pairs: dict[str, np.ndarray], title: str) -> NotebookFigure:
    """Draw tiles above what the net was given, what it and what PCA made of them; each column is a tile."""
    rows = {"tiles": "tile", "inputs": "given", "answers": "net", "pca": "PCA"}
    n_tiles = len(pairs["tiles"])
    figure = NotebookFigure(figsize=(0.8 * n_tiles + 0.6, 0.8 * len(rows) + 0.4), layout="constrained")
    figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    for line, (name, label) in zip(figure.subplots(len(rows), n_tiles, squeeze=False), rows.items(), strict=True):
        for axes, picture in zip(line, pairs[name], strict=True):
            is_sound = str(pairs["kind"]) == "sound"
            image = picture[0] if len(picture) == 1 else np.moveaxis(picture, 0, 2)
            axes.imshow(image, cmap="magma" if is_sound else "gray", vmin=0, vmax=255, origin="lower" if is_sound else "upper")
            axes.set_xticks([])
            axes.set_yticks([])
        line[0].set_ylabel(label)
    return figure


def _draw_metric(axes: Axes, curves: pd.DataFrame, metric: str, label: str) -> None:
    for split, name, colour in (("train", "training", _TRAIN), ("val", "validation", _VAL)):
        axes.plot(curves.index, curves[f"{split}_{metric}"], color=colour, label=name, marker="." if len(curves) < 2 else "")
    axes.set_xlabel("epoch")
    axes.set_ylabel(label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
