"""Table of all runs, one row each, for a notebook of one's own: settings, scores, costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from arena.base.csv_export import escape_formula
from cnn.files import write_whole
from cnn.plugin import shorten_name
from cnn.runs.folder import RunFolder, list_runs
from cnn.runs.marks import read_label
from reports.errors import NothingToReport

_COLUMNS = ("run", "name", "tags", "state", "model.name", "variant")


def read_run_table(runs: Path) -> pd.DataFrame:
    """Read one row for each run folder in `runs`, finished or not: configuration under dotted keys, and result.

    Raises:
        NothingToReport: there is no run folder.
        RunError: one is damaged.
    """
    rows = [_row(run) for run in list_runs(runs)]
    if not rows:
        raise NothingToReport(f"no run folder in {runs}; train with `arena train --all`")
    table = pd.json_normalize(rows)
    first = [name for name in _COLUMNS if name in table.columns]
    return table[[*first, *(name for name in table.columns if name not in first)]].sort_values(["model.name", "variant", "run"])


def write_table(table: pd.DataFrame, out: Path) -> None:
    """Write the table as CSV, whole.

    Raises:
        RunError: the file cannot be written.
    """
    write_whole(out, table.map(escape_formula).to_csv(index=False, lineterminator="\n").encode())


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return each row as plain values by column, without empty ones."""
    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records"))
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def _row(run: RunFolder) -> dict[str, Any]:
    label = read_label(run)
    names = {"run": run.digest, "name": label.name, "tags": " ".join(label.tags)}
    row: dict[str, Any] = {**names, "state": run.state().value, **run.config()}
    row["model"] = row["model"] | {"name": shorten_name(row["model"]["name"])}
    result = run.result()
    if result is None:
        return {**row, "n_epochs": len(run.epochs())}
    for split, score in result.scores.items():
        row |= {f"{split}_{name}": getattr(score, name) for name in ("n", "loss", "accuracy", "macro_f1")}
    for name in ("best_epoch", "n_epochs", "n_parameters", "n_multiply_adds", "wall_s", "n_clips_per_s", "device", "cause"):
        row[name] = getattr(result, name)
    return {**row, "verdict": result.verdict.state if result.verdict else ""}
