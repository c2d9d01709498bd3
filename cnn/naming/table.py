"""Tables that say digit and speaker of each file. Standard library only."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from cnn.errors import CorpusError
from cnn.naming.reading import Namer, Naming
from cnn.naming.words import read_label


def table_namer(path: Path, table: Mapping[str, str]) -> Namer:
    """Return a namer that looks paths up in a CSV with the columns path, label and speaker, relative to the imported folder.

    Raises:
        CorpusError: the CSV cannot be read, or lacks a column.
    """
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""), strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise CorpusError(f"{path} cannot be read as CSV: {error}; give a table with the columns path,label,speaker") from error
    missing = [name for name in ("path", "label", "speaker") if not rows or name not in rows[0]]
    if missing:
        raise CorpusError(f"{path} lacks the column {missing[0]!r}; its first line is path,label,speaker")
    names: dict[str, Naming] = {}
    for line, row in enumerate(rows, start=2):
        key = str(PurePosixPath((row["path"] or "").replace("\\", "/")))
        label = (row["label"] or "").strip()
        name = Naming(label=read_label(label, table), speaker=(row["speaker"] or "").strip())
        if names.setdefault(key, name) != name:
            raise CorpusError(f"{path} line {line}: {key} stands there twice, with different labels or speakers; remove one")
    return lambda path: names.get(str(path), Naming(label=""))
