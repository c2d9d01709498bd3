"""An exercise as a notebook: cells in nbgrader's format, with holes for the student, or with the host's solution in them.

A template marks cells as `%% hole NAME`, the student's, and `%% check NAME`, whose assertions grade the hole before it.
nbgrader makes the student's notebook of the host's by the same two marks as here, so a course may use either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any

from arena.base.texts import Words
from arena.starter.wording import list_section
from reports.documents.notebook_file import NotebookCell, build_notebook, read_cells

FOLDER = Path(__file__).parent
TEXTS, TEMPLATES = FOLDER / "texts", FOLDER / "templates"
NAMES = ("plot", "xor", "backprop", "receptive-field")
_POINTS = 2  # each question's
_SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION\n.*?^ *### END SOLUTION$", re.MULTILINE | re.DOTALL)


def build_exercise(name: str, words: Words, *, is_solved: bool = False) -> dict[str, Any]:
    """Return the notebook of an exercise, not run; `is_solved`: the host's, whose solutions stand between nbgrader's marks."""
    cells = [_format_cell(cell, grade_id, words, is_solved=is_solved) for cell, grade_id in _fill_cells(name, words)]
    return build_notebook(cells, exercise=name, language=words.language)


def read_locked(name: str, words: Words) -> dict[str, str]:
    """Return the code of the cells that a student does not change, by their ids: the setup, then each check."""
    return {grade_id: cell.text for cell, grade_id in _fill_cells(name, words) if cell.kind in ("setup", "check")}


def _fill_cells(name: str, words: Words) -> Iterator[tuple[NotebookCell, str]]:
    values = list_section(words, name)
    setup = (TEMPLATES / "setup.txt").read_text(encoding="utf-8")
    for cell, grade_id in read_cells(TEMPLATES / f"{name}.txt"):
        text = f"{setup}\n\n{cell.text}".strip() if cell.kind == "setup" else cell.text
        yield NotebookCell(kind=cell.kind, text=Template(text).substitute(values)), grade_id


def _format_cell(cell: NotebookCell, grade_id: str, words: Words, *, is_solved: bool) -> NotebookCell:
    if cell.kind in ("markdown", "code"):
        return cell
    text = cell.text
    if cell.kind == "hole" and not is_solved:
        stub = words("common.stub")
        text = _SOLUTION.sub(lambda match: f"{match[1]}# {stub}\n{match[1]}raise NotImplementedError()", text)
    is_check = cell.kind == "check"
    facts = {"grade": is_check, "grade_id": grade_id, "locked": cell.kind != "hole", "schema_version": 3}
    facts |= {"solution": cell.kind == "hole", "task": False, **({"points": _POINTS} if is_check else {})}
    return NotebookCell(kind="code", text=text, metadata={"nbgrader": facts})
