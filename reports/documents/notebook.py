"""The story of runs, studies and a contest as a Jupyter notebook of plain pandas and matplotlib, executed here.

Its cells stand in templates/story.txt: a line `%% code NAME` or `%% markdown NAME` begins one, which is left out where there
is nothing of that name.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.base.install import install_command
from reports.documents.stamped import check_unedited, digest_of_text
from reports.errors import NothingToReport, OutputError
from reports.facts.report import ReportFacts
from reports.page.output import write_page
from reports.reading.gather import Sources
from reports.reading.tiles import find_tile_folder

_STORY = Path(__file__).parent / "templates" / "story.txt"
_NEEDS = ("nbformat", "nbclient", "ipykernel")
_LIMIT_S = 600  # of a cell
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One cell before it is run."""

    kind: str  # code or markdown
    text: str


def check_packages(*, runs: bool) -> None:
    """Before the work is done.

    Raises:
        OutputError: the packages of the extra `notebook` are not installed.
    """
    missing = [name for name in _NEEDS if importlib.util.find_spec(name) is None]
    if runs and missing:
        law = f"running a notebook needs {', '.join(missing)}"
        raise OutputError(f"{law}: {install_command('notebook')}, or write it with --no-run")


def story_of(facts: ReportFacts, sources: Sources, out: Path) -> list[Cell]:
    """The cells for what `facts` has; paths in them are seen from the folder of `out`, where the notebook runs.

    Raises:
        NothingToReport: no finished training.
    """
    if not facts.runs:
        raise NothingToReport("a notebook tells of trainings and none is finished; train with `arena train --all`")
    runs = Path(facts.runs[0].folder).parent
    tiles = find_tile_folder(sources.tiles, _config(facts))
    parts = {
        "tiles": tiles is not None,
        "weights": all((Path(run.folder) / "model.pt").exists() for run in facts.runs),
        "tested": any(run.test for run in facts.runs),
        "factors": len({run.model for run in facts.runs}) >= 2 and len({run.variant for run in facts.runs}) >= 2,
        "inspected": bool(facts.inspections),
        "evaluated": bool(facts.evaluations),
        "sweeps": bool(facts.sweeps),
        "contest": facts.contest is not None,
    }
    near = out.resolve().parent
    places = [f"RUNS = {_path(runs, near)}", f"TRAININGS = {json.dumps([Path(run.folder).name for run in facts.runs])}"]
    places += [f"TILES_DIR = {_path(sources.tiles, near)}"]
    places += [f"TILES = {_path(tiles.folder, near)}"] if tiles else []
    places += [f"INSPECTED = {json.dumps(facts.inspections[0].run)}"] if facts.inspections else []
    places += [f"STUDIES = {_path(sources.studies, near)}"] if facts.sweeps and sources.studies else []
    if facts.contest and sources.contest:
        places += [
            f"CONTEST = {json.dumps(sources.contest if '://' in sources.contest else _relative(Path(sources.contest), near))}"
        ]
    told = "".join(f", {name}" for name in ("sweeps", "contest") if parts[name])
    return [
        _filled(cell, facts.title, "\n".join(places), told)
        for cell in cells_for({name for name, is_on in parts.items() if is_on})
    ]


def cells_for(parts: set[str]) -> list[Cell]:
    """The cells of the story that need nothing, or something in `parts`."""
    cells = []
    for piece in re.split(r"^%% ", _STORY.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        head, _, text = piece.partition("\n")
        kind, _, needs = head.partition(" ")
        if not needs or needs in parts:
            cells.append(Cell(kind=kind, text=text.strip("\n")))
    return cells


def _filled(cell: Cell, title: str, places: str, parts: str) -> Cell:
    text = cell.text
    for name, value in (("title", title), ("places", places), ("parts", parts)):
        text = text.replace("{" + name + "}", value)
    return Cell(kind=cell.kind, text=text)


def _config(facts: ReportFacts) -> dict[str, Any]:
    from cnn.runs.folder import RunFolder

    return RunFolder(Path(facts.runs[0].folder)).config()


def _path(path: Path, near: Path) -> str:
    return f"Path({json.dumps(_relative(path, near))})"


def _relative(path: Path, near: Path) -> str:
    return os.path.relpath(path.resolve(), near)


def notebook_of(cells: list[Cell]) -> dict[str, Any]:
    """The notebook before it is run, as nbformat 4.5 has it; it knows its own text."""
    made: list[dict[str, Any]] = []
    for number, cell in enumerate(cells, start=1):
        more: dict[str, Any] = {"execution_count": None, "outputs": []} if cell.kind == "code" else {}
        made.append({"cell_type": cell.kind, "id": f"cell-{number:02d}", "metadata": {}, "source": cell.text, **more})
    metadata = {"kernelspec": _KERNEL, "language_info": {"name": "python"}, "arena": {"text": text_digest(made)}}
    return {"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def text_digest(cells: list[dict[str, Any]]) -> str:
    """Of what is written in the cells, not of what they gave: running a notebook again is no edit."""
    return digest_of_text("\0".join(f"{cell['cell_type']} {''.join(cell['source'])}" for cell in cells))


def check_notebook(out: Path, *, force: bool) -> None:
    """Before the work is done.

    Raises:
        OutputError: `out` is a folder, or a notebook that somebody edited.
    """
    try:
        there = json.loads(out.read_bytes())
        is_unedited = there["metadata"]["arena"]["text"] == text_digest(there["cells"])
    except (OSError, ValueError, KeyError, TypeError):
        is_unedited = False
    check_unedited(out, is_unedited, force=force)


def run_notebook(notebook: dict[str, Any], folder: Path, advance: Callable[..., None]) -> tuple[dict[str, Any], str]:
    """The notebook with what its cells gave, and the cause where one failed: then the rest has no outputs.

    Args:
        folder: where it runs.
        advance: told of each code cell.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from traitlets.config import Config

    made: Any = nbformat.from_dict(notebook)  # type: ignore[no-untyped-call]
    cause = ""
    with tempfile.TemporaryDirectory(prefix="arena-") as sockets:
        client = NotebookClient(
            made,
            timeout=_LIMIT_S,
            startup_timeout=_LIMIT_S,
            kernel_name=_KERNEL["name"],
            config=Config({"ConnectionFileMixin": {"transport": "ipc", "ip": f"{sockets}/k"}}),  # no port is opened
            extra_arguments=["--log-level=50"],
            resources={"metadata": {"path": str(folder)}},
            record_timing=False,
            on_cell_complete=lambda **_: advance(),
        )
        try:
            client.execute()
        except CellExecutionError as error:
            cause = f"{error.ename}: {error.evalue}".splitlines()[0]
        except (CellTimeoutError, DeadKernelError) as error:
            cause = str(error).strip().splitlines()[0]
    found: dict[str, Any] = json.loads(nbformat.writes(made))  # type: ignore[no-untyped-call]
    found["metadata"]["language_info"] = {"name": "python"}
    return found, cause


def write_notebook(notebook: dict[str, Any], out: Path) -> int:
    """The size in bytes of the notebook that now stands at `out`.

    Raises:
        OutputError: it cannot be written.
    """
    return write_page((json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode(), out)
