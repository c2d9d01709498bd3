"""looks.csv in a run folder: validations between two updates, every `train.looks_every` of them. Standard library only."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from cnn.files import write_csv
from cnn.runs.folder import RunFolder

_NAME = "looks.csv"


@dataclass(frozen=True, kw_only=True, slots=True)
class LookRow:
    """One line."""

    updates: int  # since the training began
    seconds: float  # likewise, scoring included
    train_loss: float  # mean over the updates since the line before
    val_loss: float
    val_macro_f1: float


def read_looks(run: RunFolder) -> list[LookRow]:
    """Read all lines; none of a run without looks."""
    path = run.path / _NAME
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        return [LookRow(updates=int(row.pop("updates")), **{key: float(x) for key, x in row.items()}) for row in rows]


def write_looks(run: RunFolder, rows: Sequence[LookRow]) -> None:
    """Write all lines."""
    write_csv(run.path / _NAME, [field.name for field in dataclasses.fields(LookRow)], map(dataclasses.astuple, rows))
