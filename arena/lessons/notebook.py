"""A lesson as a notebook: short texts, cells that run on any tiles, and figures that are computed where it is run.

Its first code cell has papermill's tag `parameters`: whoever runs it by a program sets other values after that cell.
"""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import Any

from arena.base.texts import Words
from arena.starter.wording import list_section
from reports.documents.notebook_file import NotebookCell, build_notebook, read_cells

FOLDER = Path(__file__).parent
TEXTS, TEMPLATES = FOLDER / "texts", FOLDER / "templates"
NAMES = ("mlp", "scratch", "optimisers", "architectures", "autoencoder")


def build_lesson(name: str, words: Words) -> dict[str, Any]:
    """Return the notebook of a lesson, not run."""
    values = list_section(words, name)
    cells = []
    for cell, tag in read_cells(TEMPLATES / f"{name}.txt"):
        kind, text = cell.kind, cell.text
        if kind == "setup":
            kind, text = "code", f"{(TEMPLATES / 'setup.txt').read_text(encoding='utf-8')}{text}"
        metadata = {"tags": [tag]} if tag else {}
        cells.append(NotebookCell(kind=kind, text=Template(text).substitute(values).strip(), metadata=metadata))
    return build_notebook(cells, lesson=name, language=words.language)
